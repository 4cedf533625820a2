//! What holds for every file: short, introduced by docs, and finished.

use mcp_tests::source::{Source, all_sources, shipped_sources, workspace};

const LONGEST: usize = 700;

/// Marks of unfinished work, split so that this file does not hold them.
const MARKS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("#[", "ignore"),
];

#[test]
fn no_file_is_long() {
    let findings: Vec<String> = all_sources(&workspace()).iter().filter_map(length_finding).collect();
    super::demand_none("one noun a file:", &findings);
}

#[test]
fn every_file_that_ships_opens_with_its_docs() {
    let mut findings = Vec::new();
    for crate_src in [
        "mcp-proto/src",
        "mcp-proto/driver/src",
        "mcp-tokio/src",
        "mcp-smol/src",
        "tests/src",
    ] {
        let sources = shipped_sources(&workspace().join(crate_src));
        findings.extend(
            sources
                .iter()
                .filter_map(docs_finding)
                .map(|found| format!("{crate_src}/{found}")),
        );
    }
    super::demand_none("a file opens with `//!` and what it is for:", &findings);
}

#[test]
fn nothing_is_left_for_later() {
    let findings: Vec<String> = all_sources(&workspace()).iter().flat_map(mark_findings).collect();
    super::demand_none("unfinished work:", &findings);
}

fn length_finding(source: &Source) -> Option<String> {
    let lines = source.text().lines().count();
    (lines > LONGEST).then(|| source.finding(0, format!("{lines} lines, {LONGEST} at most")))
}

fn docs_finding(source: &Source) -> Option<String> {
    (!source.text().starts_with("//! ")).then(|| source.finding(0, "no docs"))
}

fn mark_findings(source: &Source) -> Vec<String> {
    let found = MARKS.iter().flat_map(|mark| source.text().match_indices(mark));
    found
        .map(|(at, mark)| source.finding(at, format!("`{mark}`")))
        .collect()
}

mod tests {
    use super::*;

    #[test]
    fn long_files_are_found() {
        assert_eq!(length_finding(&Source::new("a.rs", "x\n".repeat(LONGEST))), None);
        assert!(length_finding(&Source::new("a.rs", "x\n".repeat(LONGEST + 1))).is_some());
    }

    #[test]
    fn files_without_docs_are_found() {
        assert_eq!(docs_finding(&Source::new("a.rs", "//! A noun.\nfn f() {}")), None);
        assert!(docs_finding(&Source::new("a.rs", "fn f() {}")).is_some());
    }

    #[test]
    fn each_mark_is_found() {
        for mark in MARKS {
            assert_eq!(mark_findings(&Source::new("a.rs", format!("// {mark}\n"))).len(), 1);
        }
        assert_eq!(mark_findings(&Source::new("a.rs", "fn ignored() {}")).len(), 0);
    }
}
