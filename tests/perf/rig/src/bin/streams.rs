//! What streaming costs: a model that sends the time as its text, the service, and clients that look how late it arrives.
//!
//! `SERVICE_BINARY`, `REDIS_URL` and `OPENAPI_FILE` are taken from the environment. Prints a table.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use futures_util::{StreamExt, future::join_all, stream};
use rig::{Failure, Service, now_us, part};
use serde_json::{Value, json};

const USERS: usize = 200;

/// The model: so many pieces, so many microseconds apart, as the user's message says (`<pieces> <µs>`); each is the time at which it is sent.
async fn model(Json(asked): Json<Value>) -> Response {
    let said = asked["messages"].as_array().and_then(|all| all.iter().rev().find(|message| message["role"] == "user"));
    let said = said.and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned();
    let mut numbers = said.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let (pieces, every) = (numbers.next().unwrap_or(1), Duration::from_micros(numbers.next().unwrap_or(0)));
    let chunk = |delta: Value, finish: Value| {
        format!(
            "data: {}\n\n",
            json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        )
    };
    let began = tokio::time::Instant::now();
    let texts = stream::iter(0..pieces).then(move |n| async move {
        tokio::time::sleep_until(began + every * u32::try_from(n).unwrap_or(u32::MAX)).await;
        chunk(json!({"content": format!("{} ", now_us())}), Value::Null)
    });
    let last = stream::iter([chunk(json!({}), json!("stop")), "data: [DONE]\n\n".to_owned()]);
    let body = texts.chain(last).map(Ok::<_, std::convert::Infallible>);
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

/// When each piece was sent and when it came, of one stream of `data:` lines.
async fn read(response: reqwest::Response, text: fn(&Value) -> Option<&str>) -> Result<Vec<(u64, u64)>, Failure> {
    let mut bytes = response.error_for_status()?.bytes_stream();
    let (mut left, mut came) = (String::new(), Vec::new());
    while let Some(chunk) = bytes.next().await {
        left.push_str(std::str::from_utf8(&chunk?)?);
        let now = now_us();
        while let Some((line, rest)) = left.split_once('\n') {
            if let Some(data) = line.strip_prefix("data:")
                && let Ok(data) = serde_json::from_str::<Value>(data)
            {
                let sent = text(&data).unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok());
                came.extend(sent.map(|sent: u64| (sent, now)));
            }
            left = rest.to_owned();
        }
    }
    Ok(came)
}

fn of_model(data: &Value) -> Option<&str> {
    data["choices"][0]["delta"]["content"].as_str()
}

/// Only pieces: the whole answer comes again in `message` and `done`, under other names.
fn of_service(data: &Value) -> Option<&str> {
    data["text"].as_str()
}

async fn streamed(http: &reqwest::Client, base: &str, token: &str, message: &str) -> Result<Vec<(u64, u64)>, Failure> {
    let request = http.post(format!("{base}/api/process")).bearer_auth(token).header("accept", "text/event-stream");
    read(request.json(&json!({"message": message})).send().await?, of_service).await
}

fn lateness(came: &[(u64, u64)]) -> Vec<u64> {
    let mut late: Vec<u64> = came.iter().map(|(sent, came)| came.saturating_sub(*sent)).collect();
    late.sort_unstable();
    late
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let model_url = format!("http://{}", listener.local_addr()?);
    // As model servers do: what is sent is small, and must not wait for more.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/chat/completions", post(model))).await });

    let http = reqwest::Client::new();
    let service = Service::start(&http, &model_url, &[]).await?;
    let mut tokens = Vec::new();
    for n in 0..USERS {
        tokens.push(service.user(&http, &model_url, &format!("s{n:03}")).await?);
    }

    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for n in 0..300 {
        let asked = json!({"stream": true, "messages": [{"role": "user", "content": "1 0"}]});
        let began = now_us();
        let came = read(http.post(format!("{model_url}/v1/chat/completions")).json(&asked).send().await?, of_model).await?;
        direct.extend(came.first().map(|(_, came)| came - began));
        let began = now_us();
        let came = streamed(&http, &service.base, &tokens[n % 20], "1 0").await?;
        through.extend(came.first().map(|(_, came)| came - began));
    }
    direct.sort_unstable();
    through.sort_unstable();
    println!(
        "first piece, from the request on: the model {:.2} ms, through the service {:.2} ms (medians of 300), p99 {:.2} ms",
        part(&direct, 0.5),
        part(&through, 0.5),
        part(&through, 0.99)
    );

    let (ticks, began) = (service.ticks(), now_us());
    let came = streamed(&http, &service.base, &tokens[0], "5000 1000").await?;
    let (ticks, took) = (service.ticks() - ticks, (now_us() - began) as f64 / 1e6);
    let late = lateness(&came);
    println!(
        "one stream of {} pieces, 1,000 a second: {:.1} % of a core; late by {:.1} ms (median), {:.1} ms (p99)",
        came.len(),
        ticks as f64 / took,
        part(&late, 0.5),
        part(&late, 0.99)
    );

    let ticks = service.ticks();
    let began = now_us();
    let all = join_all(tokens.iter().map(|token| streamed(&http, &service.base, token, "500 10000"))).await;
    let (ticks, took) = (service.ticks() - ticks, (now_us() - began) as f64 / 1e6);
    let mut came = Vec::new();
    for one in all {
        came.extend(one?);
    }
    let late = lateness(&came);
    println!(
        "{USERS} streams at once, a piece each 10 ms: {} pieces in {took:.1} s, {:.0} % of a core; late by {:.1} ms (median), {:.1} ms (p99), {:.1} ms (the latest)",
        came.len(),
        ticks as f64 / took,
        part(&late, 0.5),
        part(&late, 0.99),
        part(&late, 1.0)
    );
    Ok(())
}
