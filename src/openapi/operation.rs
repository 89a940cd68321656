//! One operation of the document, ready to be called.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use serde_json::Value;

use super::{
    body::{Encoding, Media},
    check::Validators,
    parameter::Location,
    schema::{Definitions, Link, Normalised},
    security::Alternatives,
    server::Resolved,
    style::Wire,
    template::Template,
};
use crate::domain::{
    policy::Confirm,
    selection::Asked,
    tool::{Effect, FunctionSpec},
};

/// An operation as a function: what it asks for, whether arguments fit, and the request they make.
///
/// Parameters are arguments by their own names, told apart by place where one name stands in several (`id_path`, `id_query`). A body
/// whose schema is a plain object gives its properties as arguments beside them; any other body, or one whose properties would clash,
/// is the one argument `body` (`request_body` when a parameter has that name).
#[derive(Debug)]
pub struct Operation {
    pub(super) about: About,
    /// All functions of the document; `index` is this one's.
    pub(super) specs: Arc<[FunctionSpec]>,
    pub(super) index: usize,
    pub(super) template: Template,
    pub(super) parameters: Vec<Parameter>,
    /// For each hole of the template the parameter that fills it.
    pub(super) holes: Vec<usize>,
    pub(super) body: Option<Body>,
    pub(super) server: Arc<Resolved>,
    pub(super) security: Option<Alternatives>,
    /// The `Accept` header, when the document says what comes back.
    pub(super) accept: Option<String>,
    /// The header in which an idempotency key travels, if it is to be sent with one.
    pub(super) key_header: Option<String>,
    /// Which planned calls of it the document wants a person to be asked about.
    pub(super) confirm: Option<Confirm>,
    pub(super) definitions: Arc<Definitions>,
    /// What each argument is for.
    pub(super) arguments: HashMap<String, Purpose>,
    /// Built by the first call: most operations of a large document are never called.
    pub(super) validators: OnceLock<Result<Validators, String>>,
}

/// What the document says of an operation.
#[derive(Debug)]
pub(super) struct About {
    /// In upper case.
    pub method: String,
    pub path: String,
    pub operation_id: Option<String>,
    pub summary: Option<String>,
    pub tags: Vec<String>,
    pub deprecated: bool,
}

impl About {
    /// Whether the method only reads (RFC 9110, 9.2.1).
    pub fn is_safe(&self) -> bool {
        Effect::of_method(&self.method) == Effect::Safe
    }
}

/// A parameter: the argument it comes from and the place it goes to.
#[derive(Debug)]
pub(super) struct Parameter {
    pub argument: String,
    pub name: String,
    pub location: Location,
    pub required: bool,
    pub wire: Wire,
    pub schema: Arc<Normalised>,
}

/// What an argument is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The parameter at this place of the list.
    Parameter(usize),
    /// The property at this place of the body's list.
    Property(usize),
    Body,
}

/// A body: the arguments it comes from and the bytes it becomes.
#[derive(Debug)]
pub(super) struct Body {
    pub media: Media,
    pub content_type: String,
    pub required: bool,
    pub shape: Shape,
    pub schema: Value,
    pub links: Vec<Link>,
    pub encodings: HashMap<String, Encoding>,
    /// The fields of a multipart body that are files.
    pub files: Vec<String>,
}

/// How arguments map to the body, exactly and both ways.
#[derive(Debug)]
pub(super) enum Shape {
    /// One argument is the body.
    Whole(String),
    Flat {
        /// Argument and property.
        properties: Vec<(String, String)>,
        /// Arguments of other names are properties too.
        open: bool,
    },
}

impl Operation {
    /// The function as planners and clients see it.
    #[expect(clippy::indexing_slicing, reason = "`index` was taken from the same list")]
    pub fn spec(&self) -> &FunctionSpec {
        &self.specs[self.index]
    }

    pub fn name(&self) -> &str {
        &self.spec().name
    }

    /// In upper case.
    pub fn method(&self) -> &str {
        &self.about.method
    }

    /// The template as the document has it.
    pub fn path(&self) -> &str {
        &self.about.path
    }

    /// What rules are asked about it, if its function has this name.
    pub fn asked_as<'a>(&'a self, function: &'a str) -> Asked<'a> {
        Asked { method: self.method(), path: self.path(), tags: self.tags(), operation_id: self.operation_id(), function }
    }

    pub fn operation_id(&self) -> Option<&str> {
        self.about.operation_id.as_deref()
    }

    pub fn summary(&self) -> Option<&str> {
        self.about.summary.as_deref()
    }

    pub fn tags(&self) -> &[String] {
        &self.about.tags
    }

    /// Where the document says it is, if it says so; an operator's base URL wins over it.
    pub fn server(&self) -> Option<&url::Url> {
        self.server.as_ref().as_ref().ok().map(|base| &base.url)
    }

    pub fn deprecated(&self) -> bool {
        self.about.deprecated
    }

    /// The credentials that the document asks for: alternatives, each of which is enough; the needs of one belong together. Empty:
    /// none is asked for, and none should be sent. An alternative without needs: it may be sent without, too. `None`: neither the
    /// operation nor the document says anything about it.
    pub fn security(&self) -> Option<&Alternatives> {
        self.security.as_ref()
    }

    /// Whether it is never called without a credential.
    pub fn asks_for_credentials(&self) -> bool {
        self.security().is_some_and(|any| !any.is_empty() && any.iter().all(|needs| !needs.is_empty()))
    }

    /// The header in which a key travels, by which the API knows a changing call again: it takes calls with one key as one call.
    pub fn key_header(&self) -> Option<&str> {
        self.key_header.as_deref()
    }

    /// Which planned calls of it the document wants a person to be asked about (`x-agent-confirm`); none: it says nothing.
    pub fn confirm(&self) -> Option<Confirm> {
        self.confirm
    }
}
