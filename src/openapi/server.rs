//! Where requests go: the document's servers, their variables, and addresses relative to where the document came from.

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::Server as Shell;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    document::{Document, Edition},
    options::ReadOptions,
};
use crate::domain::near::nearest;

/// An address that paths are appended to: absolute, `http` or `https`, without query, fragment or credentials; no slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    pub text: String,
    pub url: Url,
}

impl Base {
    /// Takes an address; the reason when it is not one that requests can be sent to.
    pub fn parse(address: &str) -> Result<Self, String> {
        let wrong = |reason: &str| Err(format!("the address `{address}` {reason}"));
        let Ok(url) = Url::parse(address) else {
            return wrong("is not an absolute URL");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return wrong("is not an http or https address");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("contains credentials; they belong in the settings for them");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return wrong("has a query or a fragment, which nothing can be appended to");
        }
        Ok(Self { text: url.as_str().trim_end_matches('/').to_owned(), url })
    }
}

/// What a `servers` list comes to: the first entry, or why there is no address.
pub(super) type Resolved = Result<Base, String>;

/// The root's servers, in order.
pub(super) fn of_root(document: &Document, options: &ReadOptions) -> Vec<Resolved> {
    let origin = &options.origin;
    if document.edition == Edition::Swagger2 {
        return vec![swagger2(document, origin, None)];
    }
    let list = document.root.get("servers").and_then(Value::as_array).filter(|list| !list.is_empty());
    // Without any, the specification says one server with the URL `/`.
    list.map_or_else(|| vec![resolve("/", origin)], |list| list.iter().map(|server| one(server, options)).collect())
}

/// The server of one operation: its own list, else the path item's; `None` leaves it to the root.
pub(super) fn of_operation(
    document: &Document,
    item_servers: Option<&Value>,
    operation: &Value,
    options: &ReadOptions,
) -> Option<Resolved> {
    if document.edition == Edition::Swagger2 {
        return operation.get("schemes").map(|schemes| swagger2(document, &options.origin, Some(schemes)));
    }
    let first = |servers: &Value| servers.as_array()?.first().map(|server| one(server, options));
    operation.get("servers").and_then(first).or_else(|| item_servers.and_then(first))
}

fn one(server: &Value, options: &ReadOptions) -> Resolved {
    let mut pieces: Map<String, Value> = server.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(variables)) = pieces.get_mut("variables") {
        for variable in variables.values_mut() {
            words(variable);
        }
    }
    let shell = Shell::deserialize(Value::Object(pieces)).map_err(|error| format!("a server of the document cannot be read: {error}"))?;
    let variables = shell.variables.unwrap_or_default();
    let mut address = String::with_capacity(shell.url.len());
    let mut rest = shell.url.as_str();
    while let Some((head, tail)) = rest.split_once('{') {
        let Some((name, tail)) = tail.split_once('}') else { break };
        let variable = variables.get(name).ok_or_else(|| format!("the server `{}` does not say what `{name}` is", shell.url))?;
        let given = options.server_variables.get(name);
        let value = given.unwrap_or(&variable.default);
        if !variable.enumeration.is_empty() && !variable.enumeration.contains(value) {
            let (url, values) = (&shell.url, variable.enumeration.join(", "));
            return Err(match given {
                Some(_) => format!("the server variable `{name}` is set to `{value}`; the server `{url}` takes one of {values}"),
                None => format!("the server `{url}` gives `{name}` the default `{value}`, which is not one of its values ({values})"),
            });
        }
        address.push_str(head);
        address.push_str(value);
        rest = tail;
    }
    address.push_str(rest);
    resolve(&address, &options.origin)
}

/// Holds what the operator says of variables against the document: each must be one of some server's, with a value that it takes.
///
/// # Errors
/// All that is wrong, in one sentence.
pub(super) fn check_variables(document: &Document, options: &ReadOptions) -> Result<(), String> {
    let mut known: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for server in servers_anywhere(document) {
        for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
            known.entry(name.clone()).or_default().push(variable.clone());
        }
    }
    let mut problems = Vec::new();
    for (name, value) in &options.server_variables {
        let Some(variables) = known.get_mut(name) else {
            let near = nearest(name, known.keys().map(String::as_str), 1);
            let near = near.first().map_or_else(String::new, |near| format!("; `{near}` is near"));
            problems.push(format!("no server of it has the variable `{name}`{near}"));
            continue;
        };
        variables.iter_mut().for_each(words);
        let values = |variable: &Value| variable.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty()).cloned();
        let takes = |variable: &Value| values(variable).is_none_or(|values| values.iter().any(|own| own == value));
        if !variables.iter().any(takes) {
            let values = variables.iter().filter_map(values).flatten();
            let values: BTreeSet<String> = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            problems.push(format!("the server variable `{name}` is set to `{value}`; one of {} is needed", values.join(", ")));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// The servers of the root, of path items and of operations.
fn servers_anywhere(document: &Document) -> impl Iterator<Item = &Value> {
    let mut holders = vec![&document.root];
    for pointer in ["/paths", "/components/pathItems"] {
        for item in document.root.pointer(pointer).and_then(Value::as_object).into_iter().flat_map(|items| items.values()) {
            holders.push(item);
            holders.extend(item.as_object().into_iter().flat_map(|operations| operations.values()));
        }
    }
    holders.into_iter().filter_map(|holder| holder.get("servers")?.as_array()).flatten()
}

/// YAML reads `port: {default: 8443}` as a number; servers are texts.
fn words(variable: &mut Value) {
    let text = |value: &mut Value| {
        if let Some(word) = super::document::word(value) {
            *value = word.into();
        }
    };
    if let Some(default) = variable.get_mut("default") {
        text(default);
    }
    if let Some(Value::Array(values)) = variable.get_mut("enum") {
        values.iter_mut().for_each(text);
    }
}

fn resolve(address: &str, origin: &str) -> Resolved {
    match (Url::parse(address), Url::parse(origin)) {
        (Ok(_), _) => Base::parse(address),
        (Err(_), Ok(from)) if matches!(from.scheme(), "http" | "https") => {
            let joined = from.join(address).map_err(|_| format!("the server `{address}` is not an address"))?;
            Base::parse(joined.as_str())
        }
        _ => Err(format!("the document's server is `{address}`, which says no host; a base URL has to be set")),
    }
}

/// 2.0 says host, base path and schemes apart; what is missing is taken from where the document came from. `https` goes first.
fn swagger2(document: &Document, origin: &str, schemes: Option<&Value>) -> Resolved {
    let from = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let schemes = schemes.or_else(|| document.root.get("schemes")).and_then(Value::as_array);
    let offered: Vec<&str> = schemes.into_iter().flatten().filter_map(Value::as_str).collect();
    let scheme = match (["https", "http"].into_iter().find(|scheme| offered.contains(scheme)), &from) {
        (Some(scheme), _) => scheme,
        (None, Some(from)) => from.scheme(),
        (None, None) => "https",
    };
    let host = document.root.get("host").and_then(Value::as_str).map(str::to_owned);
    let host = host.or_else(|| from.as_ref().map(|url| url.authority().to_owned()));
    let Some(host) = host else {
        return Err("the document names no host; a base URL has to be set".to_owned());
    };
    let path = document.root.get("basePath").and_then(Value::as_str).unwrap_or_default().trim_matches('/');
    Base::parse(&format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn address(server: Value, origin: &str) -> Result<String, String> {
        one(&server, &ReadOptions::of(origin)).map(|base| base.text)
    }

    #[test]
    fn variables_take_their_defaults() {
        let server = json!({"url": "https://{region}.up.test:{port}/{base}/",
            "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "base": {"default": "v1"}, "port": {"default": 8443}}});
        assert_eq!(address(server, "api.yaml"), Ok("https://eu.up.test:8443/v1".to_owned()));
        let server = json!({"url": "https://{region}.up.test", "variables": {"region": {"default": "xx", "enum": ["eu", "us"]}}});
        assert!(address(server, "api.yaml").unwrap_err().contains("not one of its values"));
        assert!(address(json!({"url": "https://{region}.up.test"}), "api.yaml").unwrap_err().contains("region"));
    }

    #[test]
    fn the_operators_word_wins_over_the_default_of_a_variable() {
        let root = json!({"openapi": "3.0.3", "servers": [{"url": "https://{region}.up.test:{port}",
            "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "port": {"default": 443}}}],
            "paths": {"/a": {"get": {"servers": [{"url": "https://{stage}.up.test", "variables": {"stage": {"default": "live"}}}]}}}});
        let document = Document::new(root).unwrap();
        let told = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let options = ReadOptions { server_variables: variables, ..ReadOptions::of("api.yaml") };
            check_variables(&document, &options).map(|()| of_root(&document, &options).remove(0).unwrap().text)
        };
        assert_eq!(told(&[("region", "us"), ("port", "8443"), ("stage", "test")]), Ok("https://us.up.test:8443".to_owned()));
        assert_eq!(
            told(&[("region", "xx"), ("prot", "1")]).unwrap_err(),
            "no server of it has the variable `prot`; `port` is near; the server variable `region` is set to `xx`; one of eu, us is needed"
        );
    }

    #[test]
    fn relative_servers_start_where_the_document_came_from() {
        let origin = "http://docs.test/specs/o.yaml";
        assert_eq!(address(json!({"url": "/api/v3"}), origin), Ok("http://docs.test/api/v3".to_owned()));
        assert_eq!(address(json!({"url": "v2"}), origin), Ok("http://docs.test/specs/v2".to_owned()));
        assert!(address(json!({"url": "/api/v3"}), "specs/o.yaml").unwrap_err().contains("base URL"));
    }

    #[test]
    fn addresses_that_nothing_can_be_appended_to_are_refused() {
        for bad in
            ["ftp://up.test", "http://u:p@up.test", "http://up.test/?a=1", "http://up.test/#a", "file:///etc", "up.test/v1", "http://"]
        {
            assert!(Base::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Base::parse("http://up.test:80/v1//").unwrap().text, "http://up.test/v1");
    }

    #[test]
    fn swagger_prefers_https_and_fills_gaps_from_the_origin() {
        let document = |root| Document::new(root).unwrap();
        let full = document(json!({"swagger": "2.0", "host": "up.test", "basePath": "/v2/", "schemes": ["http", "https"]}));
        assert_eq!(of_root(&full, &ReadOptions::of("x.json"))[0].as_ref().unwrap().text, "https://up.test/v2");
        let bare = document(json!({"swagger": "2.0"}));
        assert_eq!(of_root(&bare, &ReadOptions::of("http://docs.test:81/s.json"))[0].as_ref().unwrap().text, "http://docs.test:81");
        assert!(of_root(&bare, &ReadOptions::of("s.json"))[0].is_err());
    }
}
