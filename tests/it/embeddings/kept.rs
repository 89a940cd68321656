//! What functions mean is asked for once: over restarts, replicas and documents that change.

use serde_json::{Value, json};

use super::{FUNCTION, MEANT, comes_to_be_given, embedded_by, stub};
use crate::{
    contract::on_both_stores,
    harness::{
        bed::{Bed, On},
        embeddings::StubEmbeddings,
    },
};

on_both_stores! {
    a_restart_asks_for_nothing_but_messages
    another_model_is_asked_anew
    of_a_changed_document_only_what_changed_is_asked_for
}

/// Functions of the document.
const FUNCTIONS: usize = 186;

/// The texts of functions that were asked for.
fn of_functions(stub: &StubEmbeddings) -> Vec<String> {
    stub.texts().into_iter().filter(|text| text.contains('\n')).collect()
}

async fn a_restart_asks_for_nothing_but_messages(on: On) {
    let stub = stub().await;
    let mut bed = Bed::with(on, embedded_by(&stub)).await;
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
    assert_eq!(of_functions(&stub).len(), FUNCTIONS);
    bed.restart(async |_| {}).await;
    let before = stub.texts().len();
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
    assert_eq!(stub.texts()[before..], [MEANT]);
}

async fn another_model_is_asked_anew(on: On) {
    let stub = stub().await;
    let mut bed = Bed::with(on, embedded_by(&stub)).await;
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
    bed.settings.llm.embeddings.model = Some("another".to_owned());
    bed.restart(async |_| {}).await;
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
    let asked = stub.asked();
    let of = |model: &str| asked.iter().filter(|asked| asked.model == model).map(|asked| asked.texts.len()).sum::<usize>();
    assert_eq!((of("meaning"), of("another")), (FUNCTIONS + 1, FUNCTIONS + 1), "with the message");
}

async fn of_a_changed_document_only_what_changed_is_asked_for(on: On) {
    let stub = stub().await;
    let bed = Bed::with(on, embedded_by(&stub)).await;
    let ann = bed.as_user("ann");
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    let before = of_functions(&stub).len();
    let file = bed.settings.openapi.file.as_ref().unwrap();
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    document["paths"]["/world/lantern"]["get"]["summary"] = json!("All that glows");
    document["paths"]["/world/candle"] = json!({"get": {"operationId": "listCandle", "summary": "Every candle", "responses": {}}});
    std::fs::write(file, document.to_string()).unwrap();
    let done = bed.as_admin().post("/api/admin/openapi/reload", json!({})).await.ok();
    assert_eq!((&done["changed"], &done["functions"]), (&json!(true), &json!(FUNCTIONS + 1)));
    comes_to_be_given(&bed, &ann, MEANT, FUNCTION).await;
    let mut asked = of_functions(&stub)[before..].to_vec();
    asked.sort();
    assert_eq!(asked, ["list candle\nEvery candle\nGET /world/candle", "list lantern\nAll that glows\nGET /world/lantern\nWorld"]);
}

#[tokio::test]
async fn replicas_that_start_together_ask_for_each_function_once() {
    let stub = stub().await;
    let bed = Bed::replicas(On::Redis, 2, embedded_by(&stub)).await;
    for replica in 0..2 {
        comes_to_be_given(&bed, &bed.at(replica).as_user("ann"), MEANT, FUNCTION).await;
    }
    let mut asked = of_functions(&stub);
    asked.sort();
    asked.dedup();
    assert_eq!((asked.len(), of_functions(&stub).len()), (FUNCTIONS, FUNCTIONS));
}

#[tokio::test]
async fn what_is_kept_of_another_model_with_the_same_name_is_asked_for_again() {
    let stub = stub().await;
    let mut bed = Bed::with(On::Embedded, embedded_by(&stub)).await;
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
    let before = of_functions(&stub).len();
    let file = bed.settings.openapi.file.clone().unwrap();
    // It has one direction more now, and one function is new.
    stub.grows();
    bed.restart(async |_| {
        let text = std::fs::read_to_string(&file).unwrap().replace("Every lantern", "All that glows");
        std::fs::write(&file, text).unwrap();
    })
    .await;
    comes_to_be_given(&bed, &bed.as_user("ann"), MEANT, FUNCTION).await;
    assert_eq!(of_functions(&stub)[before..].len(), FUNCTIONS);
}
