//! Names of functions do not depend on the order of the document, nor on who reads it.

use serde_json::{Map, Value, json};
use swagger_api_agent::openapi::Catalogue;

use super::fixture::{Fixture, service};

#[tokio::test]
async fn a_shuffled_document_has_the_same_names() {
    let document = Fixture::read("n23_names").document;
    let names = |document: &Value| {
        let catalogue = Catalogue::read(&document.to_string(), "api.json").unwrap();
        let mut names: Vec<(String, String)> =
            catalogue.operations().iter().map(|operation| (operation.path().to_owned(), operation.name().to_owned())).collect();
        names.sort();
        names
    };
    let usual = names(&document);
    let mut distinct: Vec<&str> = usual.iter().map(|(_, name)| name.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 10, "{usual:#?}");
    for name in distinct {
        assert!((1..=64).contains(&name.len()), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'), "{name}");
    }
    let mut paths: Vec<(String, Value)> = document["paths"].as_object().unwrap().clone().into_iter().collect();
    for turn in 0..paths.len() {
        paths.rotate_left(1);
        if turn % 2 == 1 {
            paths.reverse();
        }
        let mut shuffled = document.clone();
        shuffled["paths"] = Value::Object(paths.iter().cloned().collect::<Map<_, _>>());
        assert_eq!(names(&shuffled), usual);
    }

    let (bed, recorder) = service(&document, "/v1").await;
    for (path, name) in &usual {
        bed.as_admin().call(name, json!({})).await.ok();
        assert_eq!(recorder.take()[0].target, format!("/v1{path}"), "{name}");
    }
}
