//! Texts that were made to become a line, a segment, a host or another argument: each stays the value it is, or is refused.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    compare::Sent,
    fixture::{service, yaml},
};
use crate::harness::{bed::Bed, recorder::Recorder};

pub const TABLE: &str = "bad_arguments";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    document: Value,
    rows: Vec<Row>,
}

/// How one text is written in each place; `None` where it is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    given: String,
    path: Option<String>,
    query: Option<String>,
    header: Option<String>,
    cookie: Option<String>,
}

#[tokio::test]
async fn a_bad_text_stays_the_value_it_is_or_is_refused() {
    let table: Table = yaml(TABLE);
    let (bed, recorder) = service(&table.document, "/v1").await;
    for row in &table.rows {
        let Row { given, path, query, header, cookie } = row;
        let line = |target: String| path_of(&target, "x");
        try_one(&bed, &recorder, json!({"p": given}), path.as_ref().map(|path| path_of("", path))).await;
        try_one(&bed, &recorder, json!({"p": "x", "q": given}), query.as_ref().map(|text| line(format!("?q={text}")))).await;
        try_one(&bed, &recorder, json!({"p": "x", "H": given}), header.as_ref().map(|text| format!("{}\nh: {text}", line(String::new()))))
            .await;
        try_one(
            &bed,
            &recorder,
            json!({"p": "x", "c": given}),
            cookie.as_ref().map(|text| format!("{}\ncookie: c={text}", line(String::new()))),
        )
        .await;
        let body = format!("{}\ncontent-type: application/json\n\n{}", line(String::new()), json!({"t": given}));
        try_one(&bed, &recorder, json!({"p": "x", "t": given}), Some(body)).await;
    }
}

fn path_of(query: &str, segment: &str) -> String {
    format!("POST /v1/a/{segment}/b{query}")
}

async fn try_one(bed: &Bed, recorder: &Recorder, with: Value, sends: Option<String>) {
    let told = with.to_string();
    let reply = bed.as_admin().call("take", with).await;
    let seen = recorder.take();
    match sends {
        Some(sends) => {
            assert_eq!((reply.status, seen.len()), (200, 1), "{told}: {}", reply.text());
            Sent::new(&seen[0], recorder.address, &told).is(&sends, None, None, None);
        }
        None => {
            assert_eq!(seen, [], "{told}");
            let refused = reply.refused(400, "invalid_parameters");
            assert_eq!(refused["problems"].as_array().unwrap().len(), 1, "{refused:#}");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_no_argument_is_refused_and_sent_nowhere() {
    let table: Table = yaml(TABLE);
    let (bed, recorder) = service(&table.document, "/v1").await;
    for name in ["", "..", "p_path", "Host", "__proto__", "q\r\nX", "q&x", "{p}", "P"] {
        let reply = bed.as_admin().call("take", json!({"p": "x", (name): "1"})).await;
        assert_eq!(recorder.take(), [], "{name:?}");
        let refused = reply.refused(400, "invalid_parameters");
        assert!(refused["problems"][0].as_str().unwrap().starts_with(&format!("`{name}` is not an argument of take")), "{refused:#}");
    }
    for body in ["[]", "null", "\"x\"", "{\"p\": \"\\ud800\"}", "{\"p\": 1e999}", "{\"p\": nope}"] {
        let ask = format!("{{\"function_name\": \"take\", \"parameters\": {body}}}");
        let reply = bed.as_admin().send(reqwest::Method::POST, "/api/call", "application/json", ask).await;
        assert_eq!(recorder.take(), [], "{body}");
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
}
