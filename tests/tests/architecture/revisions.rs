//! Revisions are compared in `revision.rs` and nowhere else: other code asks a question that has a name.

use mcp_tests::source::{Source, Token, shipped_sources, tokens, workspace};

const COMPARISONS: [&str; 6] = ["==", "!=", "<", ">", "<=", ">="];
const ORDERS: [&str; 4] = ["<", ">", "<=", ">="];
const METHODS: [&str; 11] = [
    "cmp",
    "partial_cmp",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "min",
    "max",
    "clamp",
];

#[test]
fn revisions_are_compared_in_one_file() {
    let mut findings = Vec::new();
    for crate_src in ["mcp-proto/src", "mcp-proto/driver/src", "mcp-tokio/src", "mcp-smol/src"] {
        let sources = shipped_sources(&workspace().join(crate_src));
        let others = sources.iter().filter(|source| source.module() != ["revision"]);
        findings.extend(
            others
                .flat_map(self::findings)
                .map(|found| format!("{crate_src}/{found}")),
        );
    }
    super::demand_none("ask a question of `Revision` rather than compare:", &findings);
}

fn findings(source: &Source) -> Vec<String> {
    let tokens = tokens(source.shipped_code());
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let fault = if names_a_revision(&tokens, at) {
            variant_fault(&tokens, at)
        } else {
            value_fault(&tokens, at)
        };
        found.extend(fault.map(|fault| source.finding(tokens[at].at, fault)));
    }
    found
}

/// Whether the tokens at `at` read `Revision::V…` or a constant of it.
fn names_a_revision(tokens: &[Token<'_>], at: usize) -> bool {
    let text = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text);
    let is_constant = text(2)
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    text(0) == "Revision" && text(1) == "::" && is_constant
}

/// How the `Revision::V…` at `at` is compared, if it is.
fn variant_fault(tokens: &[Token<'_>], at: usize) -> Option<String> {
    let text = |index: Option<usize>| index.and_then(|index| tokens.get(index)).map_or("", |token| token.text);
    let mut start = at;
    while ["::", "&", "*", "crate", "mcp_proto"].contains(&text(start.checked_sub(1))) {
        start -= 1;
    }
    let (before, after, method) = (text(start.checked_sub(1)), text(Some(at + 3)), text(Some(at + 4)));
    let name = tokens[at + 2].text;
    if COMPARISONS.contains(&before) || COMPARISONS.contains(&after) {
        return Some(format!("`{name}` is compared"));
    }
    if ["=>", "|"].contains(&after) || ["let", "|"].contains(&before) {
        return Some(format!("`{name}` is a pattern"));
    }
    if after == "." && METHODS.contains(&method) {
        return Some(format!("`{name}` is compared by `{method}`"));
    }
    in_matches(tokens, at).then(|| format!("`{name}` stands in `matches!`"))
}

/// Whether the position lies in the arguments of `matches!`.
fn in_matches(tokens: &[Token<'_>], at: usize) -> bool {
    let mut depth = 0usize;
    for index in (0..at).rev() {
        match tokens[index].text {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" if depth == 0 && index >= 2 && tokens[index - 2].text == "matches" => return true,
            "{" | ";" if depth == 0 => return false,
            "(" | "[" | "{" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// How a value with the name `revision` at `at` is ordered, if it is.
fn value_fault(tokens: &[Token<'_>], at: usize) -> Option<String> {
    let text = |index: Option<usize>| index.and_then(|index| tokens.get(index)).map_or("", |token| token.text);
    let name = tokens[at].text;
    if name != "revision" && !name.ends_with("_revision") {
        return None;
    }
    let mut start = at;
    while ["self", ".", "&", "*"].contains(&text(start.checked_sub(1))) {
        start -= 1;
    }
    let called = text(Some(at + 1)) == "(" && text(Some(at + 2)) == ")";
    let after = text(Some(if called { at + 3 } else { at + 1 }));
    let ordered = ORDERS.contains(&text(start.checked_sub(1))) || ORDERS.contains(&after);
    ordered.then(|| format!("`{name}` is ordered"))
}

mod tests {
    use super::*;

    fn run(text: &str) -> Vec<String> {
        findings(&Source::new("rpc.rs", text))
    }

    #[test]
    fn comparisons_are_found_in_every_spelling() {
        for text in [
            "if x >= Revision::V2025_06_18 {}",
            "if Revision::V2025_06_18 <= x {}",
            "if x == crate::Revision::LATEST {}",
            "if *x != &Revision::V2025_06_18 {}",
            "if matches!(x, Revision::V2025_06_18) {}",
            "if matches!(x, Some(Revision::V2025_06_18)) {}",
            "match x { Revision::V2025_06_18 => {} _ => {} }",
            "if let Revision::V2025_06_18 = x {}",
            "Revision::V2025_06_18.max(x);",
            "if self.revision < other {}",
            "if a > self.revision() {}",
            "if peer_revision >= b {}",
        ] {
            assert!(!run(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn questions_and_values_are_free() {
        for text in [
            "if revision.has_sessions() {}",
            "let x = Revision::V2025_06_18;",
            "if matches!(x, Some(_)) { f(Revision::V2025_06_18) }",
            "f(Revision::LATEST, y);",
            "const ALL: [Revision; 2] = [Revision::V2025_06_18, Revision::V2025_11_25];",
            "fn f(revision: Revision) -> Option<Revision> { Revision::parse(x) }",
            "match Revision::parse(x) { Some(revision) => revision, None => Revision::LATEST }",
            "#[cfg(test)] mod tests { fn f() { assert!(x == Revision::LATEST) } }",
        ] {
            assert_eq!(run(text), Vec::<String>::new(), "{text}");
        }
    }
}
