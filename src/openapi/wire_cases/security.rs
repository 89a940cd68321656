//! Credentials: what an operation needs, and where a secret lands.

use serde_json::json;

use super::*;
use crate::openapi::{Credential, KeyPlace, Need};

fn secured() -> Catalogue {
    let key = |place: &str, name: &str| json!({"name": name, "in": place, "required": true, "schema": {"type": "string"}});
    let mut document = document(json!({
        "/both": {"get": {"parameters": [key("query", "api_key"), key("query", "q")]}},
        "/none": {"get": {"security": []}},
        "/maybe": {"get": {"security": [{}, {"Token": ["read"]}]}},
        "/cookie": {"get": {"security": [{"Sid": []}], "parameters": [{"name": "c", "in": "cookie", "schema": {"type": "string"}}, key("header", "X-KEY")]}},
        "/odd": {"get": {"security": [{"Missing": []}]}}}));
    document["security"] = json!([{"KeyQ": [], "Basic": []}, {"Bearer": []}]);
    document["components"] = json!({"securitySchemes": {
        "KeyQ": {"type": "apiKey", "in": "query", "name": "api_key"}, "KeyH": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "Sid": {"type": "apiKey", "in": "cookie", "name": "sid"}, "Basic": {"type": "http", "scheme": "basic"},
        "Bearer": {"type": "http", "scheme": "bearer"},
        "Token": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a.test/token", "scopes": {}}}}}});
    read(&document)
}

fn needs(name: &str) -> Vec<Vec<Need>> {
    secured().operation(name).unwrap().security().unwrap().to_vec()
}

fn need(scheme: &str, credential: Credential) -> Need {
    Need { scheme: scheme.to_owned(), credential, scopes: Vec::new() }
}

fn key(place: KeyPlace, name: &str) -> Credential {
    Credential::ApiKey { place, name: name.to_owned() }
}

#[test]
fn requirements_are_alternatives_of_things_that_belong_together() {
    let both = vec![need("KeyQ", key(KeyPlace::Query, "api_key")), need("Basic", Credential::Basic)];
    assert_eq!(needs("get_both"), [both, vec![need("Bearer", Credential::Bearer)]]);
    assert_eq!(needs("get_none"), Vec::<Vec<Need>>::new());
    let token = Credential::OAuth2 { token_url: Some("https://a.test/token".to_owned()) };
    assert_eq!(needs("get_maybe"), [vec![], vec![Need { scopes: vec!["read".to_owned()], ..need("Token", token) }]]);
    assert_eq!(needs("get_odd"), [[need("Missing", Credential::Unsupported)]]);
}

#[test]
fn a_key_is_never_an_argument() {
    let catalogue = secured();
    let asked = |name: &str| {
        catalogue.operation(name).unwrap().spec().parameters["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!((asked("get_both"), asked("get_cookie")), (vec!["q".to_owned()], vec!["c".to_owned()]));
}

#[test]
fn secrets_land_where_the_document_says() {
    let catalogue = secured();
    let make = |name: &str, given: Value| catalogue.operation(name).unwrap().request(None, &arguments(given)).unwrap();
    let mut request = make("get_both", json!({"q": "x"}));
    request.authorise(&key(KeyPlace::Query, "api_key"), "K &").unwrap();
    request.authorise(&Credential::Basic, "u:p").unwrap();
    assert_eq!(request.url, "http://up.test:9000/v1/both?q=x&api_key=K%20%26");
    assert_eq!(header(&request, "Authorization"), Some("Basic dTpw"));
    let mut request = make("get_none", json!({}));
    request.authorise(&key(KeyPlace::Query, "k"), "v").unwrap();
    request.authorise(&Credential::Bearer, "t").unwrap();
    assert_eq!((request.url.as_str(), header(&request, "Authorization")), ("http://up.test:9000/v1/none?k=v", Some("Bearer t")));
    let mut request = make("get_cookie", json!({"c": "1"}));
    request.authorise(&key(KeyPlace::Cookie, "sid"), "s").unwrap();
    assert_eq!(header(&request, "Cookie"), Some("c=1; sid=s"));
    assert!(request.authorise(&Credential::Bearer, "a\r\nb").is_err());
    assert!(request.authorise(&key(KeyPlace::Cookie, "sid"), "a;b").is_err());
    assert!(request.authorise(&Credential::Unsupported, "a").is_err());
}

#[test]
fn what_no_one_says_is_told_apart_from_nothing_is_needed() {
    let mut silent = document(json!({"/a": {"get": {}}, "/b": {"get": {"security": []}}}));
    silent["components"] =
        json!({"securitySchemes": {"Z": {"type": "http", "scheme": "bearer"}, "A": {"type": "http", "scheme": "basic"}}});
    let silent = read(&silent);
    assert!(silent.operation("get_a").unwrap().security().is_none());
    assert_eq!(silent.operation("get_b").unwrap().security().map(|needs| needs.len()), Some(0));
    assert_eq!(
        silent.schemes().iter().collect::<Vec<_>>(),
        [(&"A".to_owned(), &Credential::Basic), (&"Z".to_owned(), &Credential::Bearer)]
    );
}

#[test]
fn a_header_that_the_operator_sets_is_no_argument() {
    let header = |name: &str| json!({"name": name, "in": "header", "required": true, "schema": {"type": "string"}});
    let path = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    let query = json!({"name": "X-Version", "in": "query", "required": true, "schema": {"type": "string"}});
    let catalogue = read(&document(json!({"/a/{id}": {"get": {"parameters": [header("x-version"), path, query, header("X-Own")]}}})));
    let catalogue = catalogue.without_headers(&["X-VERSION"]);
    let schema = &catalogue.functions()[0].parameters;
    assert_eq!(schema["properties"].as_object().unwrap().len(), 3, "{schema}");
    assert_eq!(schema["required"].as_array().unwrap().len(), 3, "{schema}");
    let operation = catalogue.operation("get_a_id").unwrap();
    assert_eq!(operation.spec(), &catalogue.functions()[0]);
    let name = schema["properties"].as_object().unwrap().keys().find(|name| name.starts_with("X-Version")).unwrap().clone();
    let request = operation.request(None, &arguments(json!({"id": "7", name: "q", "X-Own": "o"}))).unwrap();
    assert_eq!(request.url, "http://up.test:9000/v1/a/7?X-Version=q");
    assert_eq!(request.headers, [("X-Own".to_owned(), "o".to_owned())]);
}
