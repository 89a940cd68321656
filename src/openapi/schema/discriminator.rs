//! Alternatives that a property tells apart (`discriminator` with a `mapping`).

use serde_json::{Map, Value, json};

use super::super::document::{Document, reference_of};

/// The property that tells alternatives apart, and which value stands for which.
pub(super) struct Tags<'d> {
    document: &'d Document,
    property: &'d str,
    mapping: &'d Map<String, Value>,
}

impl<'d> Tags<'d> {
    pub fn of(document: &'d Document, schema: &'d Map<String, Value>) -> Option<Self> {
        let discriminator = schema.get("discriminator")?;
        let property = discriminator.get("propertyName")?.as_str()?;
        let mapping = discriminator.get("mapping")?.as_object()?;
        Some(Self { document, property, mapping })
    }

    pub fn property(&self) -> &'d str {
        self.property
    }

    /// An alternative that also asks for its tag. Left as it is when the mapping does not name it, or when it says itself what its tag is:
    /// mappings are written by hand and wrong more often.
    pub fn asked(&self, raw: &Value, made: Value) -> Value {
        let Some(reference) = reference_of(raw) else { return made };
        let name = reference.rsplit('/').next().unwrap_or_default();
        let means = |target: &&Value| target.as_str().is_some_and(|target| target == reference || target == name);
        let tags: Vec<&String> = self.mapping.iter().filter(|(_, target)| means(target)).map(|(tag, _)| tag).collect();
        let own = self.document.at(reference).ok().and_then(|target| target.get("properties")?.get(self.property));
        let says_itself = own.is_some_and(|own| own.get("enum").is_some() || own.get("const").is_some());
        if tags.is_empty() || says_itself {
            return made;
        }
        json!({"allOf": [made], "properties": {self.property: {"enum": tags}}, "required": [self.property]})
    }
}
