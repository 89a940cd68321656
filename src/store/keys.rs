//! Every key of the Redis keyspace, in one table.
//!
//! All keys of a user and the index of the user's bucket carry the same hash tag `{bNN}`, so one script may touch all of them on a
//! Cluster too. Names of users are escaped, so that no name can leave its key.
//!
//! | key | type | holds | dies |
//! |---|---|---|---|
//! | `saa:meta` | hash | `schema`, `buckets` | never |
//! | `saa:migrating` | string | who migrates | 60 s |
//! | `saa:{b}:m` | hash | `schema` of this bucket | never |
//! | `saa:{b}:u:<user>` | hash | account: `role`, `sc` scopes of its own, `ph` password hash, `dis`, `mc` the password must be changed, `ca`, `tv` tokens issued before are void, `k:<digest>` an API key (`lua/keys.lua`), `rv` there are revoked tokens, `rr` `rt` GCRA arrival times of requests and turns, `gen` fence counter, `lt` when a visit last looked after the session | with the account |
//! | `saa:{b}:ul` | set | the bucket's users | never |
//! | `saa:{b}:rv:<user>` | zset | revoked tokens, by id or by family → when none of them can be valid any more | newest expiry |
//! | `saa:{b}:rf:<user>` | hash | families of refresh tokens: family → `<born>\|<ends>\|<rotated>\|<digest of the good token>\|<digest of the one before>\|<the good one, sealed for whoever has the one before>` | with the newest of them, `auth.refresh_hours` after its last use, or at `POST /api/logout/all` |
//! | `saa:{b}:lf:<user>` | hash | `n` wrong passwords for the account lately, also of one that is not there; `t` there were too many, and somebody was told | an hour after the first |
//! | `saa:{b}:lf:<user>:<digest>` | hash | those from one address | 15 min after the first, or at the right one |
//! | `saa:lf:<digest>` | hash | those from one address for whatever account, there or not | 15 min after the first |
//! | `saa:{b}:s:<user>:<slot>` | hash | session: `v` `sid` `ca` `la` `exp` `ver` `len` `base`; while a run holds it `rid` `own` `tok` `lu`, `cx` why it is to stop, `try` how often it was taken from the dead, `by` `<run>\|<API key>` if it was begun with one; `lc` last commit; `dk` the key of its turns, wrapped; `sum` a summary of older turns, `sl` the last one that it covers; `ti` a title made from the first turn, `ut` the one that the user gave it, `pin` it stands before others, `md` what its client notes of it, `tot` what it has come to (`domain/totals.rs`) | idle, at most until `exp` |
//! | `saa:{b}:h:<user>:<slot>` | list | one record a turn | with the session |
//! | `saa:{b}:j:<user>:<slot>` | hash | journal of runs that have not ended: `<run>\|<field>` | with the session |
//! | `saa:{b}:q:<user>:<slot>` | list | runs that wait for the session, the next one first: `<run>\|<accepted ms>\|<input>` | with the session |
//! | `saa:{b}:e:<user>:<slot>` | stream | what happens in streamed runs of the session: `r` the run, `e` the event; ids are `<fence>-<n>` | 15 min after the last, at a reset, or when there are too many |
//! | `saa:{b}:us:<user>` | set | slots of the sessions that the user has beside the main one; those that have ended are taken out when it is read | with the account, or when it is empty |
//! | `saa:{b}:n:<user>` | zset | the user's newest runs that have ended, in the order of their ids (`lua/runs.lua`) | 24 h after the last |
//! | `saa:{b}:o` | zset | `<user>:<slot>` of sessions with a run that has not ended → when somebody must look after it | cleans itself |
//! | `saa:{b}:uo` | zset | runs of which it is not known what became of a change (`lua/overview.lua`) → when they ended; the newest 64 | 30 days after the last, or with the account |
//! | `saa:{b}:st:<day>` | hash | `<hour>\|<what>` → how many: runs that ended, by outcome, their calls and tokens (`lua/overview.lua`); in the first bucket also logins, by outcome and replica | 3 days after it began |
//! | `saa:{b}:i:<user>:<digest>` | string | idempotency record: fingerprint, run, answer | 24 h |
//! | `saa:{b}:cr:<user>` | hash | the user's own credentials for the API: what for → `<set ms>\|<kind>\|<sealed>` | with the account |
//! | `saa:ot:<digest>` | hash | a token for the API, by the digest of whose it is and what it is for: `tok` sealed, `end`; while somebody fetches it `own` `lu` | with the token |
//! | `saa:em:<digest>` | string | what a function means (`vectors.rs`), by the digest of its text and the model for embeddings | 90 days after a replica last read it |
//! | `saa:ec:<digest>` | string | which replica asks what some functions mean, by the digest of which | 65 s, or when it knows |
//! | `saa:{b}:r:<user>:<id>` | string | one reply kept whole (`kept.rs`) | `results.ttl_secs`, at a reset, or when there are too many |
//! | `saa:{b}:rl:<user>`, `saa:{b}:rl:<user>:<slot>` | zset | ids of the kept replies of the main session, or of another → until when | with the newest of them |
//! | `saa:{b}:tk:<user>` | hash | tokens of a day (`lua/budget.lua`): `day` `used` `held`; there if users have a budget | 2 days after the last |
//! | `saa:{b}:tr:<user>` | zset | tokens that are set aside: `<id>\|<tokens>` → when it lapses | as `tk` |
//! | `saa:{tokens}:tk`, `:tr` | hash, zset | the same for all users together; there if the service has a budget | as `tk` |
//! | `saa:{audit}:log` | stream | the audit log (`audit.rs`): `n` a nonce, `r` the record; ids are times | 180 days after the last; records after as long, or when there are too many |
//! | `saa:{b}:w` | string | an administrator watches what begins and ends | 60 s after one last said so |
//! | `saa:{b}:c` | stream | what begins and ends while somebody watches (`lua/changes.lua`): `k` what, `u` `<user>:<slot>` or the user, `s` the session, `r` the run, `a` more | 60 s after the last, or when there are too many |
//! | `saa:{replicas}:up` | hash | which replicas there are: id → `<seen ms>\|<record>` (`replicas.rs`) | a replica's 15 s after it last said so, or when it goes |
//! | `saa:{b}:x` | zset | `<user>:<slot>` → expires at | cleans itself |
//! | `saa:{b}:la` | zset | `<user>:<slot>` → last active | cleans itself |
//! | `saa:{b}:sm` | hash | `<user>:<slot>` → `sid\|created\|turns` | cleans itself |
//!
//! `<slot>` is `main` for the session that a user has without asking, and 16 hexadecimal digits for any other (`domain/slot.rs`). The slot,
//! not the session's id, names the key: so a run can begin in one round trip without knowing the id first, and a reset replaces the id under
//! the same key.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::{
    slot::{SessionSlot, Slot},
    user::UserName,
};

/// Buckets of a keyspace, fixed when it is created (`saa:meta`).
pub(super) const BUCKETS: u32 = 64;
pub(super) const META: &str = "saa:meta";
pub(super) const MIGRATING: &str = "saa:migrating";
/// Tokens that all users together used today, and those that are set aside. They are no bucket's: a slot of their own, which both share.
pub(super) const SERVICE_TOKENS: &str = "saa:{tokens}:tk";
pub(super) const SERVICE_RESERVATIONS: &str = "saa:{tokens}:tr";

/// The audit log of all users. It has a slot of its own.
pub(super) const AUDIT_LOG: &str = "saa:{audit}:log";

/// Which replicas there are. It has a slot of its own.
pub(super) const REPLICAS: &str = "saa:{replicas}:up";

/// What may stand in a key as it is; everything else is escaped as `%XX`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@').remove(b'+');

/// A user's name as it stands in keys and index members.
pub(super) fn escaped(user: &UserName) -> String {
    escaped_text(user.as_str())
}

/// The beginning of a name as it stands there: a name begins with another text if and only if they do so escaped.
pub(super) fn escaped_text(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// The user of an index member (`<user>:<slot>`) or an escaped name; `None` if nobody can have it.
pub(super) fn user_of(member: &str) -> Option<UserName> {
    let (member, _) = member.split_once(':').unwrap_or((member, ""));
    let name = percent_encoding::percent_decode_str(member).decode_utf8().ok()?;
    UserName::new(&name)
}

/// The session that an index member stands for; `None` if nobody can have it.
pub(super) fn session_of_member(member: &str) -> Option<SessionSlot> {
    let (_, slot) = member.rsplit_once(':')?;
    Some(SessionSlot { user: user_of(member)?, slot: Slot::parse(slot)? })
}

/// A token for the API. It is no user's, so its key has no hash tag of a bucket.
pub(super) fn upstream_token(digest: &str) -> String {
    format!("saa:ot:{digest}")
}

/// Passwords that failed from an address, for whatever account. It is no user's, so its key has no hash tag of a bucket.
pub(super) fn address_failures(from: &str) -> String {
    format!("saa:lf:{from}")
}

/// What a text means. It is no user's, so its key has no hash tag of a bucket, and those of a document are on all nodes of a Cluster.
pub(super) fn vector(digest: &str) -> String {
    format!("saa:em:{digest}")
}

/// Who finds out what some texts mean.
pub(super) fn vectors_claim(digest: &str) -> String {
    format!("saa:ec:{digest}")
}

/// The keys of one user, and of one of their sessions.
#[derive(Debug, Clone)]
pub(super) struct UserKeys {
    /// `saa:{bNN}:`
    prefix: String,
    /// The user's escaped name.
    escaped: String,
    slot: Slot,
}

impl UserKeys {
    /// With the main session, where it matters.
    pub fn of(user: &UserName) -> Self {
        Self::at(user, Slot::MAIN)
    }

    /// With the session in this slot.
    pub fn at(user: &UserName, slot: Slot) -> Self {
        let bucket = crc32fast::hash(user.as_str().as_bytes()) % BUCKETS;
        Self { prefix: bucket_prefix(bucket), escaped: escaped(user), slot }
    }

    /// With the session that a run is in.
    pub fn of_run(user: &UserName, run: &str) -> Self {
        Self::at(user, Slot::of_run(run))
    }

    fn of_session(&self, kind: &str) -> String {
        format!("{}{kind}:{}:{}", self.prefix, self.escaped, self.slot)
    }

    fn own(&self, kind: &str) -> String {
        [&self.prefix, kind, ":", &self.escaped].concat()
    }

    pub fn account(&self) -> String {
        self.own("u")
    }

    pub fn revoked(&self) -> String {
        self.own("rv")
    }

    /// Passwords that failed for the account; from one address, if it is said which.
    pub fn failures(&self, from: Option<&str>) -> String {
        from.map_or_else(|| self.own("lf"), |from| format!("{}:{from}", self.own("lf")))
    }

    /// The user's families of refresh tokens.
    pub fn refresh(&self) -> String {
        self.own("rf")
    }

    pub fn session(&self) -> String {
        self.of_session("s")
    }

    pub fn history(&self) -> String {
        self.of_session("h")
    }

    pub fn journal(&self) -> String {
        self.of_session("j")
    }

    /// Runs that wait for the session.
    pub fn waiting(&self) -> String {
        self.of_session("q")
    }

    /// What happens in the session's streamed runs.
    pub fn events(&self) -> String {
        self.of_session("e")
    }

    /// The slots of the user's sessions beside the main one.
    pub fn slots(&self) -> String {
        self.own("us")
    }

    /// The user's runs that have ended.
    pub fn runs(&self) -> String {
        self.own("n")
    }

    pub fn idempotency(&self, digest: &str) -> String {
        [&self.prefix, "i:", &self.escaped, ":", digest].concat()
    }

    /// The record of a request under its idempotency key; the journal's key for one that has none.
    pub fn request(&self, digest: Option<&str>) -> String {
        digest.map_or_else(|| self.journal(), |digest| self.idempotency(digest))
    }

    /// Tokens that the user used today.
    pub fn tokens(&self) -> String {
        self.own("tk")
    }

    /// Tokens that are set aside for the user.
    pub fn reservations(&self) -> String {
        self.own("tr")
    }

    pub fn credentials(&self) -> String {
        self.own("cr")
    }

    /// The list of the session's kept replies.
    pub fn results(&self) -> String {
        if self.slot.is_main() { self.own("rl") } else { self.of_session("rl") }
    }

    /// What the key of each kept reply begins with; its id follows.
    pub fn result_prefix(&self) -> String {
        [&self.prefix, "r:", &self.escaped, ":"].concat()
    }

    /// The member that stands for the session in the bucket's index.
    pub fn member(&self) -> String {
        format!("{}:{}", self.escaped, self.slot)
    }

    /// What the members of all the user's sessions begin with.
    pub fn members(&self) -> String {
        format!("{}:", self.escaped)
    }

    /// What ends with a session, in the order that `lua/ends.lua` has it in.
    pub fn ending(&self) -> [String; 13] {
        let bucket = self.bucket();
        [
            self.account(),
            self.session(),
            self.history(),
            self.journal(),
            self.waiting(),
            self.runs(),
            bucket.open(),
            self.results(),
            bucket.expiries(),
            bucket.activity(),
            bucket.summaries(),
            self.events(),
            self.slots(),
        ]
    }

    /// The user as the bucket's list of users has it.
    pub fn listed(&self) -> &str {
        &self.escaped
    }

    pub fn bucket(&self) -> BucketKeys {
        BucketKeys { prefix: self.prefix.clone() }
    }
}

/// The keys of one bucket.
#[derive(Debug, Clone)]
pub(super) struct BucketKeys {
    prefix: String,
}

impl BucketKeys {
    pub fn numbered(bucket: u32) -> Self {
        Self { prefix: bucket_prefix(bucket) }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        (0..BUCKETS).map(Self::numbered)
    }

    pub fn meta(&self) -> String {
        [&self.prefix, "m"].concat()
    }

    pub fn users(&self) -> String {
        [&self.prefix, "ul"].concat()
    }

    pub fn expiries(&self) -> String {
        [&self.prefix, "x"].concat()
    }

    pub fn activity(&self) -> String {
        [&self.prefix, "la"].concat()
    }

    /// Sessions with a run that has not ended.
    pub fn open(&self) -> String {
        [&self.prefix, "o"].concat()
    }

    pub fn summaries(&self) -> String {
        [&self.prefix, "sm"].concat()
    }

    /// What the keys of the bucket's sessions begin with; a member of its indices follows.
    pub fn sessions(&self) -> String {
        [&self.prefix, "s:"].concat()
    }

    /// That somebody watches what begins and ends in the bucket.
    pub fn watched(&self) -> String {
        [&self.prefix, "w"].concat()
    }

    /// What begins and ends in the bucket while somebody watches.
    pub fn changes(&self) -> String {
        [&self.prefix, "c"].concat()
    }

    /// Runs of which it is not known what became of a change.
    pub fn unknown(&self) -> String {
        [&self.prefix, "uo"].concat()
    }

    /// What was counted on a day (days since 1970).
    pub fn counted_on(&self, day: u64) -> String {
        format!("{}st:{day}", self.prefix)
    }
}

fn bucket_prefix(bucket: u32) -> String {
    format!("saa:{{b{bucket:02}}}:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_leave_its_key_or_its_bucket() {
        for name in ["a:b", "{x}", "}:{b00}", "a|b", "张三", "a*b", "%41"] {
            let user = UserName::new(name).unwrap();
            let keys = UserKeys::of(&user);
            let session = keys.session();
            assert_eq!(session.matches('{').count(), 1, "{session}");
            assert_eq!(session.matches(':').count(), 4, "{session}");
            assert_eq!(user_of(&keys.member()), Some(user.clone()));
            for slot in [Slot::MAIN, Slot::other(7)] {
                let member = UserKeys::at(&user, slot).member();
                assert_eq!(session_of_member(&member), Some(SessionSlot { user: user.clone(), slot }), "{member}");
            }
        }
    }
}
