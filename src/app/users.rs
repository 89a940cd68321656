//! Users, as whoever has the scopes sees and changes them. Nobody gives or changes what goes beyond their own scopes and role, and somebody
//! is left who may change users.

use super::{App, AppError, hashing::hashing, login};
use crate::{
    domain::{
        audit::{Action, Deed},
        scope::{Allowed, Scope, Scopes},
        user::{Account, Role, UserName},
    },
    secrets::{
        passwords,
        tokens::{Bearer, GoodFor},
    },
    store::contract::{AccountChange, AccountsPage, Added},
};

/// A user who is to be added. The password follows the rule.
#[derive(Debug)]
pub struct NewUser {
    pub name: UserName,
    pub password: String,
    pub role: Role,
    /// `None`: those of the role.
    pub scopes: Option<Scopes>,
    pub must_change: bool,
}

/// What is to change; what is `None` stays. A new password follows the rule.
#[derive(Debug, Default)]
pub struct UserChange {
    pub role: Option<Role>,
    /// `Some(None)`: those of the role.
    pub scopes: Option<Option<Scopes>>,
    pub disabled: Option<bool>,
    pub password: Option<String>,
    pub must_change: Option<bool>,
}

impl App {
    /// A page of all users, by name.
    ///
    /// # Errors
    /// Among others [`AppError::InsufficientScope`].
    pub async fn list_users(&self, caller: &Bearer, after: Option<&UserName>, limit: usize) -> Result<AccountsPage, AppError> {
        self.granted(caller, Scope::UsersRead).await?;
        Ok(self.store().accounts_after(after, limit).await?)
    }

    /// One user.
    ///
    /// # Errors
    /// Among others [`AppError::NoUser`].
    pub async fn look_at_user(&self, caller: &Bearer, user: &UserName) -> Result<Account, AppError> {
        self.granted(caller, Scope::UsersRead).await?;
        self.account(user).await
    }

    /// Adds a user.
    ///
    /// # Errors
    /// Among others [`AppError::UserExists`], and [`AppError::InsufficientScope`] or [`AppError::NotAdmin`] for what the caller lacks.
    pub async fn create_user(&self, caller: &Bearer, new: NewUser) -> Result<Account, AppError> {
        self.granted(caller, Scope::UsersWrite).await?;
        let NewUser { name, password, role, scopes, must_change } = new;
        self.covered(caller, Allowed { role, own: scopes }).await?;
        let user = name.clone();
        let account = hashing(self.hand().await?, move || login::account(&user, role, &password)).await?;
        let account = Account { scopes, must_change, ..account };
        if self.store().add_account(&account).await? == Added::Exists {
            return Err(AppError::UserExists { name: name.to_string() });
        }
        let deed = Deed::new(Action::UserCreated).by(&caller.user).to(&name).with("role", role.as_str());
        self.note_deed(if scopes.is_some() { deed.with("scopes", told(scopes)) } else { deed }).await;
        self.account(&name).await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// Among others [`AppError::NoUser`], [`AppError::LastAdministrator`], and [`AppError::InsufficientScope`] or [`AppError::NotAdmin`] for
    /// what the user has or shall have and the caller lacks.
    pub async fn change_user(&self, caller: &Bearer, user: &UserName, change: UserChange) -> Result<Account, AppError> {
        self.granted(caller, Scope::UsersWrite).await?;
        let before = self.account(user).await?;
        self.covered(caller, before.allowed()).await?;
        let after = after(&before, &change);
        self.covered(caller, after.allowed()).await?;
        let hash = match change.password.clone() {
            Some(password) => Some(hashing(self.hand().await?, move || passwords::hash(&password)).await?.ok_or(AppError::Broken)?),
            None => None,
        };
        let (mut changes, mut deeds) = (Vec::new(), Vec::new());
        let deed = |action| Deed::new(action).by(&caller.user).to(user);
        if let Some(role) = change.role {
            changes.push(AccountChange::Role(role));
            deeds.push(deed(Action::UserChanged).with("role", role.as_str()));
        }
        if let Some(scopes) = change.scopes {
            changes.push(AccountChange::Scopes(scopes));
            deeds.push(deed(Action::ScopesChanged).with("scopes", told(scopes)));
        }
        if let Some(disabled) = change.disabled {
            changes.push(AccountChange::Disabled(disabled));
            deeds.push(deed(if disabled { Action::UserDisabled } else { Action::UserEnabled }));
        }
        if let Some(hash) = &hash {
            changes.push(AccountChange::Password(hash));
            deeds.push(deed(Action::PasswordChanged));
        }
        if let Some(must) = change.must_change {
            changes.push(AccountChange::MustChange(must));
            deeds.push(deed(Action::UserChanged).with("must_change_password", must.to_string()));
        }
        self.change_and_keep_one(&before, may_change_users(&after), &changes).await?;
        for deed in deeds {
            self.note_deed(deed).await;
        }
        self.account(user).await
    }

    /// Removes a user with all that is kept of them.
    ///
    /// # Errors
    /// As [`App::change_user`].
    pub async fn remove_user(&self, caller: &Bearer, user: &UserName) -> Result<(), AppError> {
        self.granted(caller, Scope::UsersWrite).await?;
        let before = self.account(user).await?;
        self.covered(caller, before.allowed()).await?;
        // Disabled first: that can be taken back if it turns out to be the last.
        self.change_and_keep_one(&before, false, &[AccountChange::Disabled(true)]).await?;
        if !self.store().remove_account(user).await? {
            return Err(no_user(user));
        }
        self.note_deed(Deed::new(Action::UserRemoved).by(&caller.user).to(user)).await;
        Ok(())
    }

    /// Changes an account unless nobody would be left who may change users. Accounts are in many slots, so two who take each other's scope away
    /// at once are both let through at first: each looks again afterwards, and takes back what it did.
    async fn change_and_keep_one(&self, before: &Account, may_afterwards: bool, changes: &[AccountChange<'_>]) -> Result<(), AppError> {
        let counts = may_change_users(before) && !may_afterwards;
        if counts && !self.others_may_change_users(&before.name).await? {
            return Err(AppError::LastAdministrator);
        }
        if !self.store().change_account_so(&before.name, changes).await? {
            return Err(no_user(&before.name));
        }
        if counts && !self.others_may_change_users(&before.name).await? {
            // What was not changed is left alone: a password that is set, even to what it is, ends all logins.
            let back = |change: &AccountChange<'_>| match change {
                // Scopes go with the role.
                AccountChange::Role(_) => vec![AccountChange::Role(before.role), AccountChange::Scopes(before.scopes)],
                AccountChange::Scopes(_) => vec![AccountChange::Scopes(before.scopes)],
                AccountChange::Disabled(_) => vec![AccountChange::Disabled(before.disabled)],
                AccountChange::Password(_) => vec![AccountChange::Password(&before.password_hash)],
                AccountChange::MustChange(_) => vec![AccountChange::MustChange(before.must_change)],
            };
            let back: Vec<AccountChange<'_>> = changes.iter().flat_map(back).collect();
            self.store().change_account_so(&before.name, &back).await?;
            return Err(AppError::LastAdministrator);
        }
        Ok(())
    }

    async fn others_may_change_users(&self, but: &UserName) -> Result<bool, AppError> {
        let all = self.store().accounts().await?;
        Ok(all.iter().any(|account| account.name != *but && may_change_users(account)))
    }

    async fn account(&self, user: &UserName) -> Result<Account, AppError> {
        self.store().known(user).await?.account.ok_or_else(|| no_user(user))
    }

    /// Goes on if the caller has all of this. The role counts beside its scopes, because what a role may call is none of them.
    async fn covered(&self, caller: &Bearer, wanted: Allowed) -> Result<(), AppError> {
        let account = self.store().known(&caller.user).await?.account.ok_or(AppError::Revoked)?;
        within(scopes_of(caller, &account), wanted.scopes())?;
        match (wanted.role, account.role) {
            (Role::Admin, Role::User) => Err(AppError::NotAdmin),
            (Role::User, _) | (Role::Admin, Role::Admin) => Ok(()),
        }
    }

    /// Goes on if the caller has all of these scopes.
    pub(super) async fn has_scopes(&self, caller: &Bearer, wanted: Scopes) -> Result<(), AppError> {
        let account = self.store().known(&caller.user).await?.account.ok_or(AppError::Revoked)?;
        within(scopes_of(caller, &account), wanted)
    }
}

/// All scopes that the caller has.
fn scopes_of(caller: &Bearer, account: &Account) -> Scopes {
    let scopes = account.allowed().scopes();
    match caller.good_for {
        GoodFor::Key { scopes: of_key } => scopes.within(of_key),
        GoodFor::Everything | GoodFor::PasswordChange => scopes,
    }
}

/// Nobody hands on, or reaches through another's account, what they do not have.
fn within(own: Scopes, wanted: Scopes) -> Result<(), AppError> {
    wanted.iter().find(|scope| !own.has(*scope)).map_or(Ok(()), |lacking| Err(AppError::InsufficientScope(lacking)))
}

fn may_change_users(account: &Account) -> bool {
    !account.disabled && account.allowed().scopes().has(Scope::UsersWrite)
}

fn after(before: &Account, change: &UserChange) -> Account {
    let mut after = before.clone();
    if let Some(role) = change.role {
        (after.role, after.scopes) = (role, None);
    }
    after.scopes = change.scopes.unwrap_or(after.scopes);
    after.disabled = change.disabled.unwrap_or(after.disabled);
    after
}

fn told(scopes: Option<Scopes>) -> String {
    scopes.map_or_else(|| "of the role".to_owned(), Scopes::text)
}

fn no_user(user: &UserName) -> AppError {
    AppError::NoUser { name: user.to_string() }
}
