//! Who administers at a start: as the settings say, else whoever there is, else (embedded only) somebody new.

use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use super::login::account;
use crate::{
    domain::user::{Account, Role, UserName},
    secrets::random,
    settings::Settings,
    store::{
        Store,
        contract::{Added, StoreError},
    },
};

/// The name of the administrator that a first start on the embedded store makes.
const FIRST_ADMIN: &str = "admin";

/// The administrator that a first start made.
pub struct FirstStart {
    pub user: UserName,
    /// Stored nowhere else.
    pub password: SecretString,
}

/// Whether somebody can sign in as an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administration {
    There,
    /// Nobody can, and this one could if it were enabled.
    Disabled(UserName),
    Nobody,
}

impl Administration {
    pub fn by(accounts: &[Account]) -> Self {
        let mut admins = accounts.iter().filter(|account| account.role == Role::Admin);
        match admins.clone().find(|account| !account.disabled).or_else(|| admins.next()) {
            Some(Account { disabled: false, .. }) => Self::There,
            Some(Account { name, .. }) => Self::Disabled(name.clone()),
            None => Self::Nobody,
        }
    }

    /// What is not as it should be, and what to do.
    pub fn lacking(&self) -> Option<(String, String)> {
        match self {
            Self::There => None,
            Self::Disabled(name) => Some((
                format!("no administrator can sign in: {name} is disabled"),
                format!("run `swagger-api-agent user enable {name}`, or `swagger-api-agent user add NAME --role admin`"),
            )),
            Self::Nobody => Some((
                "there is no administrator".to_owned(),
                "set WEB_API_USERNAME and WEB_API_PASSWORD, or run `swagger-api-agent user add NAME --role admin`".to_owned(),
            )),
        }
    }
}

/// Sees to it that there is an administrator. `Some` if one was made whose password nobody knows yet.
pub(super) async fn see_to(settings: &Settings, store: &Store) -> Result<Option<FirstStart>, String> {
    let away = |error: StoreError| format!("the administrator cannot be looked up: {error}");
    if let (Some(name), Some(password)) = (&settings.auth.admin_username, &settings.auth.admin_password) {
        let name = UserName::new(name).ok_or("auth.admin_username is no user name (SAA_AUTH__ADMIN_USERNAME)")?;
        see_to_named(store, &name, password.expose_secret()).await.map_err(away)?;
        return Ok(None);
    }
    let there = Administration::by(&store.accounts().await.map_err(away)?);
    let Some((told, advice)) = there.lacking() else { return Ok(None) };
    if settings.store.redis_url.is_some() || there != Administration::Nobody {
        return Err(format!("{told}: {advice}"));
    }
    let user = UserName::new(FIRST_ADMIN).ok_or("the first administrator has no name")?;
    let password = random::password();
    match make(store, &user, &password).await.map_err(away)? {
        Added::New => Ok(Some(FirstStart { user, password: password.into() })),
        // Its password is its owner's, who is no administrator.
        Added::Exists => Err(format!("{told}, and {user} is somebody else: run `swagger-api-agent user role {user} admin`, or `user add`")),
    }
}

/// The administrator whom the settings name. One that is there stays as it is: who changed its password or disabled it since meant it.
async fn see_to_named(store: &Store, name: &UserName, password: &str) -> Result<(), StoreError> {
    if let Some(there) = store.known(name).await?.account {
        if there.disabled || there.role != Role::Admin {
            let is = if there.disabled { "is disabled" } else { "is no administrator" };
            warn!(user = %name, "{name}, whom auth.admin_username names, {is}; the start leaves that so (`swagger-api-agent user --help`)");
        }
        return Ok(());
    }
    // Another replica starting at the same moment may have been first: then it is there, which is what is wanted.
    match make(store, name, password).await {
        // One that is lost with its Redis is made again by the next start.
        Ok(_) | Err(StoreError::NotDurable) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Hashing the password blocks.
async fn make(store: &Store, name: &UserName, password: &str) -> Result<Added, StoreError> {
    let (name, password) = (name.clone(), password.to_owned());
    let made = tokio::task::spawn_blocking(move || account(&name, Role::Admin, &password)).await.map_err(|_| StoreError::Unavailable)?;
    store.add_account(&made).await
}
