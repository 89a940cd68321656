//! `user …`: looks after accounts, straight in the store that the settings name.

use std::process::ExitCode;

use swagger_api_agent::{
    app::{Administration, account, open_store},
    clock::{Clock, rfc3339},
    domain::{
        audit::{Action, Deed},
        scope::Scopes,
        user::UserName,
    },
    secrets::{passwords, random},
    settings::{Settings, Sources},
    store::{
        Store,
        contract::{AccountChange, Added, StoreError},
        migrate::{Keyspace, Migrated},
    },
};

use super::{UserCommand, asked_password::asked_password, complain, note, say, settings_of};

pub fn run(sources: Sources, command: UserCommand) -> ExitCode {
    match settings_of(Settings::load(sources)) {
        Ok(settings) => super::block_on(apply(settings, command)),
        Err(code) => code,
    }
}

async fn apply(settings: Settings, command: UserCommand) -> Result<(), String> {
    if !matches!(command, UserCommand::Add { .. }) {
        super::store_is_there(&settings)?;
    }
    let store = super::opened(move || open_store(&settings, &Clock::System)).await?;
    usable(&store).await?;
    let away = |error: StoreError| error.to_string();
    match command {
        UserCommand::Add { user, role, scopes, password } => {
            if is_there(&store, &user.name).await? {
                return Err(exists(&user.name));
            }
            let mut account = account(&user.name, role, &asked_password(&user.name, password).await?);
            account.scopes = scopes.and_then(|scopes| scopes.0);
            match store.add_account(&account).await.map_err(away)? {
                Added::New => {
                    note(&store, Deed::new(Action::UserCreated).to(&user.name).with("role", role.as_str())).await;
                    say(&format!("{} was added as {}", user.name, role.as_str()));
                }
                Added::Exists => return Err(exists(&user.name)),
            }
        }
        UserCommand::List => {
            for account in store.accounts().await.map_err(away)? {
                let state = if account.disabled { "disabled" } else { "enabled" };
                let scopes = account.scopes.map_or_else(String::new, |scopes| format!("\tscopes {}", scopes.names().join(",")));
                say(&format!("{}\t{}\t{state}\tsince {}{scopes}", account.name, account.role.as_str(), rfc3339(account.created_ms)));
            }
        }
        UserCommand::Passwd { user, password } => {
            if !is_there(&store, &user.name).await? {
                return Err(unknown(&user.name));
            }
            let hash = passwords::hash(&asked_password(&user.name, password).await?).ok_or("the password cannot be hashed")?;
            change(&store, &user.name, AccountChange::Password(&hash), "has a new password; all tokens issued before are void").await?;
        }
        UserCommand::Role { user, role } => {
            change(&store, &user.name, AccountChange::Role(role), &format!("is {} now", role.as_str())).await?;
            tell_if_nobody_administers(&store).await?;
        }
        UserCommand::Scopes { user, scopes } => {
            let told = scopes.0.map_or_else(|| "the scopes of the role".to_owned(), told_scopes);
            change(&store, &user.name, AccountChange::Scopes(scopes.0), &format!("has {told} now")).await?;
        }
        UserCommand::Disable { user } => {
            change(&store, &user.name, AccountChange::Disabled(true), "is disabled; all tokens issued before are void").await?;
            tell_if_nobody_administers(&store).await?;
        }
        UserCommand::Enable { user } => change(&store, &user.name, AccountChange::Disabled(false), "is enabled").await?,
    }
    Ok(())
}

async fn change(store: &Store, user: &UserName, change: AccountChange<'_>, done: &str) -> Result<(), String> {
    match store.change_account(user, change).await.map_err(|e| e.to_string())? {
        true => {
            note(store, deed_of(user, change)).await;
            say(&format!("{user} {done}"));
        }
        false => return Err(unknown(user)),
    }
    Ok(())
}

/// An operator may shut out the last administrator, who may be an intruder; the next start wants another one.
async fn tell_if_nobody_administers(store: &Store) -> Result<(), String> {
    let accounts = store.accounts().await.map_err(|e| e.to_string())?;
    if let Some((told, advice)) = Administration::by(&accounts).lacking() {
        complain(&format!("now {told}: {advice}"));
    }
    Ok(())
}

/// Whether there is such a user, before anything is asked for.
async fn is_there(store: &Store, user: &UserName) -> Result<bool, String> {
    store.known(user).await.map(|known| known.account.is_some()).map_err(|e| e.to_string())
}

fn exists(user: &UserName) -> String {
    format!("there is a user {user} already")
}

fn unknown(user: &UserName) -> String {
    format!("there is no user {user}")
}

/// Scopes of a user's own, in words.
fn told_scopes(scopes: Scopes) -> String {
    if scopes.is_empty() { "no scopes".to_owned() } else { format!("the scopes {}", scopes.names().join(",")) }
}

/// What the audit log says of a change.
fn deed_of(user: &UserName, change: AccountChange<'_>) -> Deed {
    let deed = |action| Deed::new(action).to(user);
    match change {
        AccountChange::Password(_) => deed(Action::PasswordChanged),
        AccountChange::Role(role) => deed(Action::UserChanged).with("role", role.as_str()),
        AccountChange::Scopes(scopes) => {
            deed(Action::ScopesChanged).with("scopes", scopes.map_or_else(|| "of the role".to_owned(), Scopes::text))
        }
        AccountChange::MustChange(must) => deed(Action::UserChanged).with("must_change_password", must.to_string()),
        AccountChange::Disabled(true) => deed(Action::UserDisabled),
        AccountChange::Disabled(false) => deed(Action::UserEnabled),
    }
}

/// An empty keyspace is prepared; one of another schema is not touched.
async fn usable(store: &Store) -> Result<(), String> {
    match store.keyspace().await.map_err(|e| e.to_string())? {
        Keyspace::Current => Ok(()),
        Keyspace::Empty => match store.migrate(&random::hex_of(8)).await.map_err(|e| e.to_string())? {
            Migrated::Ran(_) => Ok(()),
            Migrated::Held | Migrated::Newer { .. } => Err("another process is preparing this keyspace at the moment".to_owned()),
        },
        Keyspace::Behind { schema } => Err(format!("the keyspace has schema {schema}; run `swagger-api-agent migrate` first")),
        Keyspace::Newer { schema } => Err(format!("the keyspace has schema {schema}, newer than this program's")),
    }
}
