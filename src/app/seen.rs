//! What this replica has told its users of their sessions last: a store that knows less than that has lost what it acknowledged, and whoever
//! comes without `If-Match` is to hear of it as well.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tracing::warn;

use crate::domain::{
    limits::SEEN_USERS_MAX,
    session::{Revision, Since},
    user::UserName,
};

/// What was told of each user's session last, of the users who came last.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Generations>);

/// Two: when the younger one is full the older one is forgotten, so nothing has to be known of who came when.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<UserName, Told>,
    old: HashMap<UserName, Told>,
}

#[derive(Debug, Clone)]
struct Told {
    revision: Revision,
    /// What was lost since it was told, of which the user has not heard yet.
    lost: Option<Revision>,
}

impl Seen {
    /// What the user was told last, asked before the store is: others may be told more meanwhile.
    pub fn of(&self, user: &UserName) -> Option<Revision> {
        self.lock().get(user).map(|told| told.revision.clone())
    }

    /// A turn began with the session at `now`, and what was told `before` it may have been lost. Whoever is told of the session next hears of
    /// that: the turn itself may take the session to the very state that was lost.
    pub fn begun(&self, user: &UserName, before: Option<Revision>, now: &Revision) {
        if let Some(lost) = lost(before, now) {
            warn!(%user, known = %lost, stored = %now, "the store has lost what was told of {user}'s session: it was at {lost}, and is at {now}");
            self.lock().put(user, Told { revision: now.clone(), lost: Some(lost) });
        }
    }

    /// Remembers what the user is told now, and returns what was told `before`, if the store has lost some of it since and the user has not
    /// heard of it.
    pub fn tell(&self, user: &UserName, before: Option<Revision>, now: &Revision) -> Option<Revision> {
        self.begun(user, before, now);
        let mut seen = self.lock();
        let known = seen.get(user);
        let lost = known.and_then(|told| told.lost.clone());
        // Answers overtake each other: one that is behind takes nothing back.
        let overtaken = known.is_some_and(|told| told.revision.since(now) == Since::RolledBack);
        if lost.is_some() || !overtaken {
            seen.put(user, Told { revision: now.clone(), lost: None });
        }
        lost
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn get(&self, user: &UserName) -> Option<&Told> {
        self.young.get(user).or_else(|| self.old.get(user))
    }

    fn put(&mut self, user: &UserName, told: Told) {
        if self.young.len() >= SEEN_USERS_MAX && !self.young.contains_key(user) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(user.clone(), told);
    }
}

/// What was told before, if what is there now is less.
fn lost(before: Option<Revision>, now: &Revision) -> Option<Revision> {
    before.filter(|known| known.since(now) == Since::RolledBack)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Revision {
        Revision::parse(text).unwrap()
    }

    fn ann() -> UserName {
        UserName::new("ann").unwrap()
    }

    #[test]
    fn a_store_that_went_back_is_told_once() {
        let seen = Seen::default();
        assert_eq!(seen.tell(&ann(), seen.of(&ann()), &at("s1.5.3")), None);
        assert_eq!(seen.tell(&ann(), seen.of(&ann()), &at("s1.5.4")), None);
        assert_eq!(seen.tell(&ann(), seen.of(&ann()), &at("s1.5.3")), Some(at("s1.5.4")));
        assert_eq!(seen.tell(&ann(), seen.of(&ann()), &at("s1.5.3")), None);
    }

    #[test]
    fn a_turn_that_comes_to_the_state_that_was_lost_is_told_of_it() {
        let seen = Seen::default();
        seen.tell(&ann(), None, &at("s1.2.2"));
        let before = seen.of(&ann());
        seen.begun(&ann(), before.clone(), &at("s1.2.1"));
        assert_eq!(seen.tell(&ann(), before, &at("s1.2.2")), Some(at("s1.2.2")));
        assert_eq!(seen.tell(&ann(), seen.of(&ann()), &at("s1.2.2")), None);
    }

    #[test]
    fn an_answer_that_was_overtaken_is_no_loss() {
        let seen = Seen::default();
        seen.tell(&ann(), None, &at("s1.5.3"));
        let before = seen.of(&ann());
        assert_eq!(seen.tell(&ann(), before.clone(), &at("s1.6.4")), None);
        assert_eq!(seen.tell(&ann(), before, &at("s1.5.3")), None);
        assert_eq!(seen.of(&ann()), Some(at("s1.6.4")), "what was told meanwhile stays");
    }

    #[test]
    fn of_too_many_users_the_oldest_are_forgotten() {
        let seen = Seen::default();
        let users: Vec<UserName> = (0..=SEEN_USERS_MAX * 2).map(|n| UserName::new(&format!("u{n}")).unwrap()).collect();
        users.iter().for_each(|user| assert_eq!(seen.tell(user, None, &at("s1.1.1")), None));
        assert_eq!((seen.of(&users[0]), seen.of(users.last().unwrap())), (None, Some(at("s1.1.1"))));
        let kept = seen.lock();
        assert!(kept.young.len() + kept.old.len() <= SEEN_USERS_MAX * 2);
    }
}
