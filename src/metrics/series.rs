//! Series of one name, one for each value of a label, held by place: whoever counts looks nothing up.

use std::marker::PhantomData;

use prometheus_client::{metrics::family::Family, registry::Registry};

use super::labels::Label;

/// What the registry takes: shared by whoever counts and whoever tells.
pub(super) trait Series:
    prometheus_client::encoding::EncodeMetric + prometheus_client::metrics::TypedMetric + Clone + std::fmt::Debug + Send + Sync + 'static
{
}

impl<M> Series for M where
    M: prometheus_client::encoding::EncodeMetric
        + prometheus_client::metrics::TypedMetric
        + Clone
        + std::fmt::Debug
        + Send
        + Sync
        + 'static
{
}

type Word = (&'static str, &'static str);

/// One series for each value of a label.
pub(super) struct By<L, M> {
    children: Vec<M>,
    label: PhantomData<fn(L)>,
}

impl<L: Label, M: Series> By<L, M> {
    /// `about` is the name, the help, and the name of the label.
    pub fn new(registry: &mut Registry, about: (&str, &str, &'static str), make: fn() -> M) -> Self {
        let (name, help, label) = about;
        let family: Family<[Word; 1], M, fn() -> M> = Family::new_with_constructor(make);
        let children = L::WORDS.iter().map(|word| family.get_or_create(&[(label, *word)]).clone()).collect();
        registry.register(name, help, family);
        Self { children, label: PhantomData }
    }

    #[expect(clippy::indexing_slicing, reason = "there is a child for each value of the label")]
    pub fn of(&self, label: L) -> &M {
        &self.children[label.place()]
    }
}

/// One series for each pair of values of two labels.
pub(super) struct By2<A, B, M> {
    children: Vec<M>,
    labels: PhantomData<fn(A, B)>,
}

impl<A: Label, B: Label, M: Series> By2<A, B, M> {
    /// `about` is the name, the help, and the names of the labels.
    pub fn new(registry: &mut Registry, about: (&str, &str, [&'static str; 2]), make: fn() -> M) -> Self {
        let (name, help, [first, second]) = about;
        let family: Family<[Word; 2], M, fn() -> M> = Family::new_with_constructor(make);
        let child = |a: &&'static str, b: &&'static str| family.get_or_create(&[(first, *a), (second, *b)]).clone();
        let children = A::WORDS.iter().flat_map(|a| B::WORDS.iter().map(move |b| (a, b))).map(|(a, b)| child(a, b)).collect();
        registry.register(name, help, family);
        Self { children, labels: PhantomData }
    }

    #[expect(clippy::indexing_slicing, reason = "there is a child for each pair of values of the labels")]
    pub fn of(&self, a: A, b: B) -> &M {
        &self.children[a.place() * B::WORDS.len() + b.place()]
    }
}
