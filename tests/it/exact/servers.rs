//! Where a request goes when the operator names no base URL: the operation's server, else the path item's, else the document's.

use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    recorder::Recorder,
};

#[tokio::test]
async fn the_nearest_server_is_used_and_relative_ones_start_at_the_document() {
    let recorder = Recorder::start().await;
    let origin = format!("http://{}", recorder.address);
    let document = json!({
        "openapi": "3.0.3", "info": {"title": "N12", "version": "1"},
        "servers": [{"url": format!("{origin}/{{base}}"), "variables": {"base": {"default": "v1", "enum": ["v1", "v2"]}}}],
        "paths": {
            "/root": {"get": {"operationId": "root"}},
            "/item": {
                "servers": [{"url": format!("{origin}/x")}],
                "get": {"operationId": "item"},
                "post": {"operationId": "operation", "servers": [{"url": "/api/v3"}]},
                "put": {"operationId": "beside", "servers": [{"url": "v2"}]},
            },
        },
    });
    recorder.serve("/specs/o.json", &document.to_string());
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.file = Some(format!("{origin}/specs/o.json"));
        settings.upstream.base_url = None;
    });
    let bed = bed.await;
    for (function, target) in [("root", "/v1/root"), ("item", "/x/item"), ("operation", "/api/v3/item"), ("beside", "/specs/v2/item")] {
        let reply = bed.as_admin().call(function, Value::Object(serde_json::Map::new())).await;
        let seen: Vec<String> = recorder.take().into_iter().map(|raw| raw.target).collect();
        assert_eq!(seen, [target], "{function}: {}", reply.text());
    }
}

#[tokio::test]
async fn another_origin_of_the_document_is_called_when_the_operator_names_it() {
    let (near, far) = (Recorder::start().await, Recorder::start().await);
    let document = json!({
        "openapi": "3.0.3", "info": {"title": "N12", "version": "1"},
        "servers": [{"url": format!("http://{}/v1", near.address)}],
        "paths": {"/file": {"servers": [{"url": format!("http://{}/up", far.address)}], "put": {"operationId": "upload"}}},
    });
    near.serve("/o.json", &document.to_string());
    for allowed in [false, true] {
        let bed = Bed::with(On::Embedded, |settings| {
            settings.openapi.file = Some(format!("http://{}/o.json", near.address));
            settings.upstream.base_url = None;
            settings.upstream.token = Some("t0ken-of-the-api".into());
            settings.upstream.origins = if allowed { vec![format!("http://{}", far.address)] } else { Vec::new() };
        });
        let bed = bed.await;
        let reply = bed.as_admin().call("upload", json!({})).await;
        let seen: Vec<String> = far.take().into_iter().map(|raw| raw.target).collect();
        assert_eq!(seen, if allowed { vec!["/up/file"] } else { Vec::new() }, "{}", reply.text());
        assert_eq!(reply.text().contains("upstream.origins"), !allowed, "{}", reply.text());
    }
}
