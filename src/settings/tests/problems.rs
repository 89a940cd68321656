//! What is told when settings are wrong, word for word.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use super::{super::Flag, file, load, load_file, told, told_of_file, with};
use crate::{domain::limits::SETTINGS_FILE_BYTES_MAX, settings::Settings};

fn pairs(problems: &[(String, String)]) -> Vec<(&str, &str)> {
    problems.iter().map(|(key, sentence)| (key.as_str(), sentence.as_str())).collect()
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place() {
    let (_file, path) = file("port = 80\n[turns]\nrounds_max = 0\n[log]\nlevel = true\n");
    let variables = [
        ("SAA_AUTH__SIGNING_KEY", "twelve bytes"),
        ("SAA_SERVR__PORT", "80"),
        ("REDIS_URL", "http://localhost"),
        ("WEB_API_USERNAME", "ann smith"),
        ("WEB_API_PASSWORD", "1234567"),
        ("SHOW_API_CALL_DETAILS", "perhaps"),
        ("SAA_SESSIONS__MAX_SECS", "3600"),
    ];
    let flags = [Flag { name: "--port", key: "server.port", value: "65536".to_owned() }];
    let told = Settings::load(with(&variables).with_file(Some(path.clone())).with_flags(flags)).unwrap_err().to_string();
    let (path, wide) =
        (path.display(), "is not the URL of a Redis; one that begins with redis://, redis+unix://, redis+sentinel:// or redis+cluster:// is needed (rediss…: the same with TLS)".chars().count());
    let row = |key: &str, sentence: &str, place: &str| format!("\n  {key:<23}  {sentence:<wide$}  ({place})");
    let table = [
        row("port", "is not a setting; server.port is near", &path.to_string()),
        row("SAA_SERVR__PORT", "is not a setting; SAA_SERVER__PORT is near", "environment"),
        row("server.port", "is 65536; a whole number from 0 to 65535 is needed", "--port"),
        row(
            "store.redis_url",
            "is not the URL of a Redis; one that begins with redis://, redis+unix://, redis+sentinel:// or redis+cluster:// is needed (rediss…: the same with TLS)",
            "REDIS_URL",
        ),
        row("auth.signing_key", "is 12 bytes; at least 32 are needed", "SAA_AUTH__SIGNING_KEY"),
        row("auth.admin_username", "is \"ann smith\"; 1 to 64 characters without white space are needed", "WEB_API_USERNAME"),
        row("auth.admin_password", "is 7 characters; at least 8 are needed", "WEB_API_PASSWORD"),
        row("turns.rounds_max", "is 0; a whole number from 1 to 100 is needed", &path.to_string()),
        row(
            "sessions.idle_secs",
            "is 86400; at most sessions.max_secs is allowed, which is 3600 (SAA_SESSIONS__MAX_SECS)",
            "SAA_SESSIONS__IDLE_SECS",
        ),
        row("agent.show_call_details", "is \"perhaps\"; true or false is needed", "SHOW_API_CALL_DETAILS"),
        row("log.level", "is true; a text is needed", &path.to_string()),
    ];
    assert_eq!(told, format!("settings: 11 problems{}", table.concat()));
}

#[test]
fn two_problems_look_like_this() {
    let expected = "settings: 2 problems
  server.port       is \"many\"; a whole number from 0 to 65535 is needed  (SAA_SERVER__PORT)
  auth.signing_key  is 12 bytes; at least 32 are needed                  (SAA_AUTH__SIGNING_KEY)";
    assert_eq!(told(&[("SAA_AUTH__SIGNING_KEY", "twelve bytes"), ("SAA_SERVER__PORT", "many")]), expected);
}

#[test]
fn an_unknown_variable_is_told_with_the_nearest() {
    let one = |name: &str| told(&[(name, "80")]).lines().nth(1).unwrap().trim().to_owned();
    assert_eq!(one("SAA_SERVER_PORT"), "SAA_SERVER_PORT  is not a setting; SAA_SERVER__PORT is near  (environment)");
    assert_eq!(one("SAA_CONFG"), "SAA_CONFG  is not a setting; SAA_CONFIG is near  (environment)");
    assert_eq!(one("SAA_WEATHER_OF_TOMORROW"), "SAA_WEATHER_OF_TOMORROW  is not a setting  (environment)");
    assert!(load(&[("SAA_WEATHER_OF_TOMORROW", "")]).is_ok(), "an empty variable is not set");
}

#[test]
fn an_unknown_key_in_the_file_is_told_with_the_nearest() {
    let told = told_of_file("token_hours = 1\n[server]\nprot = 80\n[servr]\nport = 80\n[server.tls]\ncert = 1\n[weather]\n[a.b.c]\nd = 1");
    let expected = [
        ("a.b.c", "is not a setting"),
        ("server.prot", "is not a setting; server.port is near"),
        ("server.tls.cert", "is not a setting"),
        ("servr.port", "is not a setting; server.port is near"),
        ("token_hours", "is not a setting; auth.token_hours is near"),
        ("weather", "is not a setting"),
    ];
    assert_eq!(pairs(&told), expected);
}

#[test]
fn a_value_of_another_type_is_told_with_what_is_needed() {
    let told = told_of_file(
        "[server]\nhost = 1\nport = \"80\"\n[store]\nredis_url = 5\n[turns]\ncalls_max = 1.5\n[agent]\nconfirm = \"yes\"\n[llm]\n\
         model = [\"a\"]\ntemperature = true\nurl = {a = 1}\n[log]\nformat = 3\n[openapi]\nfile = 1979-05-27\n",
    );
    let expected = [
        ("server.host", "is 1; a text is needed"),
        ("server.port", "is \"80\"; a whole number from 0 to 65535 is needed"),
        ("store.redis_url", "is a number; a text is needed"),
        ("turns.calls_max", "is 1.5; a whole number from 1 to 1000 is needed"),
        ("llm.url", "is a table; a text is needed"),
        ("llm.model", "is a list; a text is needed"),
        ("llm.temperature", "is true; a number from 0 to 2 is needed"),
        ("agent.confirm", "is \"yes\"; one of auto, never, changing, always, true, false is needed"),
        ("log.format", "is 3; one of auto, json, pretty is needed"),
    ];
    assert_eq!(pairs(&told), expected);
}

#[test]
fn a_syntax_error_names_its_line() {
    let one = |toml: &str| told_of_file(toml).remove(0);
    let (key, sentence) = one("[server]\nport = 80\nport = 81\n");
    assert_eq!((key.as_str(), sentence.as_str()), ("TOML", "cannot be read at line 3, column 1: duplicate key"));
    assert!(one("[server\n").1.starts_with("cannot be read at line 1, column 8: "));
    assert_eq!(one("server.port = 99999999999999999999").1, "cannot be read: number too large to fit in target type");
}

#[test]
fn a_syntax_error_does_not_hide_other_problems() {
    let (_file, path) = file("[server");
    let problems = Settings::load(with(&[("SAA_SERVER__PORT", "many")]).with_file(Some(path))).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["TOML", "server.port"]);
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_who_named_it() {
    let expected = "settings: 1 problem\n  no/such.toml  cannot be read: No such file or directory (os error 2)  (SAA_CONFIG)";
    assert_eq!(told(&[("SAA_CONFIG", "no/such.toml")]), expected);

    let directory = tempfile::tempdir().unwrap();
    let problems = Settings::load(with(&[]).with_file(Some(directory.path().to_owned()))).unwrap_err().to_string();
    assert!(problems.contains("cannot be read: ") && problems.ends_with("(--config)"), "{problems}");
}

#[test]
fn a_file_is_text_and_not_endless() {
    let (_file, path) = file("");
    let sentence = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Settings::load(with(&[]).with_file(Some(path.clone()))).unwrap_err().iter().next().unwrap().sentence.clone()
    };
    assert_eq!(sentence(b"# \xff"), "is not UTF-8 at byte 2");
    assert_eq!(sentence(&vec![b'\n'; usize::try_from(SETTINGS_FILE_BYTES_MAX).unwrap() + 1]), "has more than 1048576 bytes");
    fs::write(&path, vec![b'\n'; usize::try_from(SETTINGS_FILE_BYTES_MAX).unwrap()]).unwrap();
    assert!(Settings::load(with(&[]).with_file(Some(path.clone()))).is_ok());
}

#[test]
fn a_variable_that_is_not_utf_8_is_told_if_it_is_ours() {
    let broken = || OsString::from_vec(b"\xff".to_vec());
    let names: [&[u8]; 3] = [b"REDIS_URL", b"OTHER", b"\xfe"];
    let variables = names.map(|name| (std::ffi::OsStr::from_bytes(name).to_owned(), broken()));
    let problems = Settings::load(crate::settings::Sources::default().with_environment(variables)).unwrap_err();
    assert_eq!(problems.to_string(), "settings: 1 problem\n  store.redis_url  is not UTF-8  (REDIS_URL)");
}

#[test]
fn the_administrator_has_a_name_and_a_password_or_neither() {
    let expected = "settings: 1 problem\n  auth.admin_password  is not set, but auth.admin_username is; both are needed, or neither  (SAA_AUTH__ADMIN_PASSWORD)";
    assert_eq!(told(&[("WEB_API_USERNAME", "ann")]), expected);
    let expected = "settings: 1 problem\n  auth.admin_username  is not set, but auth.admin_password is; both are needed, or neither  (SAA_AUTH__ADMIN_USERNAME)";
    assert_eq!(told(&[("WEB_API_PASSWORD", "12345678")]), expected);
    assert!(load(&[("WEB_API_USERNAME", "ann"), ("WEB_API_PASSWORD", "12345678")]).is_ok());
}

#[test]
fn a_password_has_8_characters_and_at_most_1024_bytes() {
    let with_password = |password: &str| load(&[("WEB_API_USERNAME", "ann"), ("WEB_API_PASSWORD", password)]);
    assert!(with_password("密码密码密码密码").is_ok());
    assert!(with_password(&"x".repeat(1024)).is_ok());
    assert!(with_password("密码密码密码密").unwrap_err().to_string().contains("is 7 characters; at least 8 are needed"));
    assert!(with_password(&"x".repeat(1025)).unwrap_err().to_string().contains("is 1025 bytes; at most 1024 are allowed"));
}

#[test]
fn a_redis_url_has_a_known_scheme_and_a_host_or_a_socket() {
    for url in [
        "redis://h",
        "rediss://u:p@h:6380/1",
        "redis+unix:///run/redis.sock",
        "unix:///run/redis.sock?db=1",
        "redis://[::1]:6379",
        "redis+sentinel://a,b:1/m",
        "redis+cluster://a,b:1",
    ] {
        assert!(load(&[("REDIS_URL", url)]).is_ok(), "{url}");
    }
    for (url, sentence) in [
        ("h:6379", "is not the URL of a Redis; "),
        ("localhost", "is not the URL of a Redis; "),
        ("memcached://h", "is not the URL of a Redis; "),
        ("redis://", "names no host and no socket"),
        ("unix://", "names no host and no socket"),
    ] {
        let problems = told(&[("REDIS_URL", url)]);
        assert!(problems.contains(sentence), "{url}: {problems}");
    }
}

#[test]
fn urls_are_of_the_web() {
    for (variable, key) in [("API_BASE_URL", "upstream.base_url"), ("DEEPSEEK_API_URL", "llm.url"), ("OPENAPI_FILE", "openapi.file")] {
        let expected =
            format!("settings: 1 problem\n  {key}  is \"ftp://h/a\"; a URL that begins with http:// or https:// is needed  ({variable})");
        assert_eq!(told(&[(variable, "ftp://h/a")]), expected);
    }
    assert_eq!(load(&[("OPENAPI_FILE", "docs/a b.yaml")]).unwrap().openapi.file.as_deref(), Some("docs/a b.yaml"));
    for url in ["http://h/a?b=c", "http://h/a#b"] {
        assert!(told(&[("API_BASE_URL", url)]).contains("has a query or a fragment; paths cannot be added to it"));
    }
}

#[test]
fn a_credential_has_no_space_in_it() {
    for (variable, key) in [("API_TOKEN", "upstream.token"), ("DEEPSEEK_API_KEY", "llm.api_key")] {
        for secret in ["Bearer abc", "abc\n", "密钥"] {
            let sentence = "has white space or a character outside ASCII in it; the credential alone is needed";
            assert_eq!(told(&[(variable, secret)]), format!("settings: 1 problem\n  {key}  {sentence}  ({variable})"));
        }
    }
}

#[test]
fn a_time_within_another_is_not_longer() {
    for (small, large) in [
        ("server.drain_notice_ms", "server.drain_ms"),
        ("sessions.idle_secs", "sessions.max_secs"),
        ("upstream.connect_timeout_ms", "upstream.timeout_ms"),
    ] {
        assert!(load_file(&format!("{small} = 300\n{large} = 300")).is_ok());
        let told = told_of_file(&format!("{small} = 301\n{large} = 300"));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, small);
        assert!(told[0].1.starts_with(&format!("is 301; at most {large} is allowed, which is 300 (")), "{told:?}");
    }
    let expected = "settings: 1 problem\n  server.drain_notice_ms  is 30000; at most server.drain_ms is allowed, which is 25000 (the default; SAA_SERVER__DRAIN_MS)  (SAA_SERVER__DRAIN_NOTICE_MS)";
    assert_eq!(told(&[("SAA_SERVER__DRAIN_NOTICE_MS", "30000")]), expected);
}

#[test]
fn a_refused_number_contradicts_nothing() {
    let problems = load(&[("SAA_SESSIONS__MAX_SECS", "soon")]).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(), ["sessions.max_secs"]);
}

#[test]
fn a_mistyped_level_is_not_taken_for_a_target() {
    for level in ["inof", "warn,", "hyper=loud", "=debug", "a b=info", "info debug"] {
        assert!(told(&[("LOG_LEVEL", level)]).contains("trace, debug, info, warn, error or off is needed"), "{level}");
    }
    for level in ["off", "Info", "warn,hyper=error", "swagger_api_agent::store=trace, info"] {
        assert!(load(&[("LOG_LEVEL", level)]).is_ok(), "{level}");
    }
}

#[test]
fn serving_on_redis_needs_a_signing_key_and_other_commands_do_not() {
    let variables = [("REDIS_URL", "redis://h")];
    assert!(load(&variables).is_ok());
    let expected = "settings: 1 problem\n  auth.signing_key  is not set; with store.redis_url it is needed, the same for every replica: JWT_SECRET_KEY=$(openssl rand -hex 32)  (SAA_AUTH__SIGNING_KEY)";
    assert_eq!(Settings::load_for_serving(with(&variables)).unwrap_err().to_string(), expected);
    assert!(Settings::load_for_serving(with(&[])).is_ok());
    assert!(Settings::load_for_serving(with(&[variables[0], ("JWT_SECRET_KEY", &"k".repeat(32))])).is_ok());
}

#[test]
fn what_is_told_stays_on_its_line_and_is_not_endless() {
    let told = told(&[("SAA_SERVER__PORT", &format!("1\n  {}", "x".repeat(500)))]);
    assert_eq!(told.lines().count(), 2);
    assert!(told.contains("…") && told.len() < 250, "{told}");
    let told = told_of_file("\"a\\nb\" = 1");
    assert_eq!(pairs(&told), [("a\\nb", "is not a setting")]);
}

#[test]
fn a_text_with_a_control_character_is_refused() {
    assert!(told(&[("SAA_SERVER__HOST", "a\u{7}b")]).contains("server.host  has a control character in it"));
}

#[test]
fn what_belongs_to_a_redis_of_another_kind_is_refused() {
    let sealed = ("SAA_STORE__TLS_CA_FILE", "ca.pem");
    assert!(
        told(&[("REDIS_URL", "redis://h"), sealed])
            .contains("store.tls_ca_file  holds for nothing: store.redis_url does not begin with rediss")
    );
    assert!(told(&[sealed]).contains("store.tls_ca_file  holds for nothing"));
    assert!(load(&[("REDIS_URL", "rediss://h"), sealed]).is_ok());
    let half = told(&[("REDIS_URL", "rediss://h"), ("SAA_STORE__TLS_CERT_FILE", "cert.pem")]);
    assert!(half.contains("store.tls_key_file  is not set, but store.tls_cert_file is; both are needed, or neither"), "{half}");
    let alone = told(&[("REDIS_URL", "redis://h"), ("SAA_STORE__SENTINEL_PASSWORD", "hunter2")]);
    assert!(alone.contains("store.sentinel_password  holds for nothing: store.redis_url names no Sentinels"), "{alone}");
    let wrong = told(&[("REDIS_URL", "http://h"), sealed]);
    assert!(wrong.starts_with("settings: 1 problem\n"), "{wrong}");
}

#[test]
fn durable_needs_a_redis_and_an_end_within_its_deadline() {
    let durable = ("SAA_STORE__DURABILITY", "durable");
    assert!(told(&[durable]).contains("store.durability  holds for nothing: store.redis_url is not set"));
    let late = told(&[("REDIS_URL", "redis://h"), durable, ("SAA_STORE__TIMEOUT_MS", "200")]);
    assert!(late.contains("store.durable_timeout_ms  is 300; at most store.timeout_ms is allowed, which is 200"), "{late}");
    assert!(load(&[("REDIS_URL", "redis://h"), ("SAA_STORE__TIMEOUT_MS", "200")]).is_ok());
}
