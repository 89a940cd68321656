//! The functions that a set speaks of: those of our own documents, of documents of others, and of the Berkeley Function Calling
//! Leaderboard, which stand in no document.

use std::{
    collections::HashSet,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;
use swagger_api_agent::{
    demo,
    domain::tool::{Effect, FunctionSpec},
    llm::{ToolSet, offline::Offline},
    openapi::{
        Catalogue,
        retrieve::{Entry, Index},
    },
};

use super::office;

/// Functions as retrieval and planner see them.
pub struct Functions {
    pub tools: ToolSet,
    pub index: Index,
    pub offline: Offline,
    /// What the sets call each: the `operationId` of its document.
    ids: Vec<String>,
}

/// Where the documents and sentences of others are, if they are here: `SHARED_DATA`, or `../shared/data` beside the project.
pub fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    Some(std::env::var_os("SHARED_DATA").map_or(beside, PathBuf::from)).filter(|directory| directory.is_dir())
}

/// Where the questions of the leaderboard are, if they are here (PyPI `bfcl-eval`, Apache-2.0): `BFCL_DATA`, which `tests/quality/run` sets.
pub fn leaderboard() -> Option<PathBuf> {
    std::env::var_os("BFCL_DATA").map(|directory| PathBuf::from(directory).join("BFCL_v4_simple_python.json")).filter(|file| file.is_file())
}

impl Functions {
    pub fn of_demo() -> Self {
        Self::of(&Catalogue::read(demo::DOCUMENT, "demo").unwrap())
    }

    pub fn of_office() -> Self {
        Self::of(&Catalogue::read(&office::document().to_string(), "office.json").unwrap())
    }

    /// Those of a document of others; unpacked, if its name ends with `.gz`.
    pub fn of_file(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let mut text = String::new();
        if path.extension().is_some_and(|extension| extension == "gz") {
            flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        Self::of(&Catalogue::read(&text, &path.display().to_string()).unwrap())
    }

    fn of(catalogue: &Catalogue) -> Self {
        let index = Index::of(catalogue.operations().iter().map(|operation| Entry::of(operation.name(), operation)));
        let id = |name: &str, own: Option<&str>| own.unwrap_or(name).to_owned();
        let ids = catalogue.operations().iter().map(|operation| id(operation.name(), operation.operation_id())).collect();
        let functions = catalogue.functions().to_vec();
        Self { index, ids, offline: Offline::new(&functions), tools: ToolSet::new(functions) }
    }

    /// All functions of the leaderboard's questions together; of two with the same name the first.
    pub fn of_leaderboard(questions: &[Value]) -> Self {
        let mut known = HashSet::new();
        let all = questions.iter().flat_map(|question| question["function"].as_array().unwrap());
        let functions: Vec<FunctionSpec> = all
            .filter(|function| known.insert(function["name"].as_str().unwrap().to_owned()))
            .map(|function| FunctionSpec {
                name: function["name"].as_str().unwrap().to_owned(),
                description: function["description"].as_str().unwrap_or_default().to_owned(),
                parameters: function["parameters"].clone().into(),
                effect: Effect::Safe,
            })
            .collect();
        // What stands in no document has neither a method nor a summary beside its description.
        let index = Index::of(functions.iter().map(|function| Entry {
            name: &function.name,
            method: "",
            path: "",
            tags: &[],
            summary: &function.description,
            description: "",
            parameters: &function.parameters,
            deprecated: false,
        }));
        let ids = functions.iter().map(|function| function.name.clone()).collect();
        Self { index, ids, offline: Offline::new(&functions), tools: ToolSet::new(functions) }
    }

    pub fn count(&self) -> usize {
        self.ids.len()
    }

    pub fn id(&self, place: usize) -> &str {
        &self.ids[place]
    }

    pub fn has(&self, id: &str) -> bool {
        self.ids.iter().any(|own| own == id)
    }

    /// A function by its name: what the sets call it, and the function.
    pub fn named(&self, name: &str) -> Option<(&str, &FunctionSpec)> {
        let place = self.tools.functions.iter().position(|function| function.name == name)?;
        Some((self.id(place), &self.tools.functions[place]))
    }

    /// The function that the sets call so.
    pub fn function(&self, id: &str) -> Option<&FunctionSpec> {
        self.ids.iter().position(|own| own == id).map(|place| &self.tools.functions[place])
    }
}
