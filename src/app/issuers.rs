//! People with tokens of others: their issuers' keys, and the accounts that they have here.
//!
//! A token is checked with keys that are kept; its issuer is asked when they are old or do not have the one that is named, and never more
//! often than a bound allows. Whoever comes for the first time gets an account without a password: what is kept of users (rates, revocations,
//! sessions) hangs on it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{App, AppError};
use crate::{
    domain::{
        audit::{Action, Deed},
        limits::{
            ISSUER_ANSWER_BYTES_MAX, ISSUER_ANSWERS_MS_MAX, ISSUER_ASKED_AGAIN_MS, ISSUER_KEYS_FRESH_MS, ISSUER_KEYS_STALE_MS,
            ISSUER_USER_KNOWN_MS, ISSUER_USERS_KNOWN_MAX,
        },
        user::{Account, Role, UserName},
    },
    outbound::{Headers, Outbound, Sending, Url, shown},
    secrets::{
        issuers::{self, IssuerKeys, NotAccepted, Outsider, Terms},
        tokens::{Bearer, TokenError},
    },
    settings,
    store::contract::{AccountChange, Added},
};

/// Tokens of one issuer that were found to be right lately. When there are more, all are forgotten and checked again.
const KNOWN_TOKENS_MAX: usize = 4096;

/// All issuers of the settings.
pub(super) struct Issuers {
    outbound: Outbound,
    all: Vec<Arc<Issuer>>,
    /// Whose accounts were seen to, as what, and when.
    users: Mutex<HashMap<UserName, (Option<Role>, Instant)>>,
}

struct Issuer {
    settings: settings::Issuer,
    keys: Mutex<Kept>,
    /// Held by whoever asks the issuer, with the time of the last asking.
    asking: tokio::sync::Mutex<Option<Instant>>,
}

/// What is known of an issuer; tokens with the keys that they were checked with.
#[derive(Default)]
struct Kept {
    keys: Option<(Arc<IssuerKeys>, Instant)>,
    tokens: HashMap<String, Arc<Outsider>>,
}

impl Issuers {
    /// Nothing is asked yet.
    pub fn new(outbound: Outbound, settings: &[settings::Issuer]) -> Self {
        let issuer = |settings: &settings::Issuer| {
            Arc::new(Issuer { settings: settings.clone(), keys: Mutex::default(), asking: tokio::sync::Mutex::default() })
        };
        let named = settings.iter().flat_map(|one| [Some(&one.issuer), one.keys_url.as_ref()]).flatten();
        // Where discovery says that keys are is the issuer's word, and not the operator's.
        named.filter_map(|url| Url::parse(url).ok()).for_each(|url| outbound.named_by_operator(&url));
        Self { outbound, all: settings.iter().map(issuer).collect(), users: Mutex::default() }
    }
}

impl Issuer {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn terms(&self) -> Terms<'_> {
        let settings::Issuer { id: _, issuer, keys_url: _, audience, user_claim, user_prefix, role_claim, admin_roles } = &self.settings;
        Terms { issuer, audience, user_claim, user_prefix, role_claim: role_claim.as_deref(), admin_roles }
    }

    /// Whom a token names, by keys that are as new as they have to be.
    async fn check(self: &Arc<Self>, outbound: &Outbound, token: &str) -> Result<Arc<Outsider>, AppError> {
        let keys = match self.old_keys() {
            Some((keys, age)) => {
                if age >= Duration::from_millis(ISSUER_KEYS_FRESH_MS) {
                    self.ask_beside(outbound);
                }
                keys
            }
            None => self.new_keys(outbound).await.ok_or(AppError::IssuerAway)?,
        };
        let known = self.kept().tokens.get(token).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        match issuers::check(token, &self.terms(), &keys) {
            Ok(outsider) => Ok(self.keep(token, outsider, &keys)),
            Err(NotAccepted::Invalid) => Err(AppError::BadToken(TokenError::Invalid)),
            Err(NotAccepted::UnknownKey) => {
                let keys = self.new_keys(outbound).await.ok_or(AppError::IssuerAway)?;
                let checked = issuers::check(token, &self.terms(), &keys);
                checked.map(|outsider| self.keep(token, outsider, &keys)).map_err(|_| AppError::BadToken(TokenError::Invalid))
            }
        }
    }

    fn keep(&self, token: &str, outsider: Outsider, checked_with: &Arc<IssuerKeys>) -> Arc<Outsider> {
        let outsider = Arc::new(outsider);
        let mut kept = self.kept();
        // Keys that came meanwhile may not have the one of this token.
        if kept.keys.as_ref().is_some_and(|(keys, _)| Arc::ptr_eq(keys, checked_with)) {
            if kept.tokens.len() >= KNOWN_TOKENS_MAX {
                kept.tokens.clear();
            }
            kept.tokens.insert(token.to_owned(), outsider.clone());
        }
        outsider
    }

    /// Keys that are good still, and how old they are.
    fn old_keys(&self) -> Option<(Arc<IssuerKeys>, Duration)> {
        let kept = self.kept();
        let (keys, age) = kept.keys.as_ref().map(|(keys, since)| (keys.clone(), since.elapsed()))?;
        (age < Duration::from_millis(ISSUER_KEYS_STALE_MS)).then_some((keys, age))
    }

    /// Asks the issuer for its keys while those that are there go on being used: an issuer that is slow or away holds nobody up.
    fn ask_beside(self: &Arc<Self>, outbound: &Outbound) {
        let (issuer, outbound) = (self.clone(), outbound.clone());
        if self.asking.try_lock().is_ok_and(|asked| may_ask(*asked)) {
            tokio::spawn(async move { issuer.new_keys(&outbound).await });
        }
    }

    /// The issuer's keys as it has them now, or was asked for them a moment ago; those that are there if it does not answer.
    async fn new_keys(&self, outbound: &Outbound) -> Option<Arc<IssuerKeys>> {
        let mut asked = self.asking.lock().await;
        if may_ask(*asked) {
            *asked = Some(Instant::now());
            let id = &self.settings.id;
            match self.ask(outbound).await {
                Ok(keys) => {
                    info!(issuer = id, keys = keys.count(), "the issuer {id} has {} keys that can be used", keys.count());
                    *self.kept() = Kept { keys: Some((Arc::new(keys), Instant::now())), tokens: HashMap::new() };
                }
                Err(why) => warn!(issuer = id, "the keys of the issuer {id} could not be had: {why}"),
            }
        }
        drop(asked);
        self.old_keys().map(|(keys, _)| keys)
    }

    async fn ask(&self, outbound: &Outbound) -> Result<IssuerKeys, String> {
        let settings = &self.settings;
        let url = match &settings.keys_url {
            Some(url) => url.clone(),
            None => {
                // OpenID Connect Discovery 1.0, 4.
                let place = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
                let told: Value = serde_json::from_str(&fetched(outbound, &place).await?).map_err(|_| format!("{place} is no JSON"))?;
                let member = |name: &str| told.get(name).and_then(Value::as_str);
                if member("issuer") != Some(settings.issuer.as_str()) {
                    return Err(format!("{place} is of another issuer; its issuer must be {}", settings.issuer));
                }
                let url = member("jwks_uri").ok_or_else(|| format!("{place} does not say where the keys are (jwks_uri)"))?;
                if url.starts_with("http://") && settings.issuer.starts_with("https://") {
                    return Err(format!("{place} says that the keys are at a place without https"));
                }
                url.to_owned()
            }
        };
        let text = fetched(outbound, &url).await?;
        IssuerKeys::read(&text).map_err(|why| format!("what was found there {why}"))
    }
}

fn may_ask(asked: Option<Instant>) -> bool {
    asked.is_none_or(|at| at.elapsed() >= Duration::from_millis(ISSUER_ASKED_AGAIN_MS))
}

async fn fetched(outbound: &Outbound, url: &str) -> Result<String, String> {
    let parsed = Url::parse(url).map_err(|_| "the address is not a URL".to_owned())?;
    let shown = shown(&parsed);
    let sending = Sending {
        method: "GET".to_owned(),
        url: parsed,
        headers: Headers::default(),
        body: None,
        deadline: Duration::from_millis(ISSUER_ANSWERS_MS_MAX),
        reply_bytes_max: ISSUER_ANSWER_BYTES_MAX,
    };
    let reply = outbound.send(sending).await.map_err(|error| format!("{shown}: {error}"))?;
    if reply.status != 200 {
        return Err(format!("{shown} answered {}", reply.status));
    }
    String::from_utf8(reply.body.into()).map_err(|_| format!("{shown} is not UTF-8 text"))
}

impl App {
    /// Whom a token names, ours or an issuer's. Revocation is found out by the store, with whatever the request does there.
    ///
    /// # Errors
    /// [`AppError::BadToken`]; [`AppError::IssuerAway`] if its issuer's keys cannot be had; and what the store has to say where an account is
    /// made or changed.
    pub async fn caller(&self, token: &str) -> Result<Bearer, AppError> {
        match self.bearer(token) {
            Err(TokenError::Invalid) if !self.0.issuers.all.is_empty() => self.outsider(token).await,
            known => known.map_err(AppError::BadToken),
        }
    }

    /// The issuer whose people have names like this, and what they begin with; none where an issuer's people have the names of users here.
    pub fn issuer_naming(&self, user: &UserName) -> Option<(&str, &str)> {
        let names = |issuer: &&Arc<Issuer>| {
            let prefix = &issuer.settings.user_prefix;
            !prefix.is_empty() && user.as_str().starts_with(prefix.as_str())
        };
        self.0.issuers.all.iter().find(names).map(|issuer| (issuer.settings.id.as_str(), issuer.settings.user_prefix.as_str()))
    }

    async fn outsider(&self, token: &str) -> Result<Bearer, AppError> {
        let issuers = &self.0.issuers;
        let named = issuers::named_issuer(token);
        let issuer = issuers.all.iter().find(|issuer| Some(&issuer.settings.issuer) == named.as_ref());
        let issuer = issuer.ok_or(AppError::BadToken(TokenError::Invalid))?;
        let outsider = issuer.check(&issuers.outbound, token).await?;
        outsider.is_good_at(self.now_ms()).map_err(AppError::BadToken)?;
        self.see_to_account(&outsider, &issuer.settings.id).await?;
        Ok(outsider.bearer.clone())
    }

    /// Sees to it that somebody from outside has an account, with the role that the issuer gives them if it gives any. One that was disabled
    /// stays so.
    async fn see_to_account(&self, outsider: &Outsider, issuer: &str) -> Result<(), AppError> {
        let (user, users) = (&outsider.bearer.user, &self.0.issuers.users);
        let known = |(role, since): &(Option<Role>, Instant)| {
            *role == outsider.role && since.elapsed() < Duration::from_millis(ISSUER_USER_KNOWN_MS)
        };
        if users.lock().unwrap_or_else(PoisonError::into_inner).get(user).is_some_and(known) {
            return Ok(());
        }
        let store = self.store();
        match store.known(user).await?.account {
            None => {
                let role = outsider.role.unwrap_or(Role::User);
                // Another replica may have been first, which is as good.
                let account = Account {
                    name: user.clone(),
                    role,
                    scopes: None,
                    disabled: false,
                    must_change: false,
                    password_hash: String::new(),
                    created_ms: self.now_ms(),
                };
                if store.add_account(&account).await? == Added::New {
                    self.note_deed(Deed::new(Action::UserCreated).to(user).with("issuer", issuer).with("role", role.as_str())).await;
                }
            }
            Some(account) => {
                if let Some(role) = outsider.role.filter(|role| *role != account.role) {
                    store.change_account(user, AccountChange::Role(role)).await?;
                    self.note_deed(Deed::new(Action::UserChanged).to(user).with("issuer", issuer).with("role", role.as_str())).await;
                }
            }
        }
        let mut users = users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() >= ISSUER_USERS_KNOWN_MAX {
            users.clear();
        }
        users.insert(user.clone(), (outsider.role, Instant::now()));
        Ok(())
    }
}
