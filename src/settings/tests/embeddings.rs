//! `[llm.embeddings]`: a section within a section.

use secrecy::ExposeSecret;

use super::{load, load_file, shown, told, told_of_file};

const URL: (&str, &str) = ("SAA_LLM__URL", "http://localhost:8080/v1");

#[test]
fn a_section_within_a_section_is_read_from_files_and_variables() {
    let settings = load_file(
        "[llm]\nurl = \"http://localhost:8080/v1\"\n[llm.embeddings]\nmodel = \"bge-m3\"\nurl = \"http://e.test/v1\"\n\
         api_key = \"hunter2\"\ntimeout_ms = 300\n",
    );
    let embeddings = settings.unwrap().llm.embeddings;
    assert_eq!((embeddings.model.as_deref(), embeddings.url.as_deref()), (Some("bge-m3"), Some("http://e.test/v1")));
    assert_eq!((embeddings.api_key.unwrap().expose_secret(), embeddings.timeout_ms), ("hunter2", 300));
    let settings = load(&[URL, ("SAA_LLM__EMBEDDINGS__MODEL", "m"), ("SAA_LLM__EMBEDDINGS__API_KEY", "hunter2")]).unwrap();
    assert_eq!(shown(&settings, "llm.embeddings.model"), ("m".to_owned(), "SAA_LLM__EMBEDDINGS__MODEL".to_owned()));
    assert_eq!(shown(&settings, "llm.embeddings.api_key").0, "********");
    assert!(load_file("[llm.embeddings]\n").unwrap().llm.embeddings.model.is_none(), "an empty section says nothing");
}

#[test]
fn what_holds_for_nothing_is_told() {
    let problems = told(&[("SAA_LLM__EMBEDDINGS__MODEL", "m")]);
    assert!(problems.contains("llm.embeddings.model  holds for nothing: llm.url is not set"), "{problems}");
    let problems = told(&[URL, ("SAA_LLM__EMBEDDINGS__URL", "http://h"), ("SAA_LLM__EMBEDDINGS__API_KEY", "hunter2")]);
    assert_eq!(problems.matches("holds for nothing: llm.embeddings.model is not set").count(), 2, "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");
}

#[test]
fn wrong_values_are_told() {
    let problems = told_of_file(
        "[llm]\nurl = \"http://h\"\n[llm.embeddings]\nmodel = \"m\"\nurl = \"ftp://h\"\napi_key = \"a b\"\ntimeout_ms = 1\nmodle = 1\n",
    );
    let told = |key: &str| problems.iter().find(|problem| problem.0 == key).map(|problem| problem.1.as_str()).unwrap_or_default();
    assert!(told("llm.embeddings.url").contains("http://"), "{problems:?}");
    assert!(told("llm.embeddings.api_key").contains("white space"), "{problems:?}");
    assert!(told("llm.embeddings.timeout_ms").contains("from 50 to 60000"), "{problems:?}");
    assert!(told("llm.embeddings.modle").contains("llm.embeddings.model is near"), "{problems:?}");
}
