//! What a user of the lab says: a mark that names the turn, a canary that nobody else may see, and a small plan that the scripted model
//! carries out word for word.
//!
//! `mark=u07-12 canary=canary-u07-12; think 30; do: placeOrder ok 10, readItem ok 0; payOrder lost 5`: rounds after `do:` are separated by
//! semicolons, the calls of one by commas; a call is a function, what the upstream is to do with it, and for how many milliseconds.

use fastrand::Rng;

/// One call of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub function: String,
    /// ok; fail: answers 422 and changes nothing; lost: does it and closes without an answer; slow: answers after the service's patience.
    pub mode: String,
    pub wait_ms: u64,
}

/// What is to be done in a turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub mark: String,
    pub canary: String,
    /// How long the model thinks, in milliseconds.
    pub think_ms: u64,
    /// Empty: nothing is called.
    pub rounds: Vec<Vec<Step>>,
    /// The model never comes to an end: it reads one thing after another.
    pub endless: bool,
}

/// What stands in every text of a user, and nowhere else.
pub fn canary(user: &str) -> String {
    format!("canary-{user}-")
}

impl Plan {
    /// A plan made at random; about half of them change something.
    pub fn random(rng: &mut Rng, user: &str, mark: &str) -> Self {
        let canary = canary(user);
        let think_ms = if rng.u8(..) < 12 { 400 } else { rng.u64(0..40) };
        if rng.u8(..) < 2 {
            return Self { mark: mark.to_owned(), canary, think_ms: 0, rounds: Vec::new(), endless: true };
        }
        let rounds = (0..rng.usize(0..=3)).map(|_| (0..rng.usize(1..=2)).map(|_| Step::random(rng)).collect()).collect();
        Self { mark: mark.to_owned(), canary, think_ms, rounds, endless: false }
    }

    /// The plan as it is said.
    pub fn text(&self) -> String {
        let calls = |round: &Vec<Step>| {
            round.iter().map(|step| format!("{} {} {}", step.function, step.mode, step.wait_ms)).collect::<Vec<_>>().join(", ")
        };
        let rounds = self.rounds.iter().map(calls).collect::<Vec<_>>().join("; ");
        let rounds = if self.endless { "endless".to_owned() } else { rounds };
        format!("mark={} canary={}; think {}; do: {rounds}", self.mark, self.canary, self.think_ms)
    }

    /// Reads what was said; `None` if it is no plan.
    pub fn read(text: &str) -> Option<Self> {
        let (head, rounds) = text.split_once("; do:")?;
        let (names, think) = head.split_once("; think ")?;
        let (mark, canary) = names.split_once(" canary=")?;
        let mark = mark.split_once("mark=")?.1;
        let rounds = rounds.lines().next().unwrap_or_default().trim();
        let mut plan = Self { mark: mark.to_owned(), canary: canary.to_owned(), think_ms: think.trim().parse().ok()?, ..Self::default() };
        if rounds == "endless" {
            plan.endless = true;
            return Some(plan);
        }
        for round in rounds.split(';').filter(|round| !round.trim().is_empty()) {
            plan.rounds.push(round.split(',').map(Step::read).collect::<Option<_>>()?);
        }
        Some(plan)
    }
}

impl Step {
    fn random(rng: &mut Rng) -> Self {
        let function = ["readItem", "placeOrder", "placeOrder", "payOrder", "payOrder", "removeItem"][rng.usize(..6)];
        let mode = match rng.u8(..100) {
            0..=3 => "lost",
            4..=9 => "fail",
            10 => "slow",
            _ => "ok",
        };
        let wait_ms = if rng.u8(..) < 20 { rng.u64(100..400) } else { rng.u64(0..25) };
        Self { function: function.to_owned(), mode: mode.to_owned(), wait_ms }
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (function, mode, wait) = (words.next()?, words.next()?, words.next()?);
        Some(Self { function: function.to_owned(), mode: mode.to_owned(), wait_ms: wait.parse().ok()? })
    }
}

/// The marks of texts in which they are told, in order.
pub fn mark_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("mark=")?;
    Some(rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default().to_owned())
}

/// Another user's canary in a text.
pub fn foreign_canary(text: &str, user: &str) -> Option<String> {
    let own = canary(user);
    text.match_indices("canary-")
        .map(|(at, _)| &text[at..])
        .find(|rest| !rest.starts_with(&own))
        .map(|rest| rest.chars().take(24).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_read() {
        let mut rng = Rng::with_seed(7);
        for n in 0..500 {
            let plan = Plan::random(&mut rng, "u07", &format!("u07-{n}"));
            assert_eq!(Plan::read(&plan.text()), Some(plan.clone()));
            assert_eq!(mark_of(&plan.text()), Some(plan.mark));
        }
    }

    #[test]
    fn only_the_text_of_others_is_foreign() {
        assert_eq!(foreign_canary("x canary-u07-1 y canary-u07-2", "u07"), None);
        assert_eq!(foreign_canary("x canary-u07-1 y canary-u08-2", "u07").as_deref(), Some("canary-u08-2"));
    }
}
