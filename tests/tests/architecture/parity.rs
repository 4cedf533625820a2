//! The adapters are twins: the same files, and the same public names in each.

use std::collections::BTreeMap;

use mcp_tests::source::{Source, Token, all_sources, shipped_sources, tokens, workspace};

/// What one adapter has for itself, as `file` or `file: name`, each for a reason.
const TOKIO_ALONE: [&str; 0] = [];
const SMOL_ALONE: [&str; 3] = [
    // Tokio's sockets know by themselves when they are drained.
    "socket.rs",
    // For tokio hyper's own utilities have it.
    "http/bridge.rs",
    // What is handed to the spawner that the caller brings; tokio knows its own.
    "lib.rs: Driver",
];

/// Words before the name of a public item.
const KINDS: [&str; 13] = [
    "async", "const", "enum", "extern", "fn", "macro", "mod", "static", "struct", "trait", "type", "union", "unsafe",
];

#[test]
fn the_adapters_have_the_same_files_and_the_same_public_names() {
    let [tokio, smol] = ["mcp-tokio/src", "mcp-smol/src"].map(|crate_src| {
        let sources = shipped_sources(&workspace().join(crate_src));
        assert!(
            sources.iter().any(|source| source.path.ends_with("lanes.rs")),
            "{crate_src}"
        );
        names(&sources)
    });
    let mut findings = alone("mcp-tokio", &tokio, &smol, &TOKIO_ALONE);
    findings.extend(alone("mcp-smol", &smol, &tokio, &SMOL_ALONE));
    super::demand_none("what one adapter has, the other has as well:", &findings);
}

#[test]
fn what_the_self_call_examples_share_names_no_runtime() {
    let shared = all_sources(&workspace().join("mcp-proto/driver/examples/self_call"));
    assert!(shared.iter().any(|source| source.path.ends_with("mod.rs")));
    let runtimes = ["mcp_tokio", "mcp_smol", "tokio", "smol", "axum"];
    let mut findings = Vec::new();
    for source in &shared {
        let named = tokens(source.shipped_code());
        let named = named.iter().filter(|token| runtimes.contains(&token.text));
        findings.extend(named.map(|token| source.finding(token.at, token.text)));
    }
    super::demand_none("only the example of an adapter names its runtime:", &findings);
    for adapter in ["mcp-tokio", "mcp-smol"] {
        let examples = all_sources(&workspace().join(adapter).join("examples"));
        let own = examples.iter().filter(|source| source.path.starts_with("self_call"));
        assert_eq!(own.count(), 0, "{adapter}: what is shared stands once");
    }
}

/// Most lines of code in one adapter, and most of them that are the same in both.
const MOST_LINES: usize = 1000;
const MOST_ALIKE: usize = 400;

#[test]
fn the_adapters_are_small_and_have_little_in_common() {
    let [tokio, smol] = ["mcp-tokio/src", "mcp-smol/src"].map(|crate_src| {
        let sources = all_sources(&workspace().join(crate_src));
        let lines = |source: Source| (source.path.display().to_string(), code_lines(source.text()));
        sources.into_iter().map(lines).collect::<BTreeMap<_, _>>()
    });
    for adapter in [&tokio, &smol] {
        let lines: usize = adapter.values().map(Vec::len).sum();
        assert!((1..=MOST_LINES).contains(&lines), "{lines} lines, {MOST_LINES} at most");
    }
    let both = tokio.iter().filter_map(|(file, lines)| Some((lines, smol.get(file)?)));
    let alike: usize = both.map(|(one, other)| common(one, other)).sum();
    assert!(alike <= MOST_ALIKE, "{alike} lines are alike, {MOST_ALIKE} at most");
}

/// The lines that are neither blank nor comments.
fn code_lines(text: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    text.lines().filter(is_code).map(str::to_owned).collect()
}

/// How many lines two files have in common, in order: the longest common subsequence, as `diff` finds it.
fn common(one: &[String], other: &[String]) -> usize {
    let mut row = vec![0; other.len() + 1];
    for line in one {
        let mut diagonal = 0;
        for (at, candidate) in other.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = match line == candidate {
                true => diagonal + 1,
                false => above.max(row[at]),
            };
            diagonal = above;
        }
    }
    row[other.len()]
}

/// The public names of each file, in order.
type Names = BTreeMap<String, Vec<String>>;

fn names(sources: &[Source]) -> Names {
    let of = |source: &Source| (source.path.display().to_string(), public_names(source));
    sources.iter().map(of).collect()
}

/// What `here` has and `there` lacks, and the exceptions that are none.
fn alone(adapter: &str, here: &Names, there: &Names, exceptions: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (file, names) in here {
        match there.get(file) {
            None => found.push(file.clone()),
            Some(others) => {
                let mut others = others.clone();
                for name in names {
                    match others.iter().position(|other| other == name) {
                        Some(at) => drop(others.swap_remove(at)),
                        None => found.push(format!("{file}: {name}")),
                    }
                }
            }
        }
    }
    let stale = exceptions
        .iter()
        .filter(|exception| !found.iter().any(|entry| entry == *exception));
    let stale: Vec<String> = stale
        .map(|exception| format!("no exception any more: {exception}"))
        .collect();
    found.retain(|entry| !exceptions.contains(&entry.as_str()));
    found.extend(stale);
    found.into_iter().map(|entry| format!("{adapter}: {entry}")).collect()
}

/// The names of public items, fields and re-exports.
fn public_names(source: &Source) -> Vec<String> {
    let tokens = tokens(source.shipped_code());
    let public = tokens.iter().enumerate().filter(|(_, token)| token.text == "pub");
    public.flat_map(|(at, _)| declared(&tokens[at + 1..])).collect()
}

/// What is declared after `pub`.
fn declared(tokens: &[Token<'_>]) -> Vec<String> {
    match tokens.first().map(|token| token.text) {
        None | Some("(") => Vec::new(),
        Some("use") => exported(tokens),
        Some(_) => {
            let name = tokens.iter().find(|token| !KINDS.contains(&token.text));
            name.map(|name| name.text.to_owned()).into_iter().collect()
        }
    }
}

/// The names that `use …;` gives.
fn exported(tokens: &[Token<'_>]) -> Vec<String> {
    let statement: Vec<_> = tokens.iter().take_while(|token| token.text != ";").collect();
    let is_last = |at: usize| statement.get(at + 1).is_none_or(|next| [",", "}"].contains(&next.text));
    let names = statement
        .iter()
        .enumerate()
        .filter(|(at, token)| token.is_name() && is_last(*at));
    names.map(|(_, token)| token.text.to_owned()).collect()
}

mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Names {
        names(&[Source::new(path, text)])
    }

    #[test]
    fn public_names_are_found_and_no_others() {
        let text = "pub use a::{B, c::D as E}; pub use f; pub async fn g(h: u8) {} pub(crate) fn i() {} \
                    pub struct J { pub k: u8, l: u8 } impl J { pub const fn m() {} } fn n() {} pub mod o; \
                    #[cfg(test)] mod tests { pub fn p() {} } // pub fn q()\n";
        let names = public_names(&Source::new("a.rs", text));
        assert_eq!(names, ["B", "E", "f", "g", "J", "k", "m", "o"]);
    }

    #[test]
    fn common_lines_are_counted_in_order() {
        let lines = |text: &str| code_lines(text);
        assert_eq!(lines("// a\n\n  b\n//! c\nd // e\n"), ["  b", "d // e"]);
        assert_eq!(common(&lines("a\nb\nc\nd"), &lines("b\na\nc\nx\nd")), 3);
        assert_eq!(common(&lines("a"), &lines("b")), 0);
    }

    #[test]
    fn files_and_names_of_one_side_are_found() {
        let here = of("a.rs", "pub fn a() {} pub fn b() {} impl X { pub fn b() {} }");
        assert_eq!(alone("x", &here, &here, &[]), Vec::<String>::new());
        assert_eq!(alone("x", &here, &of("b.rs", ""), &[]), ["x: a.rs"]);
        assert_eq!(
            alone("x", &here, &of("a.rs", "pub fn b() {}"), &[]),
            ["x: a.rs: a", "x: a.rs: b"]
        );
    }

    #[test]
    fn exceptions_are_borne_as_long_as_they_are_some() {
        let (here, there) = (of("a.rs", "pub fn a() {}"), of("a.rs", ""));
        assert_eq!(alone("x", &here, &there, &["a.rs: a"]), Vec::<String>::new());
        assert_eq!(
            alone("x", &here, &here, &["a.rs: a"]),
            ["x: no exception any more: a.rs: a"]
        );
    }
}
