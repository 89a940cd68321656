//! What turns may cost in tokens: of a turn, of a user's day, of the day of all.

use serde_json::{Value, json};

use crate::harness::{
    bed::{Bed, On},
    client::Reply,
};

const DAY_SECS: u64 = 24 * 60 * 60;

/// A user may use so many tokens in a day; an answer is set aside 100 for.
async fn with_user_budget(on: On, tokens: u64) -> Bed {
    Bed::with(on, |settings| {
        settings.llm.max_tokens = Some(100);
        settings.budgets.user_tokens_per_day = tokens;
    })
    .await
}

/// That it is refused because of a budget, and all that is said of it.
fn refused(reply: &Reply, scope: &str) -> Value {
    let body = reply.refused(429, "budget_exhausted");
    assert_eq!(body["scope"], scope);
    let resets_at = body["resets_at"].as_str().expect("a time");
    assert!(resets_at.ends_with("T00:00:00Z") || resets_at.ends_with("T00:00:00.000Z"), "{resets_at}");
    assert!(body["error"].as_str().unwrap().contains(resets_at), "{body}");
    let retry_after: u64 = reply.header("retry-after").expect("when to come again").parse().unwrap();
    assert!((1..=DAY_SECS).contains(&retry_after), "{retry_after}");
    body
}

#[tokio::test]
async fn over_the_budget_nothing_is_done_and_the_time_of_the_next_is_told() {
    for on in [On::Redis, On::Embedded] {
        let bed = with_user_budget(on, 5000).await;
        let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
        bed.llm.says_for("Hello.", (4900, 90));
        ann.process("hi").await.ok();
        let body = refused(&ann.process("and again").await, "user");
        assert!(body["error"].as_str().unwrap().contains("Nothing was done"), "{body}");
        let chinese = refused(&ann.clone().reading_chinese().process("再来").await, "user");
        assert!(chinese["error"].as_str().unwrap().contains("额度不足"), "{chinese}");
        assert_eq!((bed.llm.asked().len(), bed.upstream.log().len()), (1, 0));
        assert_eq!(ann.history().await, ["user: hi", "assistant: Hello."], "it leaves no trace");
        bed.llm.says("Hello Bob.");
        bob.process("hi").await.ok();
        assert_eq!(ann.call("getUser", json!({"id": 1})).await.ok()["success"], true, "what needs no model goes on");
    }
}

#[tokio::test]
async fn an_idempotency_key_of_what_was_not_done_is_free() {
    let bed = with_user_budget(On::Redis, 10).await;
    let ann = bed.as_user("ann").with("idempotency-key", "k1");
    for _ in 0..2 {
        refused(&ann.process("hi").await, "user");
    }
}

/// A turn that the offline planner takes over costs what the model may have used before, and nothing when it took no work.
#[tokio::test]
async fn what_the_offline_planner_thinks_is_not_counted() {
    let bed = Bed::with(On::Redis, |settings| {
        settings.llm.max_tokens = Some(100);
        settings.budgets.user_tokens_per_day = 5000;
        settings.agent.offline_fallback = true;
        // Summaries have tokens set aside for them beside the turns.
        settings.agent.summaries = false;
    })
    .await;
    let ann = bed.as_user("ann");
    for _ in 0..3 {
        bed.llm.fails(429);
        assert_eq!(ann.process("list users").await.ok()["function_calls"][0]["function_name"], "getUsers");
    }
    assert_eq!(bed.upstream.log(), ["GET /users"; 3]);
    let counted: Vec<Option<String>> = bed.redis().command("HMGET", &[&bed.redis().key("tk", "ann"), "used", "held"]);
    assert!(counted.iter().flatten().all(|tokens| tokens == "0"), "{counted:?}");
}

#[tokio::test]
async fn the_budget_of_all_is_one_over_replicas_and_users() {
    let two = Bed::replicas(On::Redis, 2, |settings| {
        settings.llm.max_tokens = Some(100);
        settings.budgets.tokens_per_day = 5000;
        settings.budgets.user_tokens_per_day = 1_000_000;
    })
    .await;
    two.llm.says_for("Hello.", (2300, 100)).says_for("Hello.", (2300, 100));
    two.at(0).as_user("ann").process("hi").await.ok();
    two.at(1).as_user("bob").process("hi").await.ok();
    refused(&two.at(0).as_user("carol").process("hi").await, "service");
    refused(&two.at(1).as_user("ann").process("hi").await, "service");
    // What the user's own budget granted was given back.
    let held: Vec<String> = two.redis().command("HMGET", &[&two.redis().key("tk", "ann"), "used", "held"]);
    assert_eq!(held, ["2400", "0"]);
}

#[tokio::test]
async fn what_the_models_server_counts_is_counted() {
    let bed = with_user_budget(On::Redis, 1_000_000).await;
    let ann = bed.as_user("ann");
    bed.llm.calls_for([("getUsers", json!({}))], Some((300, 20))).says_for("Two.", (400, 30));
    ann.process("list users").await.ok();
    let counted = async || {
        let key = bed.redis().key("tk", "ann");
        bed.redis().command::<Vec<u64>>("HMGET", &[&key, "used", "held"])
    };
    assert_eq!(counted().await, [750, 0]);
    // What refuses costs nothing; what says nothing of it is estimated.
    bed.llm.answers_raw(400, "{}").says(&"word ".repeat(140));
    ann.process("go on").await.refused(503, "model_unavailable");
    assert_eq!(counted().await, [750, 0]);
    ann.process("go on").await.ok();
    let counted = counted().await;
    assert!((750 + 300..750 + 3000).contains(&counted[0]) && counted[1] == 0, "{counted:?}");
}

#[tokio::test]
async fn in_the_middle_of_a_turn_it_ends_with_what_it_has() {
    for (message, sentence) in [("list users", "Your token budget for today"), ("列出用户", "您今天的 token 额度不足")] {
        let bed = with_user_budget(On::Redis, 5000).await;
        let ann = bed.as_user("ann");
        bed.llm.calls_for([("getUsers", json!({}))], Some((4800, 20)));
        let answer = ann.process(message).await.ok();
        let told = answer["message"].as_str().unwrap();
        assert!(told.contains(sentence) && told.contains("T00:00:00") && told.contains("ann@example.com"), "{told}");
        let run = ann.get(&format!("/api/runs/{}", answer["run_id"].as_str().unwrap())).await.ok();
        assert_eq!((&run["run"]["state"], &run["run"]["error"]), (&json!("failed"), &json!("budget_exhausted")), "{run}");
        assert_eq!(ann.history().await.len(), 2);
    }
}

#[tokio::test]
async fn a_change_that_was_made_is_told_though_the_budget_is_used_up() {
    let bed = with_user_budget(On::Redis, 5000).await;
    let ann = bed.as_user("ann");
    bed.llm.calls_for([("createUser", json!({"name": "Ann", "email": "e@example.com"}))], Some((4800, 20)));
    let told = ann.process("create Ann").await.message();
    assert!(told.contains("Your token budget") && told.contains("/users"), "{told}");
    assert_eq!(bed.upstream.log(), ["POST /users"]);
}

#[tokio::test]
async fn whoever_does_not_wait_finds_it_in_the_conversation() {
    let bed = with_user_budget(On::Redis, 10).await;
    let ann = bed.as_user("ann");
    let run = ann.begins("hi", "reject").await;
    crate::harness::until("its end", async || ann.get(&format!("/api/runs/{run}")).await.ok()["run"]["state"] == "failed").await;
    let history = ann.history().await;
    assert!(history[1].contains("Your token budget for today does not suffice"), "{history:?}");
}

#[tokio::test]
async fn a_turn_may_use_so_many_tokens_and_no_more() {
    let bed = Bed::with(On::Redis, |settings| {
        settings.llm.max_tokens = Some(100);
        settings.turns.tokens_max = 5000;
    })
    .await;
    let ann = bed.as_user("ann");
    for (message, sentence) in [("list users", "it may use 5000 tokens"), ("列出用户", "每次最多可使用 5000 个 token")] {
        bed.llm.calls_for([("getUsers", json!({}))], Some((2000, 20))).calls_for([("getUsers", json!({"page": 2}))], Some((2500, 20)));
        let told = ann.process(message).await.message();
        assert!(told.contains(sentence) && told.contains("ann@example.com"), "{told}");
    }
    assert_eq!(bed.redis().command::<Vec<String>>("KEYS", &["saa:*tk*"]), [""; 0], "only days are kept in the store");
}

#[tokio::test]
async fn without_a_budget_a_turn_takes_two_round_trips_and_with_one_two_more_for_each_counter() {
    for (users, all, scripts) in [(0, 0, 2), (1_000_000, 0, 4), (1_000_000, 1_000_000, 6)] {
        let bed = Bed::with(On::Redis, |settings| {
            settings.budgets.user_tokens_per_day = users;
            settings.budgets.tokens_per_day = all;
        })
        .await;
        let ann = bed.as_user("ann");
        bed.llm.says("Hello.").says("Hello again.");
        ann.process("hi").await.ok();
        bed.redis().command::<()>("CONFIG", &["RESETSTAT"]);
        ann.process("hi again").await.ok();
        let stats: String = bed.redis().command("INFO", &["commandstats"]);
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("scripts ran");
        assert!(line.contains(&format!("calls={scripts},")), "{line}");
        let keys: Vec<String> = bed.redis().command("KEYS", &["saa:*:t[kr]*"]);
        assert_eq!(keys.len(), usize::from(users > 0) + usize::from(all > 0), "{keys:?}");
    }
}
