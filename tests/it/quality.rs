//! How often the offline planner is right, on sentences written before it (`tests/quality/*.jsonl`) and on sentences of others, and that its
//! figures find their place in the documents.

use swagger_api_agent::{
    domain::{language::Language, session::Turn},
    llm::{Move, Prompt},
};

use crate::measure::{Functions, Planned, SETS, between_marks, score, set, table};

#[test]
fn the_demo_is_understood_in_english_and_chinese() {
    must_be_good("demo, en");
    must_be_good("demo, zh");
}

/// Written after the planner's first version and before it was tried on them: how far it carries beyond the sentences it was made with.
#[test]
fn more_sentences_are_understood_too() {
    must_be_good("demo, later, en");
    must_be_good("demo, later, zh");
}

/// Sentences about changes that are conditional, relative, for several records, denied or broken: none of them changes anything.
#[test]
fn what_is_no_plain_command_changes_nothing() {
    for name in ["no command, en", "no command, zh"] {
        assert_eq!(planned(name).wrong_changes, 0, "a changing call was guessed");
    }
}

/// Sentences of others about a document of more than a thousand operations.
#[test]
fn sentences_of_others_are_understood_and_change_nothing_wrongly() {
    let Some(score) = score(set("GitHub, by others"), 1) else { return };
    let planned = score.planned.unwrap();
    assert!(score.functions > 1000 && score.sentences == 20);
    assert_eq!(planned.wrong_changes, 0, "a changing call was guessed");
    assert!(planned.share(planned.operation_right) >= 0.6 && planned.understood >= planned.operation_right, "{planned:?}");
}

/// A row for every set, in both documents between marks that are there.
#[test]
fn the_table_finds_its_place_in_the_documents() {
    let scores = [(set("demo, en"), score(set("demo, en"), 1)), (set("BFCL simple_python"), None)];
    for (file, language, away) in [("QUALITY.md", Language::English, "not here"), ("QUALITY.zh-CN.md", Language::Chinese, "不在此处")] {
        let document = std::fs::read_to_string(format!("{}/docs/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let told = table(&scores, language);
        let rows: Vec<&str> = told.lines().collect();
        assert_eq!(rows.len(), 4, "{told}");
        assert!(rows.iter().all(|row| row.matches('|').count() == 13), "{told}");
        assert!(rows[2].contains("| 15 | 24 |") && rows[3].contains(away), "{told}");
        let written = between_marks(&document, &told).expect("marks");
        assert!(written.contains(&told) && written.starts_with(document.lines().next().unwrap()), "{file}");
        // Written a second time it takes the place of the first.
        assert_eq!(between_marks(&written, &told).unwrap(), written);
        for set in SETS {
            assert!(document.contains(&format!("| {} |", language.choose(set.name, set.chinese))), "{file} has no row of {}", set.name);
        }
    }
}

fn must_be_good(name: &str) {
    let score = score(set(name), 1).unwrap();
    let planned = score.planned.unwrap();
    assert!(score.sentences >= 20);
    assert_eq!(planned.wrong_changes, 0, "a changing call was guessed");
    assert!(planned.share(planned.operation_right) >= 0.9, "operations right: {planned:?}");
    assert!(planned.share(planned.all_right) >= 0.8, "operations and arguments right: {planned:?}");
}

fn planned(name: &str) -> Planned {
    score(set(name), 1).unwrap().planned.unwrap()
}

/// What was asked about is dropped by a refusal, and a number after "all of them" picks none.
#[test]
fn a_dropped_or_sweeping_request_is_not_completed() {
    let Functions { tools, offline, .. } = Functions::of_demo();
    let conversations: [&[&str]; 9] = [
        &["create a user named Bob", "forget it", "bob@x.example"],
        &["create a user named Bob", "cancel", "5"],
        &["update order 5", "cancel", "5"],
        &["创建用户 张三", "取消", "zhang@x.example"],
        &["创建用户 张三", "算了", "zhang@x.example"],
        &["delete a user", "no", "3"],
        &["delete all users", "3"],
        &["删除所有订单", "3"],
        &["remove every product", "number 3"],
    ];
    for messages in conversations {
        let mut history: Vec<Turn> = Vec::new();
        for message in messages {
            let plan = offline.plan(&Prompt { history: &history, ..Prompt::of(message, &tools) });
            let Move::Answer(answer) = plan.next else { panic!("{messages:?}: {message:?} called {:?}", plan.next) };
            println!("{message}\n    {}", answer.replace('\n', "\n    "));
            let (run, message) = ("r".into(), (*message).to_owned());
            history.push(Turn { run, asked_ms: 0, message, rounds: Vec::new(), answered_ms: 0, answer, usage: None, served: None });
        }
    }
}
