//! Arguments that make no sense: a request or sentences, and never another address than the operation's.

use proptest::{collection::vec, prelude::*, test_runner::TestCaseResult};
use serde_json::{Map, Value};
use swagger_api_agent::openapi::{Catalogue, Operation as Callable};
use url::Url;

use super::{
    calls::arguments,
    document::{Plan, any_plan},
    for_a_while,
};

/// More sentences than this are counted and not listed.
const SENTENCES_MAX: usize = 51;

#[test]
fn any_arguments_make_a_request_of_the_operation_or_sentences() {
    let base = prop::sample::select(vec!["http://up.test:9000/v1", "https://up.test", "http://[::1]:8080/a/b/", "http://up.test/%7Bx%7D"]);
    let change = (any::<prop::sample::Index>(), prop_oneof![3 => any_json().prop_map(Some), 1 => Just(None)]);
    let cases = (any_plan(), base, vec(change, 1..4), vec((any::<String>(), any_json()), 0..2));
    for_a_while(&cases, |(plan, base, changes, more)| {
        let catalogue =
            Catalogue::read(&plan.document().to_string(), "api.json").map_err(|error| TestCaseError::fail(error.to_string()))?;
        for (at, operation) in plan.operations.iter().enumerate() {
            let callable = catalogue.operation(&format!("op{at}")).expect("the operation");
            let mut given = arguments(callable, operation);
            for (index, value) in &changes {
                let Some(name) = given.keys().nth(index.index(given.len().max(1))).cloned() else { continue };
                match value {
                    Some(value) => drop(given.insert(name, value.clone())),
                    None => drop(given.shift_remove(&name)),
                }
            }
            given.extend(more.iter().cloned());
            request_or_sentences(&plan, at, callable, base, &given)?;
        }
        Ok(())
    });
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[./%\\\\\r\n;,{}@?#=&]{0,5}"].prop_map(Value::from);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text,
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(Value::from);
        let pairs = vec((prop_oneof![any::<String>(), "[./\\[\\]]{0,3}"], inner), 0..4);
        prop_oneof![list, pairs.prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>()))]
    })
}

fn request_or_sentences(plan: &Plan, at: usize, callable: &Callable, base: &str, given: &Map<String, Value>) -> TestCaseResult {
    let request = match callable.request(Some(base), given) {
        Ok(request) => request,
        Err(sentences) => {
            prop_assert!((1..=SENTENCES_MAX).contains(&sentences.len()), "{} sentences", sentences.len());
            prop_assert!(sentences.iter().all(|sentence| sentence.trim().len() > 5), "{sentences:?}");
            return Ok(());
        }
    };
    prop_assert_eq!(callable.check(given), Ok(()));
    let (url, base) = (Url::parse(&request.url).expect("a URL"), Url::parse(base).expect("a URL"));
    prop_assert_eq!(url.as_str(), &request.url, "it goes out as it is");
    prop_assert_eq!((url.origin(), url.fragment(), url.username(), url.password()), (base.origin(), None, "", None));
    let below = url.path().strip_prefix(base.path().trim_end_matches('/')).expect("below the base");
    let (made, template) = (below.split('/').collect::<Vec<_>>(), plan.path(at));
    let fixed: Vec<&str> = template.split('/').collect();
    prop_assert_eq!(made.len(), fixed.len(), "{} of {}", below, template);
    for (made, fixed) in made.iter().zip(fixed) {
        prop_assert!(if fixed.starts_with('{') { !made.is_empty() } else { *made == fixed }, "{below} of {template}");
        prop_assert!(!matches!(made.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."), "{below}");
    }
    let mut names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    prop_assert_eq!(names.len(), request.headers.len(), "a header twice: {:?}", &request.headers);
    for (name, value) in &request.headers {
        prop_assert!(value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)), "{name}: {value:?}");
    }
    Ok(())
}
