//! Values read back from a request by the specification's table of styles. Written apart from what writes them, and knows nothing of it.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::document::{Kind, Parameter, Shape};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    Space,
    Pipe,
    /// 2.0's `tsv`.
    Tab,
    Deep,
    /// `content: application/json`.
    Json,
}

impl Style {
    pub fn word(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Label => "label",
            Self::Matrix => "matrix",
            Self::Form | Self::Tab | Self::Json => "form",
            Self::Space => "spaceDelimited",
            Self::Pipe => "pipeDelimited",
            Self::Deep => "deepObject",
        }
    }
}

fn plain(escaped: &str) -> String {
    percent_decode_str(escaped).decode_utf8().expect("UTF-8").into_owned()
}

impl Kind {
    pub fn read(self, text: &str) -> Value {
        match self {
            Self::Text => Value::from(text),
            Self::Integer => Value::from(text.parse::<i64>().expect("a whole number")),
            Self::Number => Value::from(text.parse::<f64>().expect("a number")),
            Self::Truth => Value::from(text.parse::<bool>().expect("true or false")),
        }
    }
}

/// Reads parts that have been separated: a list's items, or names and values of an object.
fn collect(shape: &Shape, parts: &[&str], paired: bool, decode: impl Fn(&str) -> String) -> Value {
    match shape {
        Shape::One(_) => unreachable!("one value has no parts"),
        Shape::List(kind) => parts.iter().map(|part| kind.read(&decode(part))).collect(),
        Shape::Object(keys) => {
            let pairs: Vec<(String, String)> = if paired {
                let pair = |part: &&str| part.split_once('=').map(|(name, value)| (decode(name), decode(value))).expect("a pair");
                parts.iter().map(pair).collect()
            } else {
                parts.chunks(2).map(|two| (decode(two[0]), decode(two[1]))).collect()
            };
            object(keys, pairs)
        }
    }
}

fn object(keys: &[(String, Kind)], pairs: Vec<(String, String)>) -> Value {
    let read = |(name, text): (String, String)| {
        let (_, kind) = keys.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name:?} was not given"));
        (name, kind.read(&text))
    };
    Value::Object(pairs.into_iter().map(read).collect::<Map<_, _>>())
}

/// One segment of a path.
pub fn segment(parameter: &Parameter, raw: &str) -> Value {
    let Parameter { name, style, explode, shape, .. } = parameter;
    let named = |part: &str| {
        let (before, after) = part.split_once('=').expect("a name");
        assert_eq!(plain(before), *name);
        after.to_owned()
    };
    match (style, shape) {
        (Style::Json, _) => serde_json::from_str(&plain(raw)).expect("JSON"),
        (Style::Simple, Shape::One(kind)) => kind.read(&plain(raw)),
        (Style::Simple, _) => collect(shape, &raw.split(',').collect::<Vec<_>>(), *explode, plain),
        (Style::Label, Shape::One(kind)) => kind.read(&plain(raw.strip_prefix('.').expect("a dot"))),
        (Style::Label, _) => {
            let between = if *explode { '.' } else { ',' };
            collect(shape, &raw.strip_prefix('.').expect("a dot").split(between).collect::<Vec<_>>(), *explode, plain)
        }
        (Style::Matrix, _) => {
            let raw = raw.strip_prefix(';').expect("a semicolon");
            match shape {
                Shape::One(kind) => kind.read(&plain(&named(raw))),
                Shape::List(_) if *explode => {
                    let parts: Vec<String> = raw.split(';').map(named).collect();
                    collect(shape, &parts.iter().map(String::as_str).collect::<Vec<_>>(), false, plain)
                }
                Shape::Object(_) if *explode => collect(shape, &raw.split(';').collect::<Vec<_>>(), true, plain),
                _ => collect(shape, &named(raw).split(',').collect::<Vec<_>>(), false, plain),
            }
        }
        _ => unreachable!("{style:?} in a path"),
    }
}

/// Takes a parameter's pairs out of a query; names and values are still escaped there.
pub fn query(parameter: &Parameter, pairs: &mut Vec<(String, String)>) -> Value {
    let Parameter { name, style, explode, shape, .. } = parameter;
    let mut take = |wanted: &dyn Fn(&str) -> bool| {
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(pairs).into_iter().partition(|(name, _)| wanted(&plain(name)));
        *pairs = others;
        mine
    };
    let mine = match (style, shape, explode) {
        (Style::Form, Shape::Object(keys), true) => take(&|name| keys.iter().any(|(key, _)| key == name)),
        (Style::Deep, ..) => take(&|one| one.starts_with(&format!("{name}["))),
        _ => take(&|one| one == name),
    };
    match (style, shape, explode) {
        (Style::Json, ..) => serde_json::from_str(&plain(&mine[0].1)).expect("JSON"),
        (_, Shape::One(kind), _) => {
            assert_eq!(mine.len(), 1);
            kind.read(&plain(&mine[0].1))
        }
        (Style::Form, Shape::List(kind), true) => mine.iter().map(|(_, value)| kind.read(&plain(value))).collect(),
        (Style::Form, Shape::Object(keys), true) => object(keys, mine.iter().map(|(name, value)| (plain(name), plain(value))).collect()),
        (Style::Deep, Shape::Object(keys), _) => {
            let inner = |full: &str| plain(full)[name.len() + 1..].strip_suffix(']').expect("a bracket").to_owned();
            object(keys, mine.iter().map(|(full, value)| (inner(full), plain(value))).collect())
        }
        _ => {
            assert_eq!(mine.len(), 1);
            let between = match style {
                Style::Space => "%20",
                Style::Pipe => "%7C",
                Style::Tab => "%09",
                _ => ",",
            };
            collect(shape, &mine[0].1.split(between).collect::<Vec<_>>(), false, plain)
        }
    }
}

/// A header's value.
pub fn header(parameter: &Parameter, raw: &str) -> Value {
    match &parameter.shape {
        Shape::One(kind) => kind.read(raw),
        several => collect(several, &raw.split(',').collect::<Vec<_>>(), parameter.explode, str::to_owned),
    }
}

/// Takes a parameter's cookies out of all of them.
pub fn cookie(parameter: &Parameter, cookies: &mut Vec<(String, String)>) -> Value {
    let Parameter { name, explode, shape, .. } = parameter;
    let mine = |one: &str| match shape {
        Shape::Object(keys) if *explode => keys.iter().any(|(key, _)| key == one),
        _ => one == name,
    };
    let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(cookies).into_iter().partition(|(name, _)| mine(name));
    *cookies = others;
    match shape {
        Shape::One(kind) => kind.read(&mine[0].1),
        Shape::List(kind) if *explode => mine.iter().map(|(_, value)| kind.read(value)).collect(),
        Shape::Object(keys) if *explode => object(keys, mine),
        several => collect(several, &mine[0].1.split(',').collect::<Vec<_>>(), false, str::to_owned),
    }
}
