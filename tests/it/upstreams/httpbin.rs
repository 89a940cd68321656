//! httpbin, which says back what it was sent (Swagger 2.0, without a single operationId).

use serde_json::json;

use super::{address, call, service};

#[tokio::test]
async fn everything_that_httpbin_was_sent_comes_back() {
    let Some(httpbin) = address("HTTPBIN_URL") else { return };
    let bed = service(&format!("{httpbin}/spec.json"), Some(&httpbin), |_| {}).await;

    // Werkzeug shows the path half decoded: a letter as it is, what would change the address escaped.
    let (status, echo) = call(&bed, "get_anything_anything", json!({"anything": "a b/../ü?x=1#y"})).await;
    assert_eq!((status, &echo["url"]), (200, &json!(format!("{httpbin}/anything/a%20b/../ü%3Fx=1%23y"))), "{echo:#}");
    for method in ["delete", "patch", "post", "put"] {
        let (status, echo) = call(&bed, &format!("{method}_anything"), json!({})).await;
        assert_eq!((status, &echo["method"], &echo["data"]), (200, &json!(method.to_uppercase()), &json!("")));
        assert_eq!(echo["headers"].get("Content-Type"), None, "{echo:#}");
    }
    let (status, echo) = call(&bed, "get_cache", json!({"If-None-Match": "\"x\""})).await;
    assert_eq!((status, echo), (304, json!(null)));
    let (status, text) = call(&bed, "get_base64_value", json!({"value": "5YyX5Lqs"})).await;
    assert_eq!((status, text), (200, json!("北京")));
}

#[tokio::test]
async fn what_httpbin_refuses_is_an_answer_with_its_status() {
    let Some(httpbin) = address("HTTPBIN_URL") else { return };
    let bed = service(&format!("{httpbin}/spec.json"), Some(&httpbin), |_| {}).await;
    for code in ["204", "401", "404", "418", "500", "503"] {
        let (status, _) = call(&bed, "get_status_codes", json!({"codes": code})).await;
        assert_eq!(status.to_string(), code);
    }
    let (status, _) = call(&bed, "get_basic-auth_user_passwd", json!({"user": "ann", "passwd": "x"})).await;
    assert_eq!(status, 401);
    // A redirect is told and not followed.
    let reply = bed.as_admin().call("get_redirect_n", json!({"n": 1})).await.json();
    assert_eq!((&reply["success"], &reply["api_response"]["status_code"]), (&json!(false), &json!(302)), "{reply:#}");
}

#[tokio::test]
async fn a_token_is_what_httpbin_asks_for() {
    let Some(httpbin) = address("HTTPBIN_URL") else { return };
    let bed = service(&format!("{httpbin}/spec.json"), Some(&httpbin), |settings| settings.upstream.token = Some("a-token".into())).await;
    let (status, echo) = call(&bed, "get_bearer", json!({})).await;
    assert_eq!((status, echo), (200, json!({"authenticated": true, "token": "a-token"})));
}
