//! `POST …/embeddings`: texts go out, a direction for each comes back.

use serde::{Deserialize, Serialize};

use crate::domain::vector::Vector;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [&'a str],
    /// Some clients ask for base64 by default, so some servers wait to be told.
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Reply {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    /// Servers that have none answer in the order of the texts.
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoVectors {
    #[error("its answer is no list of embeddings")]
    NoList,
    #[error("it did not answer each text once")]
    Count,
    #[error("an embedding in its answer is no direction: it is empty, too long, all zero, or not finite")]
    NoDirection,
    #[error("its embeddings have different lengths")]
    Dimensions,
}

/// The body that asks for these texts.
///
/// # Errors
/// It could not be written.
pub fn ask(model: &str, texts: &[&str]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Request { model, input: texts, encoding_format: "float" })
}

/// The directions of so many texts, in their order. All have as many numbers.
///
/// # Errors
/// Why the answer cannot be used.
pub fn read(body: &[u8], texts: usize) -> Result<Vec<Vector>, NoVectors> {
    let Reply { data } = serde_json::from_slice(body).map_err(|_| NoVectors::NoList)?;
    if data.len() != texts {
        return Err(NoVectors::Count);
    }
    let mut placed: Vec<Option<Vector>> = vec![None; texts];
    for (at, Item { index, embedding }) in data.into_iter().enumerate() {
        let place = placed.get_mut(index.unwrap_or(at)).filter(|place| place.is_none()).ok_or(NoVectors::Count)?;
        *place = Some(Vector::of(&embedding).ok_or(NoVectors::NoDirection)?);
    }
    // As many as there are places, and none was filled twice.
    let vectors: Vec<Vector> = placed.into_iter().flatten().collect();
    let alike = vectors.iter().zip(vectors.iter().skip(1)).all(|(one, next)| one.dimensions() == next.dimensions());
    if alike { Ok(vectors) } else { Err(NoVectors::Dimensions) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_json(body: &Value, texts: usize) -> Result<Vec<Vector>, NoVectors> {
        read(body.to_string().as_bytes(), texts)
    }

    #[test]
    fn texts_are_asked_for_as_numbers() {
        let asked: Value = serde_json::from_slice(&ask("m", &["a\n", "订单"]).unwrap()).unwrap();
        assert_eq!(asked, json!({"model": "m", "input": ["a\n", "订单"], "encoding_format": "float"}));
    }

    #[test]
    fn each_text_gets_its_own_whatever_the_order() {
        let body = json!({"object": "list", "data": [
            {"object": "embedding", "index": 1, "embedding": [0, 1]},
            {"object": "embedding", "index": 0, "embedding": [1.5, 0]},
        ], "usage": {}});
        assert_eq!(read_json(&body, 2), Ok(vec![Vector::of(&[1.0, 0.0]).unwrap(), Vector::of(&[0.0, 1.0]).unwrap()]));
        let without = json!({"data": [{"embedding": [1]}, {"embedding": [-1]}]});
        assert_eq!(read_json(&without, 2), Ok(vec![Vector::of(&[1.0]).unwrap(), Vector::of(&[-1.0]).unwrap()]));
    }

    #[test]
    fn nonsense_is_told_apart_and_never_used() {
        let one = |embedding: Value| json!({"data": [{"index": 0, "embedding": embedding}]});
        for (body, why) in [
            (json!({"error": {"message": "no"}}), NoVectors::NoList),
            (json!([]), NoVectors::NoList),
            (one(json!("AAAA")), NoVectors::NoList),
            (one(json!([null, 1])), NoVectors::NoList),
            (one(json!([[1, 2]])), NoVectors::NoList),
            (json!({"data": []}), NoVectors::Count),
            (json!({"data": [{"index": 1, "embedding": [1]}]}), NoVectors::Count),
            (json!({"data": [{"index": -1, "embedding": [1]}]}), NoVectors::NoList),
            (one(json!([])), NoVectors::NoDirection),
            (one(json!([0, 0])), NoVectors::NoDirection),
            (one(json!([1e300, 1])), NoVectors::NoList),
            (one(vec![1; 5000].into()), NoVectors::NoDirection),
        ] {
            assert_eq!(read_json(&body, 1), Err(why), "{body}");
        }
        let pair = |one: Value, two: Value| json!({"data": [one, two]});
        let (short, long) = (json!({"index": 0, "embedding": [1]}), json!({"index": 1, "embedding": [1, 2]}));
        assert_eq!(read_json(&pair(short.clone(), long), 2), Err(NoVectors::Dimensions));
        assert_eq!(read_json(&pair(short.clone(), short), 2), Err(NoVectors::Count), "one twice, the other not at all");
        for body in [&b""[..], b"NaN", b"{\"data\":[{\"embedding\":[NaN]}]}", b"\xff"] {
            assert_eq!(read(body, 1), Err(NoVectors::NoList));
        }
    }
}
