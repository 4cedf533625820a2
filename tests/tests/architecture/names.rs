//! One word for one thing: no two modules declare public types of the same name.

use std::collections::BTreeMap;

use mcp_tests::source::{Source, public_types, shipped_sources, tokens, workspace};

const HANDLE: &str = "a machine, and what applications hold of it";

/// What two modules call the same on purpose, and why.
const SHARED: [(&str, &str); 3] = [
    ("Client", HANDLE),
    ("Exchange", HANDLE),
    ("ExchangeId", "the same thing at either end of HTTP"),
];

#[test]
fn public_types_have_names_of_their_own() {
    let repeated = repeated(&shipped_sources(&workspace().join("mcp-proto/src")));
    let is_meant = |name: &str| SHARED.iter().any(|(meant, _)| *meant == name);
    let new = repeated.iter().filter(|(name, _)| !is_meant(name));
    let stale = SHARED.iter().filter(|(meant, _)| !repeated.contains_key(*meant));
    let stale = stale.map(|(meant, _)| format!("declared once now: {meant}"));
    let findings: Vec<String> = new.map(finding).chain(stale).collect();
    super::demand_none("another name, or a reason in the list:", &findings);
}

fn finding((name, modules): (&String, &Vec<String>)) -> String {
    format!("{name}: {}", modules.join(", "))
}

/// The public types that several modules declare, each with its modules.
fn repeated(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut declared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        let tokens = tokens(source.shipped_code());
        for at in public_types(&tokens) {
            let modules = declared.entry(tokens[at + 2].text.to_owned()).or_default();
            modules.push(source.module().join("::"));
        }
    }
    declared.retain(|_, modules| modules.len() > 1);
    declared
}

mod tests {
    use super::*;

    fn run(files: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(*path, *text)).collect();
        repeated(&sources)
    }

    #[test]
    fn names_of_two_modules_are_found() {
        let found = run(&[("a.rs", "pub struct X;"), ("b/c.rs", "pub enum X {} pub struct Y;")]);
        assert_eq!(found.len(), 1);
        assert_eq!(found["X"], ["a", "b::c"]);
    }

    #[test]
    fn what_nobody_else_sees_may_have_any_name() {
        let files = [
            ("a.rs", "pub struct X; pub fn y() {}"),
            (
                "b.rs",
                "struct X; pub use super::a::X as Y; impl Z for W { type X = (); }",
            ),
            ("c.rs", "pub(crate) struct X; #[cfg(test)] mod tests { pub struct X; }"),
        ];
        assert!(run(&files).is_empty());
    }
}
