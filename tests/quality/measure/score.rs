//! How often the right function is found, how often it is planned, and what both take.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use swagger_api_agent::{
    domain::tool::Effect,
    llm::{Move, Prompt},
    openapi::retrieve::Query,
};

use super::{Functions, Sentence, Set};

/// How deep is looked.
const DEPTH: usize = 64;

/// What came of a set.
#[derive(Debug, Default)]
pub struct Score {
    pub sentences: usize,
    /// The largest number of functions that one of its sentences chooses from.
    pub functions: usize,
    /// By sentence that a function is right for: how many functions stand before it, if it was found.
    ranks: Vec<Option<usize>>,
    looking: Took,
    pub planned: Option<Planned>,
}

/// What the offline planner made of a set.
#[derive(Debug, Default)]
pub struct Planned {
    sentences: usize,
    /// Calls of the right function, or none where none is right.
    pub operation_right: usize,
    /// These, and where nothing was called the right function was named beside the question that was asked instead.
    pub understood: usize,
    /// The right function with exactly the right arguments, or none where none is right.
    pub all_right: usize,
    /// Changing calls that are not exactly right.
    pub wrong_changes: usize,
    took: Took,
}

/// Times of sentences, each the best of its repetitions: what else the machine does is not measured.
#[derive(Debug, Default)]
struct Took(Vec<Duration>);

impl Took {
    fn add<T>(&mut self, repetitions: u32, work: impl Fn() -> T) -> T {
        let mut best = Duration::MAX;
        for _ in 1..repetitions {
            let began = Instant::now();
            std::hint::black_box(work());
            best = best.min(began.elapsed());
        }
        let began = Instant::now();
        let made = work();
        self.0.push(best.min(began.elapsed()));
        made
    }

    fn micros(&self) -> (u128, u128) {
        let mean = self.0.iter().sum::<Duration>() / u32::try_from(self.0.len()).unwrap().max(1);
        (mean.as_micros(), self.0.iter().max().map_or(0, Duration::as_micros))
    }
}

impl Score {
    /// The share of sentences whose function stands among the first so many.
    pub fn recall(&self, at: usize) -> f64 {
        let found = self.ranks.iter().flatten().filter(|rank| **rank < at).count();
        found as f64 / self.ranks.len().max(1) as f64
    }

    /// Sentences that a function is right for.
    pub fn sought(&self) -> usize {
        self.ranks.len()
    }

    /// What looking takes, in microseconds: the mean of the sentences, and the slowest.
    pub fn looking_micros(&self) -> (u128, u128) {
        self.looking.micros()
    }
}

impl Planned {
    pub fn share(&self, right: usize) -> f64 {
        right as f64 / self.sentences.max(1) as f64
    }

    /// What planning takes, in microseconds: the mean of the sentences, and the slowest.
    pub fn micros(&self) -> (u128, u128) {
        self.took.micros()
    }
}

/// The figures of a set; none if it is not here. Prints what is late or wrong. Times are of so many repetitions.
pub fn score(set: &Set, repetitions: u32) -> Option<Score> {
    let parts = set.load()?;
    eprintln!("\n{}", set.name);
    let mut score = Score { planned: set.is_planned().then(Planned::default), ..Score::default() };
    for (functions, sentences) in &parts {
        score.functions = score.functions.max(functions.count());
        for sentence in sentences {
            for id in &sentence.right {
                assert!(functions.has(id), "{id} is no function");
            }
            score.sentences += 1;
            look(functions, sentence, repetitions, &mut score);
            if let Some(planned) = &mut score.planned {
                plan(functions, sentence, repetitions, planned);
            }
        }
    }
    Some(score)
}

fn look(functions: &Functions, sentence: &Sentence, repetitions: u32, score: &mut Score) {
    let found = score.looking.add(repetitions, || functions.index.nearest(&Query::of(&sentence.text), DEPTH));
    if sentence.right.is_empty() {
        return;
    }
    let rank = found.iter().position(|place| sentence.right.iter().any(|id| id == functions.id(*place)));
    if rank.is_none_or(|rank| rank >= 10) {
        let first: Vec<&str> = found.iter().take(3).map(|place| functions.id(*place)).collect();
        eprintln!("{:12} | {} → {}, not {}", format!("late {rank:?}"), sentence.text, sentence.right.join(" or "), first.join(", "));
    }
    score.ranks.push(rank);
}

fn plan(functions: &Functions, sentence: &Sentence, repetitions: u32, score: &mut Planned) {
    let Functions { tools, offline, .. } = functions;
    let prompt = Prompt::of(&sentence.text, tools);
    let next = score.took.add(repetitions, || offline.plan(&prompt)).next;
    let (called, named, shown) = match &next {
        Move::Answer(answer) => {
            assert!(answer.contains("ffline planner") || answer.contains("离线规划器"), "says what it is: {answer}");
            let told = ["I understood: **", "我的理解：**"].iter().find_map(|lead| answer.split_once(lead));
            let named = told.and_then(|(_, rest)| functions.named(rest.split("**").next()?));
            let shown: String = answer.lines().skip(1).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ");
            (None, named, format!("asks: {}", shown.chars().take(240).collect::<String>()))
        }
        Move::Calls { calls, .. } => {
            assert_eq!(calls.len(), 1);
            let arguments = calls[0].arguments.as_ref().expect("an object");
            let called = functions.named(&calls[0].name).expect("a function that there is");
            (Some((called, arguments)), Some(called), format!("{} {}", called.0, Value::Object(arguments.clone())))
        }
    };
    let is_right = |id: &str| sentence.right.iter().any(|right| right == id);
    let operation = called.map_or(sentence.right.is_empty(), |((id, _), _)| is_right(id));
    let right = operation && called.is_none_or(|(_, arguments)| same(arguments, sentence));
    let wrong_change = !right && called.is_some_and(|((_, function), _)| function.effect == Effect::Changing);
    score.sentences += 1;
    score.operation_right += usize::from(operation);
    score.understood += usize::from(operation || (called.is_none() && named.is_some_and(|(id, _)| is_right(id))));
    score.all_right += usize::from(right);
    score.wrong_changes += usize::from(wrong_change);
    let mark = match (right, operation, wrong_change) {
        (_, _, true) => "WRONG CHANGE",
        (true, ..) => "ok",
        (false, true, _) => "arguments",
        (false, false, _) => "operation",
    };
    eprintln!("{mark:12} | {:75} | {shown}", sentence.text);
}

/// Equal as JSON, numbers by value (34.90 is 34.9), what may be given or not left out.
fn same(given: &Map<String, Value>, sentence: &Sentence) -> bool {
    let plain = |value: &Map<String, Value>| {
        let number = |value: &Value| value.as_f64().map_or_else(|| value.clone(), |number| json!(number));
        let held = value.iter().filter(|(name, _)| !sentence.free.contains(name));
        held.map(|(name, value)| (name.clone(), number(value).to_string())).collect::<BTreeMap<_, _>>()
    };
    sentence.arguments.as_ref().is_none_or(|arguments| plain(given) == plain(arguments))
}
