//! Users, for those who may see and change them; and everybody's own password.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    address::From,
    error::ApiError,
    extract::{Body, Caller, Fields, Person, Shape, Spoken},
    login::admitted,
    overview::NO_CURSOR,
    problem::Problem,
    query::Asked,
};
use crate::{
    app::{App, AppError, NewUser, UserChange},
    clock::rfc3339,
    domain::{
        limits::{USER_NAME_CHARS_MAX, USERS_PAGE_DEFAULT, USERS_PAGE_MAX},
        password,
        scope::{Scope, Scopes},
        user::{Account, Role, UserName},
    },
};

impl Shape for NewUser {
    fn read(fields: &mut Fields) -> Option<Self> {
        let name = fields.text("username", usize::MAX).and_then(|name| match UserName::new(&name) {
            Some(name) => Some(name),
            None => fields.wrong(Problem::new(
                format!("username is none: 1 to {USER_NAME_CHARS_MAX} characters without white space are needed"),
                format!("username 无效：应为 1 到 {USER_NAME_CHARS_MAX} 个不含空白的字符"),
            )),
        });
        let password = fields.secret("password");
        if let (Some(name), Some(password)) = (&name, &password) {
            checked(fields, name, password);
        }
        let role = role(fields).unwrap_or(Role::User);
        let scopes = scopes(fields).flatten();
        let must_change = fields.maybe_flag("must_change_password").unwrap_or(false);
        Some(Self { name: name?, password: password?, role, scopes, must_change })
    }
}

/// A change as it is asked for; the rule for its password needs the name, which stands in the path.
pub(super) struct Change(UserChange);

impl Shape for Change {
    fn read(fields: &mut Fields) -> Option<Self> {
        let change = UserChange {
            role: role(fields),
            scopes: scopes(fields),
            disabled: fields.maybe_flag("disabled"),
            password: fields.maybe_text("password"),
            must_change: fields.maybe_flag("must_change_password"),
        };
        let UserChange { role, scopes, disabled, password, must_change } = &change;
        if role.is_none() && scopes.is_none() && disabled.is_none() && password.is_none() && must_change.is_none() && !fields.are_wrong() {
            return fields.wrong(Problem::new(
                "nothing is to change: give role, scopes, disabled, password or must_change_password",
                "没有要更改的内容：请提供 role、scopes、disabled、password 或 must_change_password",
            ));
        }
        Some(Self(change))
    }
}

/// One's own password: the one that is there, and the one that is to be. The rule for it needs the name, which stands in the token.
pub(super) struct OwnPassword {
    old: String,
    new: String,
}

impl Shape for OwnPassword {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (old, new) = (fields.secret("old_password"), fields.secret("new_password"));
        if let (Some(old), Some(new)) = (&old, &new)
            && old == new
        {
            return fields.wrong(Problem::new("new_password is the old one", "new_password 与旧密码相同"));
        }
        Some(Self { old: old?, new: new? })
    }
}

fn role(fields: &mut Fields) -> Option<Role> {
    let text = fields.maybe_text("role")?;
    Role::parse(&text).or_else(|| {
        fields.wrong(Problem::new(format!("role is {text:?}; user or admin is needed"), format!("role 是 {text:?}，应为 user 或 admin")))
    })
}

/// `Some(None)`: `null` is said, which means those of the role.
fn scopes(fields: &mut Fields) -> Option<Option<Scopes>> {
    let value = fields.maybe("scopes")?;
    if value.is_null() {
        return Some(None);
    }
    scopes_in(fields, &value).map(Some)
}

/// A list of names of scopes.
pub(super) fn scopes_in(fields: &mut Fields, value: &Value) -> Option<Scopes> {
    let known = Scope::names();
    let Some(names) = value.as_array() else {
        return fields.wrong(Problem::new(
            format!("scopes is no list; a list is needed of {known}"),
            format!("scopes 不是列表；应为以下名称的列表：{known}"),
        ));
    };
    let (mut scopes, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        match name.as_str().and_then(Scope::parse) {
            Some(scope) => scopes.push(scope),
            None => unknown.push(name.to_string()),
        }
    }
    if unknown.is_empty() {
        return Some(scopes.into_iter().collect());
    }
    let unknown = unknown.join(", ");
    fields.wrong(Problem::new(
        format!("scopes has {unknown}; a list is needed of {known}"),
        format!("scopes 含有 {unknown}；应为以下名称的列表：{known}"),
    ))
}

fn checked(fields: &mut Fields, user: &UserName, password: &str) {
    if let Err(problem) = password::check(user, password) {
        fields.wrong::<()>(problem.into());
    }
}

fn rule(user: &UserName, password: &str) -> Result<(), ApiError> {
    password::check(user, password).map_err(|problem| ApiError::invalid_body(vec![problem.into()]))
}

/// Whoever has a password for the name of somebody outside comes in as them, with the role that their issuer gives them.
fn of_here(app: &App, user: &UserName) -> Result<(), ApiError> {
    let Some((issuer, prefix)) = app.issuer_naming(user) else { return Ok(()) };
    let problem = Problem::new(
        format!("{user} has no password here: {prefix} begins the names of the issuer {issuer}, whose people come with its tokens"),
        format!("{user} 在此没有密码：{prefix} 是签发方 {issuer} 的用户名前缀，其用户使用该签发方的令牌登录"),
    );
    Err(ApiError::invalid_body(vec![problem]))
}

fn shown(account: &Account) -> Value {
    json!({
        "username": account.name.as_str(),
        "role": account.role.as_str(),
        "scopes": account.allowed().scopes().names(),
        "scopes_of_role": account.scopes.is_none(),
        "disabled": account.disabled,
        "must_change_password": account.must_change,
        "created_at": rfc3339(account.created_ms),
    })
}

fn named(user: Result<Path<String>, PathRejection>) -> Result<UserName, ApiError> {
    let unknown = || AppError::NoUser { name: "of that name".to_owned() };
    Ok(user.ok().and_then(|Path(name)| UserName::new(&name)).ok_or_else(unknown)?)
}

/// All users by name; `?limit=`, and `?cursor=` from the answer before.
pub(super) async fn list(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let mut query = query.0;
    let limit = query.number("limit", 1, USERS_PAGE_MAX as u64).unwrap_or(USERS_PAGE_DEFAULT as u64);
    let after = query.text("cursor").and_then(|text| {
        let name = UserName::new(&text);
        if name.is_none() {
            query.problem(Problem::new(format!("cursor {}", NO_CURSOR.0), format!("cursor {}", NO_CURSOR.1)));
        }
        name
    });
    query.done()?;
    let page = app.list_users(&caller, after.as_ref(), usize::try_from(limit).unwrap_or(USERS_PAGE_MAX)).await?;
    let users: Vec<Value> = page.accounts.iter().map(shown).collect();
    let next = page.next.as_ref().map(UserName::as_str);
    Ok(Json(json!({"success": true, "count": users.len(), "users": users, "next_cursor": next, "user_id": caller.user.as_str()}))
        .into_response())
}

pub(super) async fn create(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    Body(new): Body<NewUser>,
) -> Result<Response, ApiError> {
    of_here(&app, &new.name)?;
    let account = app.create_user(&caller, new).await?;
    let message = language.choose("the user was added", "用户已添加");
    let told = json!({"success": true, "message": message, "user": shown(&account), "user_id": caller.user.as_str()});
    let mut response = (StatusCode::CREATED, Json(told)).into_response();
    let name = percent_encoding::utf8_percent_encode(account.name.as_str(), percent_encoding::NON_ALPHANUMERIC);
    if let Ok(place) = HeaderValue::from_str(&format!("/api/admin/users/{name}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

pub(super) async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    user: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let account = app.look_at_user(&caller, &named(user)?).await?;
    Ok(Json(json!({"success": true, "user": shown(&account), "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn change(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    user: Result<Path<String>, PathRejection>,
    Body(Change(change)): Body<Change>,
) -> Result<Response, ApiError> {
    let user = named(user)?;
    if let Some(password) = &change.password {
        rule(&user, password)?;
        of_here(&app, &user)?;
    }
    let account = app.change_user(&caller, &user, change).await?;
    let message = language.choose("the user was changed", "用户已更改");
    Ok(Json(json!({"success": true, "message": message, "user": shown(&account), "user_id": caller.user.as_str()})).into_response())
}

pub(super) async fn remove(
    State(app): State<App>,
    Caller(caller): Caller,
    Spoken(language): Spoken,
    user: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let user = named(user)?;
    app.remove_user(&caller, &user).await?;
    let message = language.choose("the user was removed", "用户已删除");
    Ok(Json(json!({"success": true, "message": message, "user": user.as_str(), "user_id": caller.user.as_str()})).into_response())
}

/// Gives the caller another password, and new tokens.
pub(super) async fn own_password(
    State(app): State<App>,
    Person(caller): Person,
    Spoken(language): Spoken,
    From(from): From,
    Body(ask): Body<OwnPassword>,
) -> Result<Response, ApiError> {
    rule(&caller.user, &ask.new)?;
    let admission = app.change_own_password(&caller, &ask.old, &ask.new, &from).await?;
    Ok(admitted(&admission, language.choose("the password was changed; all other logins have ended", "密码已更改，其他登录均已失效")))
}
