//! Tables and lists: APIs, headers, credentials, variables of servers.

use secrecy::ExposeSecret;

use super::{load, load_file, shown, told, told_of_file};
use crate::settings::{Credential, Settings};

const FILE: &str = r#"
[openapi]
file = "main.yaml"
server_variables = { region = "eu", Port = 8443 }
external_references = true

[upstream.headers]
X-Tenant-ID = "hunter2"

[upstream.credentials]
apiKey = { value = "hunter2" }
basic_auth = { username = "ann", password = "hunter2: 密" }
oauth = { client_id = "me", client_secret = "hunter2", token_url = "https://hunter2@id.test/token", scopes = ["a", "b"] }

[[apis]]
name = "shop"
file = "https://shop.test/openapi.json?key=hunter2"
base_url = "https://shop.test/v1"
token = "hunter2"
headers = { x-key = "hunter2" }
[apis.credentials.key]
value = "hunter2"
[apis.server_variables]
stage = "test"

[[apis]]
name = "crm-2"
file = "crm.yaml"
"#;

fn assert_read(settings: &Settings) {
    let secret = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
    assert_eq!(settings.openapi.server_variables, [("Port", "8443"), ("region", "eu")].map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert!(settings.openapi.external_references);
    let headers: Vec<(&str, String)> = settings.upstream.headers.iter().map(|(name, value)| (name.as_str(), secret(value))).collect();
    assert_eq!(headers, [("X-Tenant-ID", "hunter2".to_owned())]);
    let Credential::Secret(key) = &settings.upstream.credentials["apiKey"] else { panic!("a secret") };
    assert_eq!(secret(key), "hunter2");
    let Credential::Basic { username, password } = &settings.upstream.credentials["basic_auth"] else { panic!("a name and a password") };
    assert_eq!((username.as_str(), secret(password).as_str()), ("ann", "hunter2: 密"));
    let Credential::Client { client_id, client_secret, token_url, scopes } = &settings.upstream.credentials["oauth"] else {
        panic!("a client")
    };
    assert_eq!((client_id.as_str(), secret(client_secret).as_str()), ("me", "hunter2"));
    assert_eq!(
        (token_url.as_deref(), scopes.as_deref().unwrap()),
        (Some("https://hunter2@id.test/token"), ["a".into(), "b".into()].as_slice())
    );

    let served = settings.served_apis();
    assert_eq!(served.iter().map(|api| api.name.as_str()).collect::<Vec<_>>(), ["", "shop", "crm-2"]);
    let shop = &served[1];
    assert_eq!(shop.file.as_deref(), Some("https://shop.test/openapi.json?key=hunter2"));
    assert_eq!((shop.base_url.as_deref(), shop.token.as_ref().map(secret).as_deref()), (Some("https://shop.test/v1"), Some("hunter2")));
    assert_eq!((secret(&shop.headers["x-key"]).as_str(), shop.server_variables["stage"].as_str()), ("hunter2", "test"));
    assert!(matches!(shop.credentials["key"], Credential::Secret(_)) && served[2].token.is_none());
}

#[test]
fn a_file_says_them_as_toml() {
    assert_read(&load_file(FILE).unwrap());
}

#[test]
fn variables_say_them_as_json() {
    let oauth = r#"{"client_id": "me", "client_secret": "hunter2", "token_url": "https://hunter2@id.test/token", "scopes": "a b"}"#;
    let credentials = format!(
        r#"{{"apiKey": {{"value": "hunter2"}}, "basic_auth": {{"username": "ann", "password": "hunter2: 密"}}, "oauth": {oauth}}}"#
    );
    let shop = r#"{"name": "shop", "file": "https://shop.test/openapi.json?key=hunter2", "base_url": "https://shop.test/v1", "token": "hunter2",
        "headers": {"x-key": "hunter2"}, "credentials": {"key": {"value": "hunter2"}}, "server_variables": {"stage": "test"}}"#;
    let settings = load(&[
        ("OPENAPI_FILE", "main.yaml"),
        ("SAA_OPENAPI__SERVER_VARIABLES", r#"{"region": "eu", "Port": 8443}"#),
        ("SAA_OPENAPI__EXTERNAL_REFERENCES", "yes"),
        ("SAA_UPSTREAM__HEADERS", r#"{"X-Tenant-ID": "hunter2"}"#),
        ("SAA_UPSTREAM__CREDENTIALS", &credentials),
        ("SAA_APIS", &format!(r#"[{shop}, {{"name": "crm-2", "file": "crm.yaml"}}]"#)),
    ]);
    assert_read(&settings.unwrap());
}

#[test]
fn they_are_shown_without_their_secrets() {
    let settings = load_file(FILE).unwrap();
    assert_eq!(shown(&settings, "openapi.server_variables").0, r#"{"Port":"8443","region":"eu"}"#);
    assert_eq!(shown(&settings, "upstream.headers").0, r#"{"X-Tenant-ID":"********"}"#);
    let oauth = r#"{"client_id":"me","client_secret":"********","token_url":"https://********@id.test/token","scopes":["a","b"]}"#;
    let basic = r#"{"username":"ann","password":"********"}"#;
    let key = r#"{"value":"********"}"#;
    assert_eq!(shown(&settings, "upstream.credentials").0, format!(r#"{{"apiKey":{key},"basic_auth":{basic},"oauth":{oauth}}}"#));
    let shop = [
        r#"{"name":"shop","file":"https://shop.test/openapi.json?********","server_variables":{"stage":"test"}"#,
        r#""base_url":"https://shop.test/v1","token":"********","headers":{"x-key":"********"},"credentials":{"key":{"value":"********"}}}"#,
    ];
    assert_eq!(shown(&settings, "apis").0, format!(r#"[{},{{"name":"crm-2","file":"crm.yaml"}}]"#, shop.join(",")));
    assert!(!format!("{:?} {settings:?}", settings.effective()).contains("hunter2: "));
}

#[test]
fn a_layer_takes_the_whole_place_of_the_one_below() {
    let (_file, path) = super::file("[upstream.headers]\nX-A = \"1\"\n");
    let sources = super::with(&[("SAA_UPSTREAM__HEADERS", r#"{"X-B": "2"}"#)]).with_file(Some(path.clone()));
    assert_eq!(Settings::load(sources).unwrap().upstream.headers.into_keys().collect::<Vec<_>>(), ["X-B"]);
    let sources = super::with(&[("SAA_UPSTREAM__HEADERS", "{}")]).with_file(Some(path));
    assert!(Settings::load(sources).unwrap().upstream.headers.is_empty());
}

#[test]
fn everything_wrong_is_told_at_its_place() {
    let told = told_of_file(
        r#"
[openapi]
file = "main.yaml"
server_variables = { region = ["eu"] }
[upstream.headers]
"X Key" = "a"
Host = "a"
X-A = 5
X-B = "hunter2\n"
[upstream.credentials]
none = {}
half = { username = "ann" }
mixed = { client_id = "a", client_secret = "b", value = "c" }
colon = { username = "a:b", password = "c" }
slip = { valeu = "hunter2" }
url = { client_id = "a", client_secret = "b", token_url = "id.test" }
flat = "hunter2"
[[apis]]
name = "Shop"
file = "ftp://shop.test"
[[apis]]
name = "crm"
fiel = "a"
token = "hunter 2"
base_url = "https://crm.test?key=hunter2"
external_references = "yes"
[[apis]]
name = "crm"
file = "b"
"#,
    );
    let expected = [
        ("apis[0].name", "is \"Shop\"; a small letter, then at most 31 small letters, digits and hyphens are needed"),
        ("apis[0].file", "is \"ftp://shop.test\"; a URL that begins with http:// or https:// is needed"),
        ("apis[1].fiel", "is not a setting; file is near"),
        ("apis.crm.file", "is not set, and is needed"),
        ("apis.crm.base_url", "has a query or a fragment; paths cannot be added to it"),
        ("apis.crm.token", "has white space or a character outside ASCII in it; the credential alone is needed"),
        ("apis.crm.external_references", "is a text; true or false is needed"),
        ("apis[2].name", "is \"crm\", as another is; every API needs its own name"),
        ("openapi.server_variables.region", "is a list; a text is needed"),
        ("upstream.headers.Host", "is a header that the sender sets itself"),
        ("upstream.headers.X Key", "is not the name of a header"),
        ("upstream.headers.X-A", "is a number; a text is needed"),
        ("upstream.headers.X-B", "has a control character in it"),
        ("upstream.credentials.colon.username", "has a colon in it, which ends a user name"),
        ("upstream.credentials.flat", "is a text; a table is needed"),
        ("upstream.credentials.half.password", "is not set, and is needed"),
        ("upstream.credentials.mixed.value", "cannot stand beside client_id, client_secret, token_url, scopes"),
        ("upstream.credentials.none", "says nothing; value, or username and password, or client_id and client_secret are needed"),
        ("upstream.credentials.slip.valeu", "is not a setting; value is near"),
        ("upstream.credentials.slip", "says nothing; value, or username and password, or client_id and client_secret are needed"),
        ("upstream.credentials.url.token_url", "is \"id.test\"; a URL that begins with http:// or https:// is needed"),
    ];
    assert_eq!(told.iter().map(|(key, sentence)| (key.as_str(), sentence.as_str())).collect::<Vec<_>>(), expected);
    assert!(!format!("{told:?}").contains("hunter"));
}

#[test]
fn a_variable_that_is_no_json_is_told_without_its_text() {
    let problem = told(&[("SAA_UPSTREAM__HEADERS", "{\"X-Key\": hunter2}")]);
    let sentence = "is not JSON at line 1, column 11; in a variable a table or a list is written as JSON";
    assert_eq!(problem, format!("settings: 1 problem\n  upstream.headers  {sentence}  (SAA_UPSTREAM__HEADERS)"));
    assert!(told(&[("SAA_APIS", "{}")]).contains("apis  is a table; a list is needed  (SAA_APIS)"));
    assert!(told(&[("SAA_APIS", "[1]")]).contains("apis[0]  is a number; a table is needed  (SAA_APIS)"));
}

#[test]
fn a_text_where_a_list_is_needed_is_told() {
    let sentence = "is a text; a table or a list is needed".to_owned();
    assert_eq!(told_of_file("[agent]\npinned = \"listOrders\""), [("agent.pinned".to_owned(), sentence)]);
}

#[test]
fn settings_of_an_api_that_is_not_there_are_told() {
    let apis = ("SAA_APIS", r#"[{"name": "shop", "file": "shop.yaml"}]"#);
    let problem = told(&[apis, ("API_TOKEN", "hunter2"), ("API_BASE_URL", "http://h")]);
    let sentence = "holds for nothing: openapi.file is not set, and every one of apis has its own";
    assert!(problem.contains(&format!("upstream.base_url  {sentence}  (API_BASE_URL)")), "{problem}");
    assert!(problem.contains(&format!("upstream.token     {sentence}  (API_TOKEN)")), "{problem}");
    assert_eq!(load(&[apis]).unwrap().served_apis().len(), 1);
}

#[test]
fn rules_about_operations_are_told_when_they_are_none() {
    let problem = told(&[("SAA_OPENAPI__EXCLUDE", r#"["tags:x", "path:users", "method:get"]"#), ("SAA_AGENT__PINNED", "{}")]);
    for sentence in [
        "openapi.exclude  has the rule \"tags:x\": tag:…, method:…, path:/… or id:… is needed",
        "openapi.exclude  has the rule \"path:users\": a path begins with a slash",
        "agent.pinned     is a table; a list is needed",
    ] {
        assert!(problem.contains(sentence), "{problem}");
    }
    let apis =
        ("SAA_APIS", r#"[{"name": "shop", "file": "shop.yaml", "include": ["tag:Orders", "id:get*"], "exclude": ["method:delete"]}]"#);
    let shop = load(&[apis]).unwrap().apis.remove(0);
    assert_eq!(shop.selection.rules().map(ToString::to_string).collect::<Vec<_>>(), ["tag:Orders", "id:get*", "method:DELETE"]);
    assert!(told(&[apis, ("SAA_OPENAPI__INCLUDE", r#"["tag:a"]"#)]).contains("openapi.include  holds for nothing"));
}

#[test]
fn endpoints_that_stand_in_are_read_and_shown_without_their_secrets() {
    let file = r#"
[llm]
url = "http://main/v1"
headers = { api-key = "hunter2" }
[[llm.fallbacks]]
url = "https://ann:hunter2@one/v1?key=hunter2"
api_key = "hunter2"
model = "small"
headers = { x-key = "hunter2" }
[[llm.fallbacks]]
url = "http://two/v1"
"#;
    let settings = load_file(file).unwrap();
    let [one, two] = &settings.llm.fallbacks[..] else { panic!("{:?}", settings.llm.fallbacks) };
    assert_eq!((one.model.as_deref(), one.headers.len()), (Some("small"), 1));
    assert!(one.api_key.as_ref().is_some_and(|key| key.expose_secret() == "hunter2"));
    assert!(two.url == "http://two/v1" && two.api_key.is_none() && two.model.is_none() && two.headers.is_empty());
    assert_eq!(shown(&settings, "llm.headers").0, r#"{"api-key":"********"}"#);
    let first = r#"{"url":"https://********@one/v1?********","api_key":"********","model":"small","headers":{"x-key":"********"}}"#;
    assert_eq!(shown(&settings, "llm.fallbacks").0, format!(r#"[{first},{{"url":"http://two/v1"}}]"#));
}

#[test]
fn what_is_wrong_with_an_endpoint_is_told_at_its_place() {
    let one = r#"{"api_key": "hunter2 hunter2", "modell": "m", "headers": {"host": "x"}}"#;
    let problems = load(&[("SAA_LLM__FALLBACKS", &format!("[{one}]")), ("SAA_LLM__URL", "http://main/")]).unwrap_err().to_string();
    for told in ["llm.fallbacks[0].url ", "llm.fallbacks[0].api_key ", "llm.fallbacks[0].modell ", "llm.fallbacks[0].headers.host "] {
        assert!(problems.contains(told), "{told}: {problems}");
    }
    assert!(!problems.contains("hunter2"), "{problems}");
    let alone = load(&[("SAA_LLM__FALLBACKS", r#"[{"url": "http://h/"}]"#), ("SAA_LLM__HEADERS", r#"{"x": "y"}"#)]).unwrap_err();
    assert_eq!(alone.to_string().matches("holds for nothing: llm.url is not set").count(), 2, "{alone}");
}
