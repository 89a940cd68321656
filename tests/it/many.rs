//! A document with more functions than a model is given at once, and rules that leave operations out.

use serde_json::{Map, Value, json};
use swagger_api_agent::{
    domain::{
        limits::FUNCTION_DESCRIPTION_CHARS_MAX,
        selection::{Rule, Selection},
    },
    settings::Settings,
};

use crate::harness::bed::{Bed, On};

/// What the document has beside the shop's own: a list, one and a new one of each.
const THINGS: [&str; 60] = [
    "galaxy",
    "planet",
    "comet",
    "crater",
    "nebula",
    "rocket",
    "probe",
    "orbit",
    "telescope",
    "antenna",
    "glacier",
    "volcano",
    "river",
    "canyon",
    "forest",
    "desert",
    "island",
    "harbor",
    "bridge",
    "tunnel",
    "castle",
    "temple",
    "museum",
    "theater",
    "stadium",
    "violin",
    "trumpet",
    "drum",
    "guitar",
    "piano",
    "painting",
    "statue",
    "poem",
    "novel",
    "opera",
    "ballet",
    "recipe",
    "spice",
    "cheese",
    "bread",
    "apple",
    "banana",
    "cherry",
    "walnut",
    "pepper",
    "tiger",
    "falcon",
    "dolphin",
    "beetle",
    "spider",
    "hammer",
    "ladder",
    "engine",
    "turbine",
    "battery",
    "compass",
    "lantern",
    "blanket",
    "curtain",
    "carpet",
];

/// The shop's document with nearly two hundred functions more.
pub fn with_many_functions(settings: &mut Settings) {
    let file = settings.openapi.file.clone().unwrap();
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let paths = document["paths"].as_object_mut().unwrap();
    for thing in THINGS {
        let upper = thing[..1].to_uppercase() + &thing[1..];
        let operation = |verb: &str, summary: &str| json!({"operationId": format!("{verb}{upper}"), "summary": summary, "tags": ["World"], "responses": {}});
        let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}]);
        paths.insert(
            format!("/world/{thing}"),
            json!({"get": operation("list", &format!("Every {thing}")), "post": operation("make", &format!("A new {thing}"))}),
        );
        paths.insert(format!("/world/{thing}/{{id}}"), json!({"parameters": id, "get": operation("one", &format!("One {thing}"))}));
    }
    let file = settings.store.data_dir.join("many.json");
    std::fs::write(&file, document.to_string()).unwrap();
    settings.openapi.file = Some(file.display().to_string());
}

/// The names of the tools of each request to the model.
pub fn given(bed: &Bed) -> Vec<Vec<String>> {
    let names = |request: &Value| {
        let tools = request["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
    };
    bed.llm.asked().iter().map(names).collect()
}

#[tokio::test]
async fn the_model_is_given_no_more_than_it_takes_and_what_is_asked_for_is_among_it() {
    let bed = Bed::with(On::Embedded, with_many_functions).await;
    let ann = bed.as_user("ann");
    for (message, function) in [
        ("show me all the users", "getUsers"),
        ("查询所有用户", "getUsers"),
        ("delete user 3", "deleteUser"),
        ("新建一个用户", "createUser"),
        ("which volcano is number 5?", "oneVolcano"),
    ] {
        bed.llm.says("Done.");
        ann.process(message).await.ok();
        let tools = given(&bed).pop().unwrap();
        assert!(tools.len() <= 64, "{} functions for {message:?}", tools.len());
        for wanted in [function, "search_functions", "describe_function"] {
            assert!(tools.iter().any(|name| name == wanted), "{wanted} for {message:?}: {tools:?}");
        }
    }
}

#[tokio::test]
async fn all_are_given_where_they_are_few() {
    let bed = Bed::on(On::Embedded).await;
    bed.llm.says("Done.");
    bed.as_user("ann").process("hello").await.ok();
    assert_eq!(given(&bed)[0], ["getBroken", "getReport", "getUsers", "createUser", "getUser", "deleteUser"]);
}

#[tokio::test]
async fn what_was_called_before_is_given_again_and_the_pinned_always() {
    let bed = Bed::with(On::Redis, |settings| {
        with_many_functions(settings);
        settings.agent.pinned = vec!["oneCarpet".to_owned(), "isNoFunction".to_owned()];
        settings.agent.tools_max = 20;
    })
    .await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("getReport", json!({"X-Region": "north"}))]).says("Three.").says("Of course.");
    ann.process("What does the report of the north region say?").await.ok();
    ann.process("Every violin, every trumpet, every drum, every guitar and every piano, please").await.ok();
    for tools in given(&bed) {
        assert!(tools.len() <= 20 && tools.contains(&"oneCarpet".to_owned()), "{tools:?}");
    }
    let last = given(&bed).pop().unwrap();
    for wanted in ["getReport", "listViolin", "listPiano"] {
        assert!(last.iter().any(|name| name == wanted), "{wanted}: {last:?}");
    }
}

#[tokio::test]
async fn a_short_answer_is_read_with_what_was_said_before() {
    let bed = Bed::with(On::Embedded, |settings| {
        with_many_functions(settings);
        settings.agent.tools_max = 12;
    })
    .await;
    let ann = bed.as_user("ann");
    bed.llm.says("Which one?").says("Here it is.");
    ann.process("I want to see a telescope").await.ok();
    ann.process("that with number 4").await.ok();
    let last = given(&bed).pop().unwrap();
    assert!(last.contains(&"oneTelescope".to_owned()), "{last:?}");
}

#[tokio::test]
async fn what_is_given_in_a_turn_stays_and_what_it_calls_is_added() {
    let bed = Bed::with(On::Embedded, |settings| {
        with_many_functions(settings);
        settings.agent.tools_max = 16;
    })
    .await;
    bed.llm
        .calls([("getUser", json!({"id": 1}))])
        .calls([("listCheese", json!({}))])
        .calls([("listSpiders", json!({}))])
        .says("That is all.");
    let answer = bed.as_user("ann").process("look at user 1 and more").await.ok();
    let rounds = given(&bed);
    for pair in rounds.windows(2) {
        assert!(pair[1].starts_with(&pair[0]), "{pair:#?}");
    }
    assert!(!rounds[0].contains(&"listCheese".to_owned()), "it was not there to be called: {rounds:#?}");
    assert!(rounds[2].contains(&"listCheese".to_owned()), "{rounds:#?}");
    // A name that there is not leads to those that it may have meant.
    assert!(rounds[3].contains(&"listSpider".to_owned()), "{rounds:#?}");
    assert!(rounds.iter().all(|tools| tools.len() <= 16));
    assert_eq!(answer["function_calls"].as_array().unwrap().len(), 3);
    assert_eq!(bed.upstream.log(), ["GET /users/1", "GET /world/cheese"]);
}

#[tokio::test]
async fn the_model_looks_for_functions_and_calls_what_it_found() {
    let bed = Bed::with(On::Embedded, |settings| {
        with_many_functions(settings);
        settings.agent.tools_max = 16;
    })
    .await;
    bed.llm
        .calls([("search_functions", json!({"query": "all dolphins", "limit": 2}))])
        .calls([("describe_function", json!({"name": "oneBeetle"})), ("describe_function", json!({"name": "oneBeetel"}))])
        .calls([("listDolphin", json!({})), ("search_functions", json!({"page": 3}))])
        .says("There are some.");
    let answer = bed.as_user("ann").process("hello there").await.ok();
    let rounds = given(&bed);
    assert!(!rounds[0].contains(&"listDolphin".to_owned()));
    assert!(rounds[1].contains(&"listDolphin".to_owned()), "{rounds:#?}");
    assert!(rounds[2].contains(&"oneBeetle".to_owned()), "{rounds:#?}");
    let heard: Vec<String> = bed.llm.heard().iter().filter_map(|line| line.strip_prefix("tool: ").map(str::to_owned)).collect();
    assert!(heard[0].contains("\"listDolphin\"") && heard[0].contains("Every dolphin"), "{heard:?}");
    assert!(heard[1].contains("One beetle") && heard[1].contains("\"parameters\""), "{heard:?}");
    assert!(heard[2].contains("oneBeetle"), "the near name: {heard:?}");
    assert!(heard[4].contains("`query` is missing") && heard[4].contains("page"), "{heard:?}");
    assert_eq!(bed.upstream.log(), ["GET /world/dolphin"], "looking sends nothing");
    let calls: Vec<(&Value, &Value)> =
        answer["function_calls"].as_array().unwrap().iter().map(|call| (&call["function_name"], &call["success"])).collect();
    assert_eq!(calls.len(), 5, "{answer:#}");
    assert_eq!(calls[0], (&json!("search_functions"), &json!(true)), "{answer:#}");
    // They are the planner's, not the API's.
    bed.as_user("ann").call("search_functions", json!({"query": "x"})).await.refused(404, "function_unknown");
}

#[tokio::test]
async fn a_function_is_described_no_longer_than_it_is_given() {
    let bed = Bed::with(On::Embedded, |settings| {
        with_many_functions(settings);
        let file = settings.openapi.file.clone().unwrap();
        let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        document["paths"]["/world/carpet/{id}"]["get"]["description"] = json!("long ".repeat(1000) + "END");
        std::fs::write(file, document.to_string()).unwrap();
    })
    .await;
    bed.llm.calls([("describe_function", json!({"name": "oneCarpet"}))]).calls([("oneCarpet", json!({"id": 4}))]).says("A carpet.");
    bed.as_user("ann").process("hello there").await.ok();
    let asked = bed.llm.asked();
    let told = asked[1]["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
    assert!(told.contains("One carpet") && told.contains("\"parameters\"") && told.contains('…') && !told.contains("END"), "{told}");
    let given = asked[1]["tools"].as_array().unwrap().iter().find(|tool| tool["function"]["name"] == "oneCarpet").unwrap();
    assert!(given["function"]["description"].as_str().unwrap().chars().count() <= FUNCTION_DESCRIPTION_CHARS_MAX);
    assert_eq!(bed.upstream.log(), ["GET /world/carpet/4"]);
}

#[tokio::test]
async fn looking_for_functions_costs_a_call() {
    let bed = Bed::with(On::Embedded, |settings| {
        with_many_functions(settings);
        settings.turns.calls_max = 1;
    })
    .await;
    let search = ("search_functions", json!({"query": "tiger"}));
    bed.llm.calls([search.clone(), search]).says("Enough.");
    let answer = bed.as_user("ann").process("find it").await.ok();
    let successes: Vec<&Value> = answer["function_calls"].as_array().unwrap().iter().map(|call| &call["success"]).collect();
    assert_eq!(successes, [&json!(true), &json!(false)]);
}

#[tokio::test]
async fn an_operation_that_is_left_out_is_no_function() {
    let rules = |texts: &[&str]| texts.iter().map(|text| Rule::parse(text).unwrap()).collect::<Vec<_>>();
    let bed = Bed::with(On::Embedded, |settings| {
        settings.openapi.selection =
            Selection { include: rules(&["path:/users", "path:/users/**", "tag:nothing"]), exclude: rules(&["method:delete"]) };
    })
    .await;
    let ann = bed.as_user("ann");
    for left_out in ["deleteUser", "getReport", "deleteUsers", "getReports"] {
        let refused = ann.call(left_out, json!({"id": 1})).await.refused(404, "function_unknown");
        let near = refused["near"].as_array().unwrap();
        assert!(!near.contains(&json!("deleteUser")) && !near.contains(&json!("getReport")), "{refused:#}");
    }
    let near = ann.call("getUsr", json!({"id": 1})).await.refused(404, "function_unknown");
    assert_eq!(near["near"], json!(["getUser", "getUsers"]));
    bed.llm.calls([("deleteUser", json!({"id": 1}))]).says("I cannot.");
    ann.process("delete user 1").await.ok();
    assert_eq!(given(&bed)[0], ["getUsers", "createUser", "getUser"]);
    assert!(bed.upstream.log().is_empty());
    let told = bed.as_admin().get("/api/admin/openapi").await.ok();
    let api = &told["apis"][0];
    assert_eq!((&api["operations"], &api["usable"], &api["filtered"]), (&json!(6), &json!(3), &json!(3)), "{api:#}");
    let filtered: Map<String, Value> = api["operations_filtered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["operation"].as_str().unwrap().to_owned(), one["rule"].clone()))
        .collect();
    assert_eq!(filtered["DELETE /users/{id}"], "exclude method:DELETE");
    assert_eq!(filtered["GET /report"], "no rule of include fits");
    assert_eq!(api["warning_texts"], json!(["no operation fits the rule tag:nothing"]));
}
