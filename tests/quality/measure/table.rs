//! The figures as a Markdown table, in English and Chinese, and its place in a document.

use swagger_api_agent::domain::language::Language;

use super::{Score, Set};

const BEGIN: &str = "<!-- written by tests/quality/run: begin -->";
const END: &str = "<!-- written by tests/quality/run: end -->";

/// A row for each set; of those that are not here it says so.
pub fn table(scores: &[(&Set, Option<Score>)], language: Language) -> String {
    let head = language.choose(
        "| set | functions | n | recall@1 | @5 | @10 | µs | operation right | understood | arguments right | wrong changes | µs |\n",
        "| 句集 | 函数 | n | 召回@1 | @5 | @10 | 微秒 | 操作正确 | 已理解 | 参数正确 | 错误更改 | 微秒 |\n",
    );
    let rows = scores.iter().map(|(set, score)| {
        let name = language.choose(set.name, set.chinese);
        match score {
            Some(score) => format!("| {name} | {} |\n", cells(score).join(" | ")),
            None => format!("| {name} | {}{}\n", language.choose("not here", "不在此处"), " |".repeat(11)),
        }
    });
    format!("{head}|---|{}\n{}", "---:|".repeat(11), rows.collect::<String>())
}

fn cells(score: &Score) -> Vec<String> {
    let share = |value: f64| format!("{value:.2}");
    let micros = |(mean, slowest): (u128, u128)| format!("{mean} ({slowest})");
    let mut cells = vec![score.functions.to_string(), score.sentences.to_string()];
    match score.sought() {
        0 => cells.extend(["–"; 3].map(str::to_owned)),
        _ => cells.extend([1, 5, 10].map(|at| share(score.recall(at)))),
    }
    cells.push(micros(score.looking_micros()));
    match &score.planned {
        Some(planned) => cells.extend([
            share(planned.share(planned.operation_right)),
            share(planned.share(planned.understood)),
            share(planned.share(planned.all_right)),
            planned.wrong_changes.to_string(),
            micros(planned.micros()),
        ]),
        None => cells.extend(["–"; 5].map(str::to_owned)),
    }
    cells
}

/// A document with this between its marks; none if it has no marks.
pub fn between_marks(document: &str, told: &str) -> Option<String> {
    let (head, rest) = document.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n\n{told}\n{END}{tail}"))
}
