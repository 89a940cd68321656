//! A client that reads a stream of server-sent events, one after the other.

use futures_util::{StreamExt, stream::BoxStream};
use serde_json::Value;

use super::COMES_WITHIN;

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

/// An open stream.
pub struct Events {
    bytes: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    read: Vec<u8>,
}

impl Events {
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { bytes: response.bytes_stream().boxed(), read: Vec::new() }
    }

    /// The next event; `None` when the stream has ended, or broke.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(COMES_WITHIN, self.read_one()).await.expect("an event, or an end, comes")
    }

    /// The next event, which has this name.
    pub async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name}"));
        assert_eq!(event.name, name, "{event:?}");
        event
    }

    /// Everything up to the event of this name.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut all = Vec::new();
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before {name}: {all:?}"));
            let found = event.name == name;
            all.push(event);
            if found {
                return all;
            }
        }
    }

    /// Everything to the end.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }

    async fn read_one(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(event) = parse(std::str::from_utf8(&block).expect("UTF-8")) {
                    return Some(event);
                }
            }
            self.read.extend_from_slice(&self.bytes.next().await?.ok()?);
        }
    }
}

/// An event; `None` for comments and hints.
fn parse(block: &str) -> Option<Event> {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(|value| value.trim_start().to_owned()));
    let data = field("data")?;
    let data = serde_json::from_str(&data).unwrap_or_else(|error| panic!("{error}: {data}"));
    let name = field("event").unwrap_or_else(|| "message".to_owned());
    super::declared::check_event(&name, &data);
    Some(Event { name, id: field("id"), data })
}

/// Names of events, with the text of pieces.
pub fn names(events: &[Event]) -> Vec<String> {
    let told = |event: &Event| match event.data["text"].as_str().filter(|_| event.name == "token") {
        Some(text) => format!("token {text}"),
        None => event.name.clone(),
    };
    events.iter().map(told).collect()
}
