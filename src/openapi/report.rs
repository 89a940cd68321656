//! What came of reading a document: what can be called, what was set aside and why, what is odd.

/// Counts and reasons for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Operations that became functions.
    pub usable: usize,
    /// Operations that did not, each with its reason; in the order of their paths.
    pub set_aside: Vec<SetAside>,
    /// Operations that the operator's rules leave out, each with its rule; in the order of their paths.
    pub filtered: Vec<Filtered>,
    /// What was read differently from how it stands, one sentence each.
    pub warnings: Vec<String>,
    /// Operations whose function is not named by their own `operationId`.
    pub names_given: Vec<GivenName>,
}

impl Report {
    /// The report with control characters written out: a document's texts end up in terminals and logs.
    pub(super) fn printable(mut self) -> Self {
        let aside = self.set_aside.iter_mut().flat_map(|aside| [&mut aside.operation, &mut aside.reason]);
        let named = self.names_given.iter_mut().flat_map(|given| std::iter::once(&mut given.operation).chain(&mut given.operation_id));
        aside.chain(named).chain(&mut self.warnings).for_each(write_out);
        self
    }
}

fn write_out(text: &mut String) {
    if text.contains(char::is_control) {
        let escaped = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
        *text = text.chars().map(escaped).collect();
    }
}

/// An operation that cannot be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// `GET /users/{id}`, or a path alone when it has no readable operations.
    pub operation: String,
    pub reason: String,
}

/// An operation that the operator left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filtered {
    /// `GET /users/{id}`.
    pub operation: String,
    /// `exclude tag:admin`, or that no rule of include fits.
    pub rule: String,
}

/// An operation and the name its function got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenName {
    pub operation: String,
    /// What the document says, if anything.
    pub operation_id: Option<String>,
    pub name: String,
}
