//! Tokens: what a turn may use, a user in a day, all users together in a day. Before the model is asked, what it could need is set aside;
//! afterwards what it used is counted. Where nothing is bounded, nothing is done: no estimate, no round trip.

use futures_util::future::OptionFuture;
use tracing::warn;

use super::{App, AppError};
use crate::{
    agent::{Agent, Ask, Progress, Thought},
    clock,
    domain::{language::Language, limits::RESERVATION_MARGIN_MS, session::Usage, user::UserName},
    llm::{ModelError, Price},
    metrics::{self, metrics},
    secrets::random,
    settings::Budgets,
    store::contract::{
        StoreError,
        budgets::{Purse, Reservation, Reserved},
    },
};

/// Whose tokens of the day are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    User,
    /// Those of all users together.
    Service,
}

impl Whose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
        }
    }
}

/// Not enough tokens are left of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    pub whose: Whose,
    /// When there are new ones, milliseconds since 1970.
    pub resets_ms: u64,
    /// Until then, in milliseconds.
    pub left_ms: u64,
}

impl Exhausted {
    pub fn sentence(self, language: Language) -> String {
        let at = clock::rfc3339(self.resets_ms);
        match (self.whose, language) {
            (Whose::User, Language::English) => format!("Your token budget for today does not suffice; it is renewed at {at}."),
            (Whose::User, Language::Chinese) => format!("您今天的 token 额度不足，将于 {at} 恢复。"),
            (Whose::Service, Language::English) => {
                format!("The service's token budget for today does not suffice; it is renewed at {at}.")
            }
            (Whose::Service, Language::Chinese) => format!("本服务今天的 token 额度不足，将于 {at} 恢复。"),
        }
    }
}

/// What was set aside for one request to the model.
#[derive(Debug)]
pub(super) struct SetAside {
    user: UserName,
    price: Price,
    reservation: Reservation,
}

/// Whether the model may be asked.
pub(super) enum Allowed {
    /// With what was set aside, if anything is counted.
    Yes(Option<SetAside>),
    /// The turn could need more than it may use.
    TurnSpent,
}

/// What was used, as far as it is known.
pub(super) enum Used {
    /// The model's server counted.
    Counted(u64),
    /// It did not, and its answer had so many tokens.
    Answered(u64),
    /// Nothing came, but it may have been worked on.
    Unknown,
    /// It refused.
    Nothing,
}

impl App {
    /// Whether the planner may be asked for its next move; then what it could need is set aside.
    pub(super) async fn may_think(
        &self,
        user: &UserName,
        agent: &Agent<'_>,
        ask: &Ask<'_>,
        progress: &mut Progress,
    ) -> Result<Allowed, AppError> {
        let most = self.settings().turns.tokens_max;
        if most == 0 && !self.counts_days() {
            return Ok(Allowed::Yes(None));
        }
        let Some(price) = agent.price(ask, progress).await else { return Ok(Allowed::Yes(None)) };
        if most > 0 && progress.tokens.saturating_add(price.tokens()) > most {
            return Ok(Allowed::TurnSpent);
        }
        Ok(Allowed::Yes(Some(self.set_aside(user, price).await?)))
    }

    /// Counts what the planner's move used, in the turn and in the days.
    pub(super) async fn thought(&self, set_aside: Option<SetAside>, used: Used, progress: &mut Progress) {
        let Some(set_aside) = set_aside else { return };
        let used = set_aside.used(used);
        progress.tokens = progress.tokens.saturating_add(used);
        self.settle(&set_aside, used).await;
    }

    /// Sets tokens aside in every budget that there is, or in none.
    pub(super) async fn set_aside(&self, user: &UserName, price: Price) -> Result<SetAside, AppError> {
        let Budgets { user_tokens_per_day, tokens_per_day } = self.settings().budgets;
        let lasts_ms = self.settings().turns.deadline_ms.max(self.summary_ms_max()).saturating_add(RESERVATION_MARGIN_MS);
        let reservation = Reservation { id: random::hex_of(8), tokens: price.tokens(), lasts_ms };
        let reserve = |purse, per_day| (per_day > 0).then(|| self.store().reserve_tokens(purse, &reservation, per_day));
        let of_user = OptionFuture::from(reserve(Purse::User(user), user_tokens_per_day));
        let of_service = OptionFuture::from(reserve(Purse::Service, tokens_per_day));
        let (of_user, of_service) = tokio::join!(of_user, of_service);
        let refused = refusal(of_user, Whose::User).or_else(|| refusal(of_service, Whose::Service));
        let set_aside = SetAside { user: user.clone(), price, reservation };
        match refused {
            None => Ok(set_aside),
            Some(error) => {
                // What the other granted is not used. Of a reservation that may have been made nobody knows it lapses.
                self.settle(&set_aside, 0).await;
                Err(error)
            }
        }
    }

    /// Counts what was used of what was set aside. If the store is away, it lapses.
    pub(super) async fn settle(&self, set_aside: &SetAside, used: u64) {
        let SetAside { user, reservation, .. } = set_aside;
        let Budgets { user_tokens_per_day, tokens_per_day } = self.settings().budgets;
        let settle = |purse, per_day: u64| (per_day > 0).then(|| self.store().settle_tokens(purse, reservation, used));
        let of_user = OptionFuture::from(settle(Purse::User(user), user_tokens_per_day));
        let of_service = OptionFuture::from(settle(Purse::Service, tokens_per_day));
        let (of_user, of_service) = tokio::join!(of_user, of_service);
        for error in [of_user, of_service].into_iter().flatten().filter_map(Result::err) {
            warn!(%user, used, %error, "{used} tokens of {user} could not be counted: {error}");
        }
    }

    /// Whether tokens of a day are counted at all.
    pub(super) fn counts_days(&self) -> bool {
        let Budgets { user_tokens_per_day, tokens_per_day } = self.settings().budgets;
        user_tokens_per_day > 0 || tokens_per_day > 0
    }
}

fn refusal(reserved: Option<Result<Reserved, StoreError>>, whose: Whose) -> Option<AppError> {
    match reserved? {
        Ok(Reserved::Granted) => None,
        Ok(Reserved::Exhausted { resets_ms, left_ms }) => {
            metrics().budget_exhausted(match whose {
                Whose::User => metrics::Whose::User,
                Whose::Service => metrics::Whose::Service,
            });
            Some(AppError::BudgetExhausted(Exhausted { whose, resets_ms, left_ms }))
        }
        Err(error) => Some(error.into()),
    }
}

impl SetAside {
    pub fn used(&self, used: Used) -> u64 {
        match used {
            Used::Counted(tokens) => tokens,
            Used::Answered(tokens) => self.price.prompt_tokens.saturating_add(tokens),
            Used::Unknown => self.price.prompt_tokens,
            Used::Nothing => 0,
        }
    }
}

impl Used {
    /// What a move used; `before` is what the turn had used until then. What the offline planner thought cost nothing, and what a model
    /// that it took over from may have used is that of the model's error.
    pub fn of(thought: Option<&Result<Thought, ModelError>>, before: Option<Usage>, progress: &Progress) -> Self {
        let total = |usage: Option<Usage>| usage.map_or(0, |usage| usage.total_tokens);
        let Some(thought) = thought else { return Self::Unknown };
        match (progress.model_did(thought), thought) {
            (None, _) => Self::Nothing,
            (Some(Some(error)), _) | (Some(None), &Err(error)) => Self::of_error(error),
            (Some(None), Ok(_)) if total(progress.usage) > total(before) => Self::Counted(total(progress.usage) - total(before)),
            (Some(None), Ok(thought)) => Self::Answered(thought.tokens()),
        }
    }

    pub fn of_error(error: ModelError) -> Self {
        match error {
            ModelError::Unauthorized | ModelError::RateLimited { .. } | ModelError::ContextOverflow | ModelError::Refused(_) => {
                Self::Nothing
            }
            ModelError::Unavailable | ModelError::TimedOut | ModelError::Nonsense | ModelError::Empty => Self::Unknown,
        }
    }
}

/// What is said when a turn could need more than it may use.
pub(super) fn turn_spent(tokens_max: u64, language: Language) -> String {
    match language {
        Language::English => format!("The turn was stopped: it may use {tokens_max} tokens, and going on could need more."),
        Language::Chinese => format!("本次处理已停止：每次最多可使用 {tokens_max} 个 token，继续处理可能超出。"),
    }
}
