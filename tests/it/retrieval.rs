//! How often the right function is among those that a model is given, on sentences in English and Chinese (`tests/quality/functions_*.jsonl`)
//! and on sentences of others. What is not here is skipped, and says so.

use crate::measure::{score, set};

/// Where a function must stand to be given to a model by the default settings, with room left for what comes up later.
const GIVEN: usize = 46;

#[test]
fn the_right_function_of_a_document_of_hundreds_is_given() {
    for name in ["office, en", "office, zh"] {
        let score = score(set(name), 1).unwrap();
        assert!(score.functions >= 300 && score.sought() >= 15, "{name}: {score:?}");
        assert!(score.recall(20) >= 0.95 && score.recall(1) >= 0.6, "{name}: {score:?}");
    }
}

#[test]
fn the_right_function_of_real_documents_is_given() {
    for name in ["real documents, en", "real documents, zh"] {
        let Some(score) = score(set(name), 1) else { return };
        assert!(score.sought() >= 30 && score.recall(10) >= 0.9 && score.recall(GIVEN) >= 0.95, "{name}: {score:?}");
    }
}

/// Sentences of others about one real document.
#[test]
fn sentences_of_others_find_their_function() {
    let Some(score) = score(set("GitHub, by others"), 1) else { return };
    assert!(score.functions > 1000 && score.sought() == 20 && score.recall(10) >= 0.95, "{score:?}");
}

/// Questions of a public leaderboard over all of its functions together.
#[test]
fn questions_of_a_leaderboard_find_their_function() {
    let Some(score) = score(set("BFCL simple_python"), 1) else { return };
    assert!(score.functions > 300 && score.sought() == 400 && score.recall(10) >= 0.95, "{score:?}");
}
