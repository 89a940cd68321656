//! Functions that fit what is said: by its words, and by what it means where that can be had.

use std::collections::HashMap;

use super::{Agent, Progress};
use crate::{
    domain::{limits::RANKED_FUNCTIONS_MAX, tool::ToolCall, vector::Vector},
    llm::{Embedder, Lookup},
    openapi::retrieve::{Meanings, Query, fused},
};

/// What it takes to find functions by what is meant.
#[derive(Debug, Clone, Copy)]
pub struct Meaning<'a> {
    pub embedder: &'a Embedder,
    pub functions: &'a Meanings,
}

impl Agent<'_> {
    /// The places of the functions that fit best, best first.
    pub(super) fn nearest(&self, query: &Query, meant: Option<&Vector>, count: usize) -> Vec<usize> {
        let by_words = |count| self.apis.index().nearest(query, count);
        match (meant, self.meaning) {
            (Some(meant), Some(Meaning { functions, .. })) => {
                let ranked = count.max(RANKED_FUNCTIONS_MAX);
                fused(&by_words(ranked), &functions.nearest(meant, ranked), count)
            }
            _ => by_words(count),
        }
    }

    /// What a message means, read with one before it, which counts so much. `None`: that cannot be had, or not in time.
    pub(super) async fn meant(&self, message: &str, before: Option<(&str, f32)>) -> Option<Vector> {
        let vectors = self.meant_by([Some(message), before.map(|(before, _)| before)].into_iter().flatten()).await?;
        match (vectors.as_slice(), before) {
            ([message, before], Some((_, weight))) => message.leaning(before, weight).or_else(|| Some(message.clone())),
            _ => vectors.into_iter().next(),
        }
    }

    /// What is meant by each of the searches among these calls, all asked for at once.
    pub(super) async fn meant_by_searches(&self, calls: &[ToolCall], progress: &Progress) -> HashMap<String, Vector> {
        let (Some(_), Some(tools)) = (self.meaning, &progress.offered) else { return HashMap::new() };
        let searched = |call| match tools.lookup(call)? {
            Ok(Lookup::Search { query, .. }) => Some(query),
            Ok(Lookup::Describe { .. }) | Err(_) => None,
        };
        let queries: Vec<String> = calls.iter().filter_map(searched).collect();
        if queries.is_empty() {
            return HashMap::new();
        }
        let vectors = self.meant_by(queries.iter().map(String::as_str)).await;
        queries.into_iter().zip(vectors.into_iter().flatten()).collect()
    }

    /// What each of these means, secrets taken out. `None`: that cannot be had, or not in time.
    async fn meant_by(&self, said: impl Iterator<Item = &str>) -> Option<Vec<Vector>> {
        let Meaning { embedder, functions } = self.meaning?;
        let hidden = self.hidden();
        let said: Vec<_> = said.map(|text| hidden.text(text)).collect();
        let said: Vec<&str> = said.iter().map(AsRef::as_ref).collect();
        embedder.sentences(&said, functions.dimensions(), self.budget.until).await
    }
}
