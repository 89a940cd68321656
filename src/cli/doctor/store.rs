//! The store: is it there, what is it, is it set up so that nothing is lost, does its clock agree with ours, who administers.

use std::time::Instant;

use swagger_api_agent::{
    app::{Administration, open_store},
    clock::Clock,
    domain::{language::Language, limits::CLOCKS_APART_MS_MAX},
    settings::Settings,
    store::{Store, migrate::Keyspace},
};

use super::{Finding, certificates};

const STORE: &str = "store";
/// The oldest release of Redis that has all that is used.
const REDIS_MAJOR_MIN: u32 = 7;

pub(super) async fn look(settings: &Settings) -> Vec<Finding> {
    if let Err(nothing) = super::super::store_is_there(settings) {
        return vec![Finding::ok(STORE, nothing)];
    }
    let opened = settings.clone();
    let store = match super::super::opened(move || open_store(&opened, &Clock::System)).await {
        Ok(store) => store,
        Err(problem) if problem.contains("held by another process") => {
            return vec![Finding::ok(STORE, "embedded, and in use by a server: it is looked at no further")];
        }
        Err(problem) => return vec![Finding::fail(STORE, problem, "docs/REDIS.md says how the store is set up")],
    };
    let mut found = asked(settings, &store).await;
    if let Store::Redis(redis) = &store {
        found.extend(certificates::of_store(settings, redis.primaries().await).await);
    }
    found
}

async fn asked(settings: &Settings, store: &Store) -> Vec<Finding> {
    let (began, asked_ms) = (Instant::now(), Clock::System.now_ms());
    let theirs = match store.ping().await {
        Ok(theirs) => theirs,
        Err(error) => {
            let advice = "is it running, may this machine reach it, and may this user write? See store.redis_url and docs/REDIS.md";
            let (told, advice) = store.refusal().await.unwrap_or((error.to_string(), advice));
            return vec![Finding::fail(STORE, told, advice)];
        }
    };
    let took = began.elapsed();
    let mut found = Vec::new();
    match store {
        Store::Redis(_) => found.push(Finding::ok(STORE, format!("Redis answers, in {} ms", took.as_millis()))),
        Store::Embedded(_) => found.push(Finding::ok(STORE, format!("embedded, in {}", settings.store.data_dir.display()))),
    }
    found.extend(version(store).await);
    found.push(keyspace(store).await);
    found.extend(warnings(store).await);
    found.push(clocks(theirs, asked_ms + u64::try_from(took.as_millis() / 2).unwrap_or(0)));
    found.push(administrator(settings, store).await);
    found
}

async fn version(store: &Store) -> Option<Finding> {
    let Store::Redis(redis) = store else { return None };
    let what = "store version";
    Some(match redis.version().await {
        Ok(Some(version)) => {
            let major: Option<u32> = version.split('.').next().and_then(|major| major.parse().ok());
            if major.is_some_and(|major| major < REDIS_MAJOR_MIN) {
                Finding::fail(what, format!("Redis {version}"), format!("{REDIS_MAJOR_MIN}.0 or later is needed"))
            } else {
                Finding::ok(what, format!("Redis {version}"))
            }
        }
        Ok(None) => Finding::warn(what, "Redis does not say", format!("see that it is {REDIS_MAJOR_MIN}.0 or later")),
        Err(error) => Finding::fail(what, error.to_string(), "look at the log of Redis"),
    })
}

async fn keyspace(store: &Store) -> Finding {
    let what = "store keyspace";
    match store.keyspace().await {
        Ok(Keyspace::Current) => Finding::ok(what, "is this program's"),
        Ok(Keyspace::Empty) => Finding::ok(what, "is empty; the first start prepares it"),
        Ok(Keyspace::Behind { schema }) => {
            Finding::fail(what, format!("has schema {schema}, older than this program's"), "run `swagger-api-agent migrate`")
        }
        Ok(Keyspace::Newer { schema }) => {
            Finding::fail(what, format!("has schema {schema}, newer than this program's"), "run a newer swagger-api-agent")
        }
        Err(error) => Finding::fail(what, error.to_string(), "look at the log of Redis"),
    }
}

/// Eviction, persistence and replication: what the service itself warns of.
async fn warnings(store: &Store) -> Vec<Finding> {
    let what = "store safety";
    match store.warnings().await {
        Ok(warnings) if warnings.is_empty() => vec![Finding::ok(what, "nothing is set so that something may be lost")],
        Ok(warnings) => {
            let told = |warning: swagger_api_agent::store::warnings::StoreWarning| {
                let (sentence, advice) = (warning.sentence(Language::English), "docs/REDIS.md says how it is set up safely");
                if warning.breaks_durability() { Finding::fail(what, sentence, advice) } else { Finding::warn(what, sentence, advice) }
            };
            warnings.into_iter().map(told).collect()
        }
        Err(error) => vec![Finding::fail(what, error.to_string(), "look at the log of Redis")],
    }
}

fn clocks(theirs: u64, ours: u64) -> Finding {
    let (what, apart) = ("clock", theirs.abs_diff(ours));
    if apart <= CLOCKS_APART_MS_MAX {
        return Finding::ok(what, format!("{apart} ms from the store's"));
    }
    let side = if theirs > ours { "behind" } else { "ahead of" };
    Finding::warn(
        what,
        format!("{apart} ms {side} the store's"),
        "times that decide are the store's, so nothing breaks, but logs tell other times than people see: let NTP set both",
    )
}

async fn administrator(settings: &Settings, store: &Store) -> Finding {
    let what = "administrator";
    let there = match store.accounts().await {
        Ok(accounts) => Administration::by(&accounts),
        Err(error) => return Finding::fail(what, error.to_string(), "look at the log of Redis"),
    };
    let named = settings.auth.admin_username.is_some() && settings.auth.admin_password.is_some();
    match there.lacking() {
        None => Finding::ok(what, "there is one"),
        Some(_) if there == Administration::Nobody && named => Finding::ok(what, "the next start makes the one of the settings"),
        Some(_) if there == Administration::Nobody && settings.store.redis_url.is_none() => {
            Finding::ok(what, "the next start makes one, and tells its password once")
        }
        Some((told, advice)) => Finding::fail(what, told, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn clocks_that_are_apart_are_told_with_who_is_late() {
        assert_eq!(clocks(10_000, 10_100).state, State::Ok);
        let told = clocks(60_000, 10_000);
        assert_eq!((told.state, told.told.as_str()), (State::Warn, "50000 ms behind the store's"));
        assert_eq!(clocks(10_000, 60_000).told, "50000 ms ahead of the store's");
    }
}
