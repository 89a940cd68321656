//! Arguments to exact bytes. Nothing is sent here; the address is taken apart again and compared before it leaves.

use serde_json::{Map, Value};
use url::Url;

use super::{
    body::Media,
    form, multipart,
    operation::{Body, Operation, Shape},
    parameter::Location,
    schema::Definitions,
    server::Base,
    style::{in_cookie, in_header, in_path, in_query, text},
    template::dot_segment,
    xml,
};

/// A request to the API behind the document, without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// In upper case.
    pub method: String,
    /// Absolute, every value escaped.
    pub url: String,
    /// In the order they were declared; at most one `Cookie`. `Content-Type` exactly when there is a body.
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

/// All of a request but its address.
pub(super) struct Prepared {
    /// From the slash that opens the template.
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Operation {
    /// Checks the arguments and makes the request of them: a pure function, the same bytes every time.
    ///
    /// `base_url` is the operator's address of the API and wins over the document's servers; its path is kept (`…/api/v1` + `/pets`).
    /// `Err` holds all problems, as [`Operation::check`] words them.
    pub fn request(&self, base_url: Option<&str>, arguments: &Map<String, Value>) -> Result<UpstreamRequest, Vec<String>> {
        let prepared = self.prepare(arguments)?;
        let given;
        let base = match base_url {
            Some(address) => {
                given = Base::parse(address).map_err(|problem| vec![problem])?;
                &given
            }
            None => self.server.as_ref().as_ref().map_err(|problem| vec![problem.clone()])?,
        };
        let mut url = format!("{}{}", base.text, prepared.path);
        if !prepared.query.is_empty() {
            url.push('?');
            url.push_str(&prepared.query);
        }
        let Some(url) = as_sent(base, &prepared.path, &url) else {
            return Err(vec![format!("the arguments would make an address outside of {}{}", base.text, self.path())]);
        };
        Ok(UpstreamRequest { method: self.method().to_owned(), url, headers: prepared.headers, body: prepared.body })
    }

    pub(super) fn prepare(&self, arguments: &Map<String, Value>) -> Result<Prepared, Vec<String>> {
        let sorted = self.sort(arguments)?;
        let mut problems: Vec<String> = Vec::new();
        let mut holes = vec![String::new(); self.holes.len()];
        let (mut query, mut headers, mut cookies) = (String::new(), Vec::new(), Vec::new());
        headers.extend(self.accept.iter().map(|accept| ("Accept".to_owned(), accept.clone())));
        // In the order of the document, whatever the order of the arguments.
        for (index, parameter) in self.parameters.iter().enumerate() {
            let Some((_, value)) = sorted.parameters.iter().find(|(given, _)| std::ptr::eq(*given, parameter)) else { continue };
            let (name, wire) = (&parameter.name, &parameter.wire);
            let written = match parameter.location {
                Location::Path => in_path(name, value, wire).map(|text| {
                    if let Some(hole) = self.holes.iter().position(|hole| *hole == index).and_then(|hole| holes.get_mut(hole)) {
                        *hole = text;
                    }
                }),
                Location::Query => in_query(&mut query, name, value, wire),
                Location::Header => in_header(value, wire).map(|text| headers.extend(text.map(|text| (name.clone(), text)))),
                Location::Cookie => in_cookie(name, value, wire).map(|texts| cookies.extend(texts)),
            };
            if let Err(reason) = written {
                problems.push(format!("`{}` {reason}", parameter.argument));
            }
        }
        let body = match sorted.body {
            None => None,
            Some((body, value)) => match bytes(body, &value, &self.definitions) {
                Ok((bytes, content_type)) => {
                    headers.push(("Content-Type".to_owned(), content_type));
                    Some(bytes)
                }
                Err(more) => {
                    problems.extend(more);
                    None
                }
            },
        };
        if !cookies.is_empty() {
            headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        let (path, fixed_query) = self.template.fill(&holes);
        if let (Some(segment), true) = (dot_segment(&path), problems.is_empty()) {
            problems.push(format!("the path would get the segment `{segment}`, which servers and proxies resolve away"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let query = [fixed_query, query].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
        Ok(Prepared { path, query, headers, body })
    }
}

/// The body's bytes and its content type.
fn bytes(body: &Body, value: &Value, definitions: &Definitions) -> Result<(Vec<u8>, String), Vec<String>> {
    let argument = |property: &str| match &body.shape {
        Shape::Whole(argument) => format!("/{argument}/{property}"),
        Shape::Flat { properties, .. } => {
            properties.iter().find(|(_, own)| own == property).map_or_else(|| property.to_owned(), |(argument, _)| argument.clone())
        }
    };
    let of_fields = |problems: form::FieldProblems| problems.iter().map(|(field, why)| format!("`{}` {why}", argument(field))).collect();
    let whole = |reason: String| match &body.shape {
        Shape::Whole(argument) => vec![format!("`{argument}` {reason}")],
        Shape::Flat { .. } => vec![format!("the body {reason}")],
    };
    let fields = || value.as_object().ok_or_else(|| whole("must be an object".to_owned()));
    match body.media {
        Media::Json => Ok((value.to_string().into_bytes(), body.content_type.clone())),
        Media::Form => {
            let text = form::encode(fields()?, &body.encodings).map_err(of_fields)?;
            Ok((text.into_bytes(), body.content_type.clone()))
        }
        Media::Multipart => multipart::encode(fields()?, &body.files, &body.encodings).map_err(of_fields),
        Media::Xml => {
            let schema = body.schema.pointer("/anyOf/0").unwrap_or(&body.schema);
            Ok((xml::encode(value, schema, definitions).map_err(whole)?.into_bytes(), body.content_type.clone()))
        }
        Media::Text => Ok((text(value).map_err(whole)?.into_bytes(), body.content_type.clone())),
        Media::Bytes => {
            let file = multipart::file(value).map_err(whole)?;
            Ok((file.bytes, body.content_type.clone()))
        }
    }
}

/// The address as the HTTP client will send it, if that is the base followed by exactly the path that was made: same origin, no segment
/// resolved away, nothing reinterpreted.
fn as_sent(base: &Base, path: &str, address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let prefix = base.url.path().trim_end_matches('/');
    let stays = url.origin() == base.url.origin() && url.path().strip_prefix(prefix) == Some(path) && url.fragment().is_none();
    stays.then(|| url.into())
}
