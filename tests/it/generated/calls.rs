//! Arguments that fit always make a request, and whoever reads that request by the specification gets the arguments back.

use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::{Map, Value, json};
use swagger_api_agent::openapi::{Catalogue, Operation as Callable, UpstreamRequest};
use url::form_urlencoded;

use super::{
    decode,
    document::{BASE, Body, Operation, Parameter, Place, Plan, Shape, any_plan},
    for_a_while,
};
use crate::exact::compare::read_parts;

#[test]
fn what_was_given_is_what_is_read_from_the_request() {
    for_a_while(&any_plan(), |plan| given_is_read(&plan));
}

fn given_is_read(plan: &Plan) -> TestCaseResult {
    let text = plan.document().to_string();
    let catalogue = Catalogue::read(&text, "api.json").map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert!(catalogue.report().set_aside.is_empty(), "{:#?}", catalogue.report().set_aside);
    prop_assert!(catalogue.report().warnings.is_empty(), "{:#?}", catalogue.report().warnings);
    for (at, operation) in plan.operations.iter().enumerate() {
        let callable = catalogue.operation(&format!("op{at}")).expect("the operation");
        let given = arguments(callable, operation);
        let request = match callable.request(None, &given) {
            Ok(request) => request,
            Err(problems) => return Err(TestCaseError::fail(format!("{given:?} was refused: {problems:#?}"))),
        };
        prop_assert_eq!(callable.request(None, &given), Ok(request.clone()), "the same bytes every time");
        parameters(operation, &request)?;
        body(&operation.body, &request)?;
    }
    Ok(())
}

/// The arguments under the names that the function gives them: those of the parameters first, in their order, then those of the body.
pub fn arguments(callable: &Callable, operation: &Operation) -> Map<String, Value> {
    let shown = callable.spec().parameters["properties"].as_object().expect("an object");
    let mut names = shown.keys().cloned();
    let mut given: Map<String, Value> =
        operation.parameters.iter().map(|parameter| (names.next().expect("a name"), parameter.value.clone())).collect();
    let rest: Vec<String> = names.collect();
    match &operation.body {
        Body::None => assert!(rest.is_empty(), "{rest:?}"),
        Body::Text(text) => drop(given.insert(rest[0].clone(), json!(text))),
        Body::Tree(tree) if rest.len() == 1 => drop(given.insert(rest[0].clone(), tree.clone())),
        Body::Tree(tree) => given.extend(tree.as_object().cloned().unwrap_or_default()),
        Body::Json(fields) | Body::Form(fields) | Body::Multipart(fields) => {
            let values = fields.iter().map(|(name, _, value)| (name.clone(), value.clone()));
            if rest.len() == 1 && shown[&rest[0]]["type"] == "object" {
                given.insert(rest[0].clone(), Value::Object(values.collect()));
            } else {
                assert_eq!(rest.len(), fields.len());
                given.extend(rest.into_iter().zip(values.map(|(_, value)| value)));
            }
        }
    }
    given
}

fn parameters(operation: &Operation, request: &UpstreamRequest) -> TestCaseResult {
    let target = request.url.strip_prefix(BASE).expect("below the base");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let in_place = |place: Place| operation.parameters.iter().filter(move |parameter| parameter.place == place);

    let mut segments = path.split('/').skip(2);
    for parameter in in_place(Place::Path) {
        same(parameter, decode::segment(parameter, segments.next().expect("a segment")))?;
    }
    prop_assert_eq!(segments.collect::<Vec<_>>(), ["end"]);

    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).expect("a pair"))
        .collect();
    for parameter in in_place(Place::Query) {
        same(parameter, decode::query(parameter, &mut pairs))?;
    }
    prop_assert!(pairs.is_empty(), "{pairs:?} were not asked for");

    let header = |name: &str| {
        request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    for parameter in in_place(Place::Header) {
        let sent = header(&parameter.name);
        prop_assert_eq!(sent.len(), 1);
        same(parameter, decode::header(parameter, sent[0]))?;
    }
    let sent = header("cookie");
    prop_assert!(sent.len() <= 1);
    let mut cookies: Vec<(String, String)> = sent
        .iter()
        .flat_map(|line| line.split("; "))
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).expect("a cookie"))
        .collect();
    for parameter in in_place(Place::Cookie) {
        same(parameter, decode::cookie(parameter, &mut cookies))?;
    }
    prop_assert!(cookies.is_empty(), "{cookies:?} were not asked for");
    let expected = in_place(Place::Header).count() + usize::from(in_place(Place::Cookie).count() > 0) + usize::from(request.body.is_some());
    prop_assert_eq!(request.headers.len(), expected, "{:?}", &request.headers);
    Ok(())
}

fn same(parameter: &Parameter, read: Value) -> TestCaseResult {
    prop_assert_eq!(&read, &parameter.value, "{:?}", parameter);
    Ok(())
}

fn body(body: &Body, request: &UpstreamRequest) -> TestCaseResult {
    let content_type = request.headers.iter().find(|(name, _)| name == "Content-Type").map(|(_, value)| value.as_str());
    let bytes = request.body.as_deref();
    match body {
        Body::None => prop_assert_eq!((content_type, bytes), (None, None)),
        Body::Text(text) => prop_assert_eq!((content_type, bytes), (Some("text/plain"), Some(text.as_bytes()))),
        Body::Tree(tree) => {
            prop_assert_eq!(content_type, Some("application/json"));
            prop_assert_eq!(&serde_json::from_slice::<Value>(bytes.unwrap_or_default()).expect("JSON"), tree);
        }
        Body::Json(fields) => {
            prop_assert_eq!(content_type, Some("application/json"));
            let read: Value = serde_json::from_slice(bytes.unwrap_or_default()).expect("JSON");
            prop_assert_eq!(read, Value::Object(fields.iter().map(|(name, _, value)| (name.clone(), value.clone())).collect()));
        }
        Body::Form(fields) => {
            prop_assert_eq!(content_type, Some("application/x-www-form-urlencoded"));
            same_fields(fields, form_urlencoded::parse(bytes.unwrap_or_default()).into_owned().collect())?;
        }
        Body::Multipart(fields) => {
            let parts = read_parts(bytes.unwrap_or_default(), content_type.expect("a content type"), "generated");
            // Browsers escape these three in a part's name (WHATWG HTML, 4.10.21.8).
            let name = |name: String| name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n");
            same_fields(fields, parts.into_iter().map(|part| (name(part.name), part.text.unwrap_or_default())).collect())?;
        }
    }
    Ok(())
}

fn same_fields(fields: &[(String, Shape, Value)], sent: Vec<(String, String)>) -> TestCaseResult {
    let mut sent = sent.into_iter();
    for (name, shape, value) in fields {
        let (kind, values) = match (shape, value) {
            (Shape::One(kind) | Shape::List(kind), Value::Array(items)) => (kind, items.as_slice()),
            (Shape::One(kind) | Shape::List(kind), one) => (kind, std::slice::from_ref(one)),
            (Shape::Object(_), _) => unreachable!("fields are scalars and lists"),
        };
        for value in values {
            let (own, text) = sent.next().expect("another field");
            // Line breaks of a form's text are its own; only the name is compared after the escapes were undone.
            prop_assert_eq!((&own, &kind.read(&text)), (name, value));
        }
    }
    prop_assert_eq!(sent.next(), None);
    Ok(())
}
