//! Every range holds at both of its ends, and fits the field it ends in.

use super::{super::Problems, load, shown};
use crate::settings::{
    Settings,
    keys::{KEYS, Key, Kind},
};

fn load_one(key: &Key, value: impl ToString) -> Result<Settings, Problems> {
    // Contradictions with the default of another setting are not this test's: the larger ones go to their ends first.
    let mut variables = vec![
        ("SAA_SERVER__DRAIN_MS".to_owned(), "3600000".to_owned()),
        ("SAA_SERVER__DRAIN_NOTICE_MS".to_owned(), "0".to_owned()),
        ("SAA_SESSIONS__MAX_SECS".to_owned(), "315360000".to_owned()),
        ("SAA_SESSIONS__IDLE_SECS".to_owned(), "1".to_owned()),
        ("SAA_UPSTREAM__TIMEOUT_MS".to_owned(), "600000".to_owned()),
        ("SAA_LLM__CONTEXT_TOKENS".to_owned(), "10000000".to_owned()),
        ("SAA_UPSTREAM__CONNECT_TIMEOUT_MS".to_owned(), "50".to_owned()),
    ];
    variables.retain(|(name, _)| *name != key.variable());
    variables.push((key.variable(), value.to_string()));
    Settings::load(crate::settings::Sources::default().with_environment(variables))
}

#[test]
fn both_ends_are_allowed_and_kept() {
    for key in KEYS {
        let Kind::Whole { least, most } = key.kind else { continue };
        for value in [least, most] {
            let settings = load_one(key, value).unwrap_or_else(|problems| panic!("{} = {value}: {problems}", key.name));
            assert_eq!(shown(&settings, key.name), (value.to_string(), key.variable()));
        }
    }
}

#[test]
fn beyond_the_ends_is_refused_with_the_range() {
    for key in KEYS {
        let Kind::Whole { least, most } = key.kind else { continue };
        let below = i128::from(least) - 1;
        for value in [below, i128::from(most) + 1, i128::from(i64::MIN), i128::from(u64::MAX)] {
            let problems = load_one(key, value).unwrap_err();
            let told: Vec<_> = problems.iter().map(|problem| (problem.key.as_str(), problem.place.clone())).collect();
            assert_eq!(told, [(key.name, key.variable())], "{value}");
            assert!(problems.to_string().contains(&format!("; a whole number from {least} to {most} is needed")), "{problems}");
        }
    }
}

#[test]
fn the_temperature_is_a_decimal() {
    for (given, value) in [("0", Some(0.0)), ("2", Some(2.0)), ("0.25", Some(0.25))] {
        assert_eq!(load(&[("SAA_LLM__TEMPERATURE", given)]).unwrap().llm.temperature, value);
    }
    for given in ["-0.1", "2.01", "NaN", "inf", "warm"] {
        let problems = load(&[("SAA_LLM__TEMPERATURE", given)]).unwrap_err().to_string();
        assert!(problems.contains("; a number from 0 to 2 is needed"), "{problems}");
    }
}
