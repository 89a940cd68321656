//! What a request brought: path id, query or JSON body, read field by field with every problem kept.

use std::ops::RangeInclusive;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::shop::Id;

/// A refusal: a status and `{"error": …}`.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    sentence: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, sentence: sentence.into() }
    }

    /// 404 for a record that is not there.
    pub(super) fn missing(kind: &str, id: Id) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{kind} {id} does not exist"))
    }

    /// 409: well-formed, but not possible with the data as it is.
    pub(super) fn conflict(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, sentence)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.sentence }))).into_response()
    }
}

/// The id in a path.
pub(super) struct InPath(pub(super) Id);

impl<S: Send + Sync> FromRequestParts<S> for InPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let wrong = || Failure::new(StatusCode::BAD_REQUEST, format!("id: must be an integer from 1 to {}", Id::MAX));
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        text.parse().ok().filter(|id| *id >= 1).map(Self).ok_or_else(wrong)
    }
}

/// Named values of a query or a body. Each read takes its field away; [`Input::finish`] answers for what was wrong and what is left over.
#[derive(Debug)]
pub(super) struct Input {
    values: Map<String, Value>,
    problems: Vec<String>,
    /// 400 for a query, 422 for a body that is JSON.
    status: StatusCode,
}

/// The query of a request.
pub(super) struct InQuery(pub(super) Input);

impl<S: Send + Sync> FromRequestParts<S> for InQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|reason| Failure::new(StatusCode::BAD_REQUEST, format!("query: {reason}")))?;
        let mut input = Input { values: Map::new(), problems: Vec::new(), status: StatusCode::BAD_REQUEST };
        for (name, value) in pairs {
            if input.values.insert(name.clone(), Value::String(value)).is_some() {
                input.problems.push(format!("{name}: is given more than once"));
            }
        }
        Ok(Self(input))
    }
}

/// The JSON object in a request's body.
pub(super) struct InBody(pub(super) Input);

impl<S: Send + Sync> FromRequest<S> for InBody {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bad = |sentence: String| Failure::new(StatusCode::BAD_REQUEST, sentence);
        let sent_as = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = sent_as.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(bad("body: must be sent as application/json".to_owned()));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|reason| bad(format!("body: {reason}")))?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(values)) => Ok(Self(Input { values, problems: Vec::new(), status: StatusCode::UNPROCESSABLE_ENTITY })),
            Ok(_) => Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "body: must be an object")),
            Err(reason) => Err(bad(format!("body: is not JSON: {reason}"))),
        }
    }
}

impl Input {
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Keeps a problem with a field for the answer.
    pub(super) fn wrong(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// The fields that must be there.
    pub(super) fn require(&mut self, names: &[&str]) {
        for name in names {
            if !self.values.contains_key(*name) {
                self.wrong(name, "is required");
            }
        }
    }

    /// A text of so many characters, not only white space unless it may be empty.
    pub(super) fn text(&mut self, name: &str, chars: RangeInclusive<usize>) -> Option<String> {
        let value = self.values.remove(name)?;
        match value.as_str().map(str::trim) {
            Some(text) if chars.contains(&text.chars().count()) => Some(text.to_owned()),
            _ => {
                self.wrong(name, &format!("must be a text of {} to {} characters", chars.start(), chars.end()));
                None
            }
        }
    }

    /// Something like an e-mail address: one `@` with text before it and a dotted name after it.
    pub(super) fn email(&mut self, name: &str) -> Option<String> {
        let text = self.text(name, 3..=120)?;
        let good = text.split_once('@').is_some_and(|(local, domain)| {
            let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
            !local.is_empty()
                && !local.chars().any(|c| c.is_whitespace() || c.is_control())
                && domain.contains('.')
                && domain.split('.').all(label)
        });
        if !good {
            self.wrong(name, "must be an e-mail address");
        }
        good.then_some(text)
    }

    pub(super) fn integer(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.values.remove(name)?;
        let number = match &value {
            Value::String(text) if self.is_query() => text.parse().ok(),
            other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(name, &format!("must be an integer from {} to {}", range.start(), range.end()));
        }
        number
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let value = self.values.remove(name)?;
        let number = match &value {
            Value::String(text) if self.is_query() => text.parse().ok(),
            other => other.as_f64(),
        };
        let number = number.filter(|number: &f64| range.contains(number));
        if number.is_none() {
            self.wrong(name, &format!("must be a number from {} to {}", range.start(), range.end()));
        }
        number
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.values.remove(name)?;
        let flag = match &value {
            Value::String(text) if self.is_query() => text.parse().ok(),
            other => other.as_bool(),
        };
        if flag.is_none() {
            self.wrong(name, "must be true or false");
        }
        flag
    }

    /// One of the given words.
    pub(super) fn choice(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let value = self.values.remove(name)?;
        let word = value.as_str().and_then(|text| words.iter().copied().find(|word| *word == text));
        if word.is_none() {
            self.wrong(name, &format!("must be one of {}", words.join(", ")));
        }
        word
    }

    /// A day as `2026-03-01` (RFC 3339, full-date).
    pub(super) fn date(&mut self, name: &str) -> Option<String> {
        let value = self.values.remove(name)?;
        let text = value.as_str().filter(|text| is_full_date(text)).map(str::to_owned);
        if text.is_none() {
            self.wrong(name, "must be a date as 2026-03-01");
        }
        text
    }

    /// Refuses the request if anything was wrong or is unknown, with all of it in one sentence.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let unknown = self.values.keys().map(|name| format!("{name}: is not known here"));
        self.problems.extend(unknown);
        if self.problems.is_empty() { Ok(()) } else { Err(Failure::new(self.status, self.problems.join("; "))) }
    }

    fn is_query(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
    }
}

fn is_full_date(text: &str) -> bool {
    text.len() == "2026-03-01".len() && OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).is_ok()
}
