//! Alertmanager (Swagger 2.0 with allOf, list bodies and date-times).

use serde_json::json;

use super::{address, call, service};
use crate::documents::specs;

#[tokio::test]
async fn alerts_and_silences_are_written_read_and_deleted() {
    let (Some(alertmanager), Some(specs)) = (address("ALERTMANAGER_URL"), specs()) else { return };
    let document = specs.join("alertmanager-swagger2.json").display().to_string();
    let bed = service(&document, Some(&alertmanager), |_| {}).await;

    let (status, told) = call(&bed, "getStatus", json!({})).await;
    assert_eq!((status, &told["cluster"]["status"]), (200, &json!("disabled")));

    let alert = json!({"labels": {"alertname": "proof & \"quotes\"", "severity": "page"}, "annotations": {"say": "北京 +1"}, "generatorURL": "http://up.test/x"});
    let (status, _) = call(&bed, "postAlerts", json!({"body": [alert]})).await;
    assert_eq!(status, 200);
    // The filter is a list that repeats its name, and its values are full of what has to be escaped.
    let filter = json!(["alertname=\"proof & \\\"quotes\\\"\"", "severity=~\"pa.+\""]);
    let (status, alerts) = call(&bed, "getAlerts", json!({"active": true, "silenced": false, "filter": filter})).await;
    assert_eq!(
        (status, &alerts[0]["labels"]["severity"], &alerts[0]["annotations"]["say"]),
        (200, &json!("page"), &json!("北京 +1")),
        "{alerts:#}"
    );
    let (_, none) = call(&bed, "getAlerts", json!({"filter": ["severity=\"none\""]})).await;
    assert_eq!(none, json!([]));

    let silence = json!({
        "matchers": [{"name": "alertname", "value": "other", "isRegex": false}],
        "startsAt": "2035-01-01T00:00:00Z", "endsAt": "2035-01-02T00:00:00Z", "createdBy": "ann", "comment": "proof",
    });
    let (status, made) = call(&bed, "postSilences", silence).await;
    let id = made["silenceID"].as_str().unwrap();
    assert_eq!(status, 200, "{made:#}");
    let (status, read) = call(&bed, "getSilence", json!({"silenceID": id})).await;
    assert_eq!((status, &read["comment"], &read["status"]["state"]), (200, &json!("proof"), &json!("pending")));
    let (status, _) = call(&bed, "deleteSilence", json!({"silenceID": id})).await;
    assert_eq!(status, 200);
    let (_, read) = call(&bed, "getSilence", json!({"silenceID": id})).await;
    assert_eq!(read["status"]["state"], "expired");
}

#[tokio::test]
async fn what_is_wrong_is_told_before_alertmanager_hears_of_it_or_by_alertmanager() {
    let (Some(alertmanager), Some(specs)) = (address("ALERTMANAGER_URL"), specs()) else { return };
    let document = specs.join("alertmanager-swagger2.json").display().to_string();
    let bed = service(&document, Some(&alertmanager), |_| {}).await;
    let refused = bed.as_admin().call("postSilences", json!({"matchers": [], "comment": 1})).await.refused(400, "invalid_parameters");
    let problems = refused["problems"].to_string();
    for name in ["matchers", "comment", "startsAt", "endsAt", "createdBy"] {
        assert!(problems.contains(name), "{name}: {problems}");
    }
    let (status, told) = call(&bed, "getAlerts", json!({"filter": ["no matcher at all"]})).await;
    assert_eq!(status, 400, "{told}");
    let (status, _) = call(&bed, "getSilence", json!({"silenceID": "00000000-0000-0000-0000-000000000000"})).await;
    assert_eq!(status, 404);
}
