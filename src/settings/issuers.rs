//! Whose tokens are taken beside our own: an OpenID provider, or any server that signs JWTs and publishes its keys.

use url::Url;

use super::{
    reader::quoted,
    tables::{Notes, Part},
};
use crate::domain::limits::{ISSUER_ID_CHARS_MAX, ISSUER_ROLES_MAX, ISSUERS_MAX};

const ISSUER: [&str; 8] = ["id", "issuer", "keys_url", "audience", "user_claim", "user_prefix", "role_claim", "admin_roles"];

/// One issuer of tokens, and what its claims mean here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// What it is called here: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// `iss` of its tokens, to the letter (OpenID Connect Core 1.0, 3.1.3.7).
    pub issuer: String,
    /// Where its keys are (RFC 7517, 5); none: where its discovery document says.
    pub keys_url: Option<String>,
    /// Among `aud` of its tokens.
    pub audience: String,
    /// The claim that names the user.
    pub user_claim: String,
    /// Stands before that name, so that nobody from outside takes the name of somebody here.
    pub user_prefix: String,
    /// The claim that holds roles, members of objects behind dots; none: its users are users until an administrator says otherwise.
    pub role_claim: Option<String>,
    /// Who has one of these roles is an administrator.
    pub admin_roles: Vec<String>,
}

/// `[[auth.issuers]]`.
pub(super) fn issuers(whole: &Part<'_>, notes: &mut Notes) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for element in whole.few(ISSUERS_MAX, notes) {
        let Some(table) = element.table(&ISSUER, notes) else { continue };
        let id = table.needed("id", notes, id_of);
        let issuer = table.needed("issuer", notes, safe_url);
        let keys_url = table.get("keys_url").and_then(|part| safe_url(&part, notes));
        let audience = table.needed("audience", notes, Part::text);
        let user_claim = table.get("user_claim").and_then(|part| part.text(notes)).unwrap_or_else(|| "sub".to_owned());
        let prefix = table.get("user_prefix").map(|part| part.text(notes).unwrap_or_default());
        let role_claim = table.get("role_claim").and_then(|part| part.text(notes));
        let admin_roles = table.get("admin_roles").map(|part| part.few_texts(ISSUER_ROLES_MAX, notes)).unwrap_or_default();
        if role_claim.is_none() && !admin_roles.is_empty() {
            notes.refuse(&format!("{}.admin_roles", element.path), "has no effect without role_claim, which says where roles are");
        }
        let (Some(id), Some(issuer), Some(audience)) = (id, issuer, audience) else { continue };
        if issuers.iter().any(|other| other.id == id || other.issuer == issuer) {
            notes.refuse(&element.path, "has the id or the issuer of another one; each is listed once");
        }
        let user_prefix = prefix.unwrap_or_else(|| format!("{id}/"));
        if let Some(other) = issuers.iter().find(|other| overlap(&other.user_prefix, &user_prefix)) {
            notes.refuse(
                &format!("{}.user_prefix", element.path),
                format!(
                    "is {}, and {} of issuer {} begins like it: a name of one could be somebody's of the other; the same prefix for the same \
                     people, or prefixes of which none begins with another, are needed",
                    quoted(&user_prefix),
                    quoted(&other.user_prefix),
                    other.id
                ),
            );
        }
        issuers.push(Issuer { id, issuer, keys_url, audience, user_claim, user_prefix, role_claim, admin_roles });
    }
    issuers
}

/// Whether two issuers could name the same user without being meant to. Those with one prefix are: they vouch for the same people. One
/// without a prefix vouches for anybody, as the operator says by leaving it out.
fn overlap(one: &str, other: &str) -> bool {
    one != other && !one.is_empty() && !other.is_empty() && (one.starts_with(other) || other.starts_with(one))
}

fn id_of(part: &Part<'_>, notes: &mut Notes) -> Option<String> {
    let id = part.text(notes)?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if plain && id.len() <= ISSUER_ID_CHARS_MAX {
        return Some(id);
    }
    notes.refuse(&part.path, format!("is {}; 1 to {ISSUER_ID_CHARS_MAX} letters, digits, -, _ or . are needed", quoted(&id)));
    None
}

/// Keys that come over an open line are anybody's: `https`, but on this machine.
fn safe_url(part: &Part<'_>, notes: &mut Notes) -> Option<String> {
    let text = part.url(notes)?;
    let url = Url::parse(&text).ok()?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if (url.scheme() == "https" || here) && url.username().is_empty() && url.password().is_none() {
        return Some(text);
    }
    notes.refuse(&part.path, "is not safe: an https:// URL without credentials is needed (http:// only to this machine itself)");
    None
}
