//! What administrators are told of the documents.

use serde_json::{Value, json};
use swagger_api_agent::settings::Api;

use crate::harness::{
    bed::{Bed, On},
    shape::has,
    upstream::StubUpstream,
};

/// `usable` operations with names of their own, and `unusable` ones that refer to nowhere.
fn document(usable: usize, unusable: usize) -> String {
    let mut paths = serde_json::Map::new();
    for at in 0..usable {
        paths.insert(format!("/good/{at:05}"), json!({"get": {"operationId": format!("good op {at}"), "responses": {}}}));
    }
    for at in 0..unusable {
        let nowhere = json!([{"$ref": "#/components/parameters/Missing"}]);
        paths.insert(format!("/bad/{at:05}"), json!({"get": {"operationId": format!("bad{at}"), "parameters": nowhere, "responses": {}}}));
    }
    json!({"openapi": "3.0.3", "info": {"title": "Many", "version": "7"}, "servers": [{"url": "https://many.test/v7"}], "paths": paths})
        .to_string()
}

#[tokio::test]
async fn every_api_is_told_with_its_counts_and_reasons() {
    let many = StubUpstream::start().await;
    many.describe(&document(3, 2));
    let api = Api { name: "many".to_owned(), file: Some(many.document().display().to_string()), ..Api::default() };
    let bed = Bed::with(On::Redis, |settings| settings.apis = vec![api]).await;
    let told = bed.as_admin().get("/api/admin/openapi").await.ok();
    has(&told, "fingerprint:text functions:count apis:list next_offset:null last_reload_failure:null user_id:text");
    assert_eq!(told["functions"], 9);
    let (shop, many) = (&told["apis"][0], &told["apis"][1]);
    has(shop, "title:text version:text openapi:text document:text fingerprint:text base_url:text served_since:time");
    assert_eq!((&shop["name"], &shop["title"], &shop["usable"], &shop["set_aside"]), (&json!(""), &json!("Shop"), &json!(6), &json!(0)));
    assert_eq!(shop["base_url"], bed.upstream.url);
    assert_eq!(many["base_url"], "https://many.test/v7");
    assert_eq!(
        (&many["operations"], &many["usable"], &many["set_aside"], &many["names_given"]),
        (&json!(5), &json!(3), &json!(2), &json!(3))
    );
    assert_eq!(many["operations_set_aside"][0]["operation"], "GET /bad/00000");
    assert!(many["operations_set_aside"][0]["reason"].as_str().unwrap().contains("Missing"), "{many:#}");
    let named = json!({"operation": "GET /good/00000", "operation_id": "good op 0", "name": "good_op_0"});
    assert_eq!(many["operations_named"][0], named);

    let only = bed.as_admin().get("/api/admin/openapi?api=many").await.ok();
    assert_eq!(only["apis"], json!([many]));
    let wrong = bed.as_admin().get("/api/admin/openapi?api=mny&limit=0").await.refused(400, "invalid_query");
    let problems = ["limit is \"0\"; a whole number from 1 to 1000 is needed", "api is \"mny\"; one of \"\", \"many\" is needed"];
    assert_eq!(wrong["problems"], json!(problems));
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let bed = Bed::on(On::Embedded).await;
    bed.upstream.describe(&document(1, 2500));
    bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    let mut told: Vec<Value> = Vec::new();
    let mut offset = Some(json!(0));
    while let Some(at) = offset {
        let page = bed.as_admin().get(&format!("/api/admin/openapi?limit=1000&offset={at}")).await.ok();
        told.extend(page["apis"][0]["operations_set_aside"].as_array().unwrap().iter().cloned());
        offset = Some(page["next_offset"].clone()).filter(|next| !next.is_null());
    }
    assert_eq!(told.len(), 2500);
    assert_eq!(told[2499]["operation"], "GET /bad/02499");
    let usual = bed.as_admin().get("/api/admin/openapi").await.ok();
    assert_eq!((usual["apis"][0]["operations_set_aside"].as_array().unwrap().len(), &usual["next_offset"]), (100, &json!(100)));
}
