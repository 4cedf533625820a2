//! Files do not import in a circle, of whatever length.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mcp_tests::source::{Imports, Source, shipped_sources, workspace};

/// What ships, and what tests it.
const CRATES: [&str; 6] = [
    "mcp-proto/src",
    "mcp-proto/driver/src",
    "mcp-tokio/src",
    "mcp-smol/src",
    "tests/src",
    "fuzz/src",
];

#[test]
fn files_do_not_import_in_a_circle() {
    let mut circles = Vec::new();
    for crate_src in CRATES {
        let dir = workspace().join(crate_src);
        if dir.is_dir() {
            let found = self::circles(&shipped_sources(&dir));
            circles.extend(found.into_iter().map(|circle| circle.below(crate_src)));
        }
    }
    circles.sort_by_key(|circle| circle.files.len());
    let findings: Vec<String> = circles.iter().map(Circle::finding).collect();
    super::demand_none("files import in a circle:", &findings);
}

/// Files of which each can be reached from each other by imports.
#[derive(Debug, PartialEq)]
struct Circle {
    /// All of them, in order.
    files: Vec<String>,
    /// A shortest way round.
    way: Vec<String>,
}

impl Circle {
    fn below(mut self, dir: &str) -> Self {
        for file in self.files.iter_mut().chain(&mut self.way) {
            *file = format!("{dir}/{file}");
        }
        self
    }

    fn name(&self) -> String {
        self.files.join(" ")
    }

    fn finding(&self) -> String {
        format!(
            "{} files, {}; in all {}",
            self.files.len(),
            self.way.join(" -> "),
            self.name()
        )
    }
}

type Edges = BTreeMap<usize, BTreeSet<usize>>;

/// The circles of a crate. Those that share a file are one.
fn circles(sources: &[Source]) -> Vec<Circle> {
    let imports = Imports::of(sources);
    let edges = imports.edges();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in 0..sources.len() {
        if !seen.insert(file) {
            continue;
        }
        let ahead = reached(&edges, file);
        let group: Vec<usize> = ahead
            .iter()
            .copied()
            .filter(|other| reached(&edges, *other).contains(&file))
            .collect();
        if group.is_empty() {
            continue;
        }
        seen.extend(&group);
        let ways = group.iter().filter_map(|file| way_round(&edges, *file));
        let way = ways.min_by_key(Vec::len).unwrap_or_default();
        found.push(Circle {
            files: group.iter().map(|file| imports.name(*file)).collect(),
            way: way.into_iter().map(|file| imports.name(file)).collect(),
        });
    }
    found
}

/// What can be reached from `from` by one import or more.
fn reached(edges: &Edges, from: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        let next = edges.get(&file).into_iter().flatten();
        open.extend(next.filter(|next| reached.insert(**next)));
    }
    reached
}

/// A shortest way from a file back to it.
fn way_round(edges: &Edges, start: usize) -> Option<Vec<usize>> {
    let mut open = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = open.pop_front() {
        for next in way.last().and_then(|file| edges.get(file)).into_iter().flatten() {
            let longer: Vec<usize> = way.iter().copied().chain([*next]).collect();
            if *next == start {
                return Some(longer);
            }
            if seen.insert(*next) {
                open.push_back(longer);
            }
        }
    }
    None
}

mod tests {
    use super::*;

    fn run(files: &[(&str, &str)]) -> Vec<Circle> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(*path, *text)).collect();
        circles(&sources)
    }

    #[test]
    fn circles_of_every_length_are_found() {
        let two = [
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ];
        assert_eq!(run(&two)[0].way, ["a.rs", "b.rs", "a.rs"]);
        let three = [
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "fn f(c: crate::c::C) {} pub struct B;"),
            ("c.rs", "use super::a::A; pub struct C;"),
            ("d.rs", "use crate::a::A;"),
        ];
        assert_eq!(run(&three)[0].files, ["a.rs", "b.rs", "c.rs"]);
    }

    #[test]
    fn a_parent_that_uses_its_child_and_is_used_by_it_is_one() {
        let files = [
            ("a/mod.rs", "mod b; use b::B; pub struct A;"),
            ("a/b.rs", "use super::A; pub struct B;"),
        ];
        assert_eq!(run(&files).len(), 1);
    }

    #[test]
    fn what_is_handed_on_is_none() {
        let files = [
            ("lib.rs", "mod a; pub use a::A;"),
            ("a/mod.rs", "mod b; mod c; pub use b::B; pub use c::A;"),
            ("a/b.rs", "use super::A; pub struct B;"),
            ("a/c.rs", "pub struct A;"),
        ];
        assert_eq!(run(&files), []);
    }
}
