//! What is said of the endpoints that stand in for the model's own.

use secrecy::ExposeSecret;

use super::{
    Fallback, apis,
    tables::{Notes, Part},
};
use crate::domain::limits::MODEL_FALLBACKS_MAX;

const FALLBACK: [&str; 4] = ["url", "api_key", "model", "headers"];

/// `[[llm.fallbacks]]`.
pub(super) fn fallbacks(whole: &Part<'_>, notes: &mut Notes) -> Vec<Fallback> {
    let mut fallbacks = Vec::new();
    for element in whole.few(MODEL_FALLBACKS_MAX, notes) {
        let Some(table) = element.table(&FALLBACK, notes) else { continue };
        let url = table.needed("url", notes, Part::url);
        let api_key = table.get("api_key").and_then(|part| {
            let key = part.secret(notes)?;
            // RFC 6750, 2.1, as for the key of the model's own endpoint.
            if !key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
                notes.refuse(&part.path, "has white space or a character outside ASCII in it; the credential alone is needed");
            }
            Some(key)
        });
        let model = table.get("model").and_then(|part| part.text(notes));
        let headers = table.get("headers").map(|part| apis::headers(&part, notes)).unwrap_or_default();
        fallbacks.push(Fallback { url: url.unwrap_or_default(), api_key, model, headers });
    }
    fallbacks
}
