//! A secret is never printed: not by problems, not by `config check`, not by `Debug`.

use super::{file, load, shown, with};
use crate::settings::{
    Settings,
    keys::{KEYS, Kind},
};

const SECRET: &str = "hunter2 hunter2 hunter2 hunter2 hunter2";

fn secret_keys() -> impl Iterator<Item = &'static crate::settings::keys::Key> {
    KEYS.iter().filter(|key| key.kind == Kind::Secret)
}

#[test]
fn these_are_secret() {
    let names = [
        "store.redis_url",
        "store.sealing_keys",
        "store.sentinel_password",
        "auth.signing_key",
        "auth.admin_password",
        "upstream.token",
        "upstream.token_for_changes",
        "llm.api_key",
        "llm.embeddings.api_key",
    ];
    assert_eq!(secret_keys().map(|key| key.name).collect::<Vec<_>>(), names);
}

#[test]
fn a_problem_with_a_secret_does_not_quote_it() {
    for key in secret_keys() {
        for value in [SECRET, "hunter2", "hunter2://h", "hunter2\n"] {
            if let Err(problems) = load(&[(key.variable().as_str(), value)]) {
                assert!(!format!("{problems} {problems:?}").contains("hunter2"), "{problems}");
            }
        }
        let (_file, path) = file(&format!("{} = [\"hunter2\"]", key.name));
        let problems = Settings::load(with(&[]).with_file(Some(path))).unwrap_err().to_string();
        assert!(problems.contains("is a list; a text is needed") && !problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_syntax_error_does_not_quote_its_line() {
    for line in ["signing_key = hunter2", "signing_key = \"hunter2", "signing_key = 'hunter2' hunter2", "signing_key = 9hunter2"] {
        let (_file, path) = file(&format!("[auth]\n{line}\n"));
        let problems = Settings::load(with(&[]).with_file(Some(path))).unwrap_err().to_string();
        assert!(problems.contains("cannot be read at line 2, column "), "{problems}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn a_secret_is_masked_where_settings_are_shown() {
    let settings = load(&[("JWT_SECRET_KEY", SECRET), ("REDIS_URL", "redis://:hunter2@h"), ("API_TOKEN", "hunter2")]).unwrap();
    assert_eq!(shown(&settings, "auth.signing_key"), ("********".to_owned(), "JWT_SECRET_KEY".to_owned()));
    assert_eq!(shown(&settings, "llm.api_key"), ("(not set)".to_owned(), "default".to_owned()));
    assert!(!format!("{settings:?} {:?}", settings.effective()).contains("hunter2"));
}

#[test]
fn a_url_is_shown_without_what_it_may_hide() {
    let settings = load(&[
        ("OPENAPI_FILE", "https://ann:hunter2@docs.example.com/openapi.json?key=hunter2"),
        ("API_BASE_URL", "https://hunter2@api.example.com:8443/v2"),
        ("DEEPSEEK_API_URL", "https://m/v1#hunter2"),
        ("SAA_LLM__EMBEDDINGS__MODEL", "m"),
        ("SAA_LLM__EMBEDDINGS__URL", "https://e/v1?key=hunter2"),
    ]);
    let settings = settings.unwrap();
    assert_eq!(shown(&settings, "openapi.file").0, "https://********@docs.example.com/openapi.json?********");
    assert_eq!(shown(&settings, "upstream.base_url").0, "https://********@api.example.com:8443/v2");
    assert_eq!(shown(&settings, "llm.url").0, "https://m/v1#********");
    assert_eq!(shown(&settings, "llm.embeddings.url").0, "https://e/v1?********");
    assert_eq!(settings.upstream.base_url.as_deref(), Some("https://hunter2@api.example.com:8443/v2"));
}

#[test]
fn a_wrong_url_is_quoted_without_what_it_may_hide() {
    for url in ["ftp://ann:hunter2@h/", "http://ann:hunter2/hunter2@h", "ann:hunter2@h", "http//ann:hunter2@h", "ws://h?t=hunter2"] {
        let problems = load(&[("API_BASE_URL", url)]).unwrap_err().to_string();
        assert!(problems.contains("; a URL that begins with http:// or https:// is needed"), "{problems}");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}

#[test]
fn sealing_keys_are_read_in_their_order() {
    let settings = load(&[(
        "SAA_STORE__SEALING_KEYS",
        " b:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=, a-1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI ",
    )]);
    let keys = settings.unwrap().store.sealing_keys;
    let told: Vec<_> = keys.iter().map(|key| (key.id.as_str(), secrecy::ExposeSecret::expose_secret(&*key.key)[0])).collect();
    assert_eq!(told, [("b", 1), ("a-1", 2)]);
    assert!(format!("{keys:?}").contains("REDACTED"));
}

#[test]
fn conversations_are_sealed_under_keys_of_the_operators_only() {
    let problems = load(&[("SAA_STORE__SEAL_CONVERSATIONS", "true")]).unwrap_err().to_string();
    assert!(problems.contains("store.sealing_keys is not set"), "{problems}");
    let key = ("SAA_STORE__SEALING_KEYS", "b:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    assert!(load(&[("SAA_STORE__SEAL_CONVERSATIONS", "true"), key]).unwrap().store.seal_conversations);
    assert!(!load(&[key]).unwrap().store.seal_conversations, "keys alone seal no conversation");
}

#[test]
fn every_wrong_sealing_key_is_told_by_its_position() {
    let good = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let text = format!("hunter2,a:hunter2,b.c:{good},d:hunter2!,e:{good},e:{good}");
    let problems = load(&[("SAA_STORE__SEALING_KEYS", text.as_str())]).unwrap_err().to_string();
    for sentence in
        ["key 1 that is not of the form id:key", "key 2 that", "key 3 that has no id of 1 to 32", "key 4 that is not base64", "key 6 twice"]
    {
        assert!(problems.contains(sentence), "{sentence}: {problems}");
    }
    assert!(!problems.contains("key 5"), "{problems}");
}
