//! Any text at all, in a path and in a query: it decodes to itself and never leaves its place.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::*;

fn catalogue() -> Catalogue {
    let parameter = |name: &str, place: &str| json!({"name": name, "in": place, "required": true, "schema": {"type": "string"}});
    one("get", "/users/{id}/things", json!({"parameters": [parameter("id", "path"), parameter("q", "query")]}))
}

/// Any small JSON value.
fn any_json() -> impl Strategy<Value = Value> {
    let text = ".{0,8}|[./\r\n;,]{0,3}".prop_map(Value::from);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let pairs = prop::collection::vec((".{0,4}|[./]{1,2}", inner), 0..4);
        prop_oneof![list, pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect()))]
    })
}

proptest! {
    #[test]
    fn any_value_in_any_style_stays_in_its_place(
        value in any_json(),
        explode: bool,
        in_path in prop::sample::select(vec!["simple", "label", "matrix"]),
        in_query in prop::sample::select(vec!["form", "spaceDelimited", "pipeDelimited", "deepObject"]),
    ) {
        let parameter = |name: &str, place: &str, style: &str| {
            json!({"name": name, "in": place, "style": style, "explode": explode, "required": place == "path", "schema": {}})
        };
        let parameters = [parameter("p", "path", in_path), parameter("q", "query", in_query), parameter("H", "header", "simple"), parameter("c", "cookie", "form")];
        let catalogue = one("get", "/a/{p}/b", json!({"parameters": parameters}));
        for name in ["p", "q", "H", "c"] {
            let mut given = arguments(json!({"p": "x"}));
            given.insert(name.to_owned(), value.clone());
            let Ok(request) = only(&catalogue).request(None, &given) else { continue };
            let url = Url::parse(&request.url).unwrap();
            let segments: Vec<&str> = url.path_segments().unwrap().collect();
            prop_assert_eq!((segments.len(), segments[0], segments[1], segments[3]), (4, "v1", "a", "b"));
            prop_assert!(!segments[2].is_empty() && url.fragment().is_none() && url.host_str() == Some("up.test"));
            for (_, text) in &request.headers {
                prop_assert!(text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)), "{:?}", text);
            }
        }
    }

    #[test]
    fn any_text_decodes_to_itself_within_the_template(id in ".{0,40}|[./%\\\\]{0,6}|\\PC{0,20}", q in any::<String>()) {
        let catalogue = catalogue();
        let given = json!({"id": id, "q": q});
        match only(&catalogue).request(None, &arguments(given)) {
            Ok(request) => {
                let url = Url::parse(&request.url).unwrap();
                prop_assert_eq!(url.as_str(), request.url.as_str());
                prop_assert_eq!(url.host_str(), Some("up.test"));
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!((segments[0], segments[1], segments[3]), ("v1", "users", "things"));
                prop_assert_eq!(percent_decode_str(segments[2]).decode_utf8().unwrap(), id);
                let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
                prop_assert_eq!(pairs, vec![("q".to_owned(), q)]);
                prop_assert_eq!(url.fragment(), None);
            }
            Err(_) => prop_assert!(matches!(id.as_str(), "" | "." | ".."), "{:?} was refused", id),
        }
    }
}
