//! What clients were answered: invariants 3, 11, 17.

use std::collections::BTreeSet;

use super::{Verdict, book::Book};
use crate::records::{Op, Try};

pub(super) fn check(book: &Book<'_>, verdict: &mut Verdict) {
    for op in &book.all.ops {
        if op.key.is_some() {
            one_answer(op, verdict);
        }
        for tried in &op.tries {
            let foreign = tried.foreign.as_ref();
            verdict.judge(11, foreign.map(|text| format!("{} was shown {text} (operation {})", op.user, op.id)));
            status(op, tried, verdict);
        }
    }
}

/// 3: the same request under the same key.
fn one_answer(op: &Op, verdict: &mut Verdict) {
    let own = || op.tries.iter().filter(|tried| !tried.changed);
    let answers: BTreeSet<&str> = own().filter(|tried| tried.is_final()).map(|tried| tried.answer.as_str()).collect();
    verdict.must(3, answers.len() <= 1, || format!("operation {} was answered in {} ways", op.id, answers.len()));
    let runs: BTreeSet<&str> = own().filter(|tried| matches!(tried.status, 200 | 202)).filter_map(|tried| tried.run.as_deref()).collect();
    verdict.must(3, runs.len() <= 1, || format!("operation {} was answered by the runs {runs:?}", op.id));
    let refused = own().find(|tried| tried.status == 422);
    verdict.judge(3, refused.map(|_| format!("operation {} was refused its own key", op.id)));
    for tried in op.tries.iter().filter(|tried| tried.changed) {
        let right = matches!(tried.status, 0 | 422 | 429 | 502 | 503 | 504);
        verdict.must(3, right, || format!("operation {}: another body under its key was answered with {}", op.id, tried.status));
    }
}

/// 17: what may be answered at all.
fn status(op: &Op, tried: &Try, verdict: &mut Verdict) {
    let lost = tried.status == 502 && tried.code == "replica_lost";
    let right = tried.status < 500 || matches!(tried.status, 503 | 504) || lost;
    verdict.must(17, right, || format!("operation {} was answered with {} {}", op.id, tried.status, tried.code));
    verdict.must(17, tried.status != 401, || format!("operation {}: a valid token was refused: {}", op.id, tried.code));
    let waits = matches!(tried.status, 429 | 503) || (tried.status == 409 && tried.code == "turn_in_progress");
    verdict.must(17, !waits || tried.retry_after, || format!("operation {}: {} {} without Retry-After", op.id, tried.status, tried.code));
}
