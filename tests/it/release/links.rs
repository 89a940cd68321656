//! Every document leads where it says: relative links of README, docs and the rest name files that are here, and headings that they have.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// All documents of the repository, with their text.
fn documents() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    let mut ways = ["docs", "deploy", "examples", "migrations"].map(|place| root.join(place)).to_vec();
    ways.extend(["README.md", "README.zh-CN.md"].map(|name| root.join(name)));
    while let Some(way) = ways.pop() {
        if way.is_dir() {
            ways.extend(fs::read_dir(&way).unwrap().map(|entry| entry.unwrap().path()));
        } else if way.extension().is_some_and(|extension| extension == "md") {
            found.insert(way.clone(), fs::read_to_string(&way).unwrap());
        }
    }
    found
}

/// Lines of a document that are no code.
fn prose(text: &str) -> Vec<&str> {
    let mut code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        if !code && !fence {
            lines.push(line);
        }
    }
    lines
}

/// Where the links of a document lead: what stands in `](…)`.
fn links(text: &str) -> Vec<&str> {
    prose(text).into_iter().flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next()).collect()
}

/// What a heading is led to by: small letters, hyphens for spaces, nothing else but letters and digits, and a number if it is there already.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for heading in prose(text).into_iter().filter(|line| line.starts_with('#')) {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let numbered = (1..).map(|n| format!("{anchor}-{n}"));
        let anchor = std::iter::once(anchor.clone()).chain(numbered).find(|name| !found.contains(name)).unwrap();
        found.push(anchor);
    }
    found
}

/// What is wrong with where a link leads from a document.
fn wrong(from: &Path, link: &str, documents: &BTreeMap<PathBuf, String>) -> Option<&'static str> {
    if ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { Ok(from.to_owned()) } else { from.parent().unwrap().join(path).canonicalize() };
    let Ok(target) = target else { return Some("there is no such file") };
    let headings = documents.get(&target).map(|text| anchors(text)).unwrap_or_default();
    match anchor {
        Some(anchor) if !headings.iter().any(|heading| heading == anchor) => Some("it has no such heading"),
        _ => None,
    }
}

#[test]
fn every_link_of_every_document_leads_somewhere() {
    let documents = documents();
    let mut seen = 0;
    let mut broken = Vec::new();
    for (document, text) in &documents {
        for link in links(text) {
            seen += 1;
            broken.extend(wrong(document, link, &documents).map(|why| format!("{}: {link}: {why}", document.display())));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(documents.len() > 20 && seen > 100, "{} documents, {seen} links", documents.len());
}

/// What a picture may weigh, in bytes: a document is read over slow lines too.
const PICTURE_BYTES_MAX: u64 = 80_000;

#[test]
fn every_picture_is_shown_in_the_document_of_its_language_and_is_light() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut seen = 0;
    for picture in fs::read_dir(docs.join("pictures")).unwrap() {
        let picture = picture.unwrap();
        let name = picture.file_name().into_string().unwrap();
        let guide = if name.ends_with(".zh.webp") { "GUIDE.zh-CN.md" } else { "GUIDE.md" };
        let text = fs::read_to_string(docs.join(guide)).unwrap();
        let link = format!("](pictures/{name})");
        let before = text.split_once(&link).unwrap_or_else(|| panic!("{guide} does not show {name}")).0;
        let alternative = before.rsplit_once("![").map(|(_, alternative)| alternative).unwrap_or_default();
        assert!(alternative.chars().count() > 10 && !alternative.contains('\n'), "{guide}: {name} is not told to those who cannot see it");
        assert!(picture.metadata().unwrap().len() <= PICTURE_BYTES_MAX, "{name} is too heavy");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} pictures");
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let documents = documents();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    assert_eq!(wrong(&readme, "docs/TURNS.md#watching-it-happen", &documents), None);
    assert_eq!(wrong(&readme, "docs/TURN.md", &documents), Some("there is no such file"));
    assert_eq!(wrong(&readme, "docs/TURNS.md#watching", &documents), Some("it has no such heading"));
    assert_eq!(anchors("# A `b`: C\n```\n# no\n```\n## 多个 API\n# a b c"), ["a-b-c", "多个-api", "a-b-c-1"]);
}

/// A document has its twin in the other language, and both have the same headings, tables and examples, as far as one can count.
#[test]
fn a_document_in_two_languages_has_the_same_parts() {
    let documents = documents();
    let shape = |text: &str| {
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        [count("## "), count("```"), prose(text).into_iter().filter(|line| line.starts_with("| ")).count()]
    };
    for name in ["API", "CHANGELOG", "GUIDE", "MIGRATING"] {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let [english, chinese] = [".md", ".zh-CN.md"].map(|end| shape(&documents[&docs.join(format!("{name}{end}"))]));
        assert_eq!(english, chinese, "{name}: headings, fences, rows of tables");
    }
}
