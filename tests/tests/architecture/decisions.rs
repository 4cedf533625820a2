//! The async layer of the HTTP server has locks, wakers and handlers; what is answered is decided by the machine.

use mcp_tests::source::{Source, shipped_sources, tokens, workspace};

/// Where no decision is made.
const ASYNC_LAYER: &str = "mcp-proto/src/handle/server/http";

/// What decisions are made of: also as a part of a name, since an alias or a wrapper decides as much.
const DECISIONS: [&str; 5] = ["StatusCode", "Refusal", "Method", "Batch", "Revision"];

/// Half of the 1,828 lines of code that decided it all in place; what streams need that are resumed, the second connection of
/// an exchange and the lock of what is kept; what hands on who asks, when, and what a handler has asked; and what is counted of
/// streams that nobody reads.
const MOST_LINES: usize = 914 + 226 + 22 + 40;

#[test]
fn the_async_layer_of_the_http_server_decides_nothing() {
    let findings: Vec<_> = sources().iter().flat_map(decisions).collect();
    super::demand_none("this is for the machine in `server::http`:", &findings);
}

#[test]
fn the_async_layer_of_the_http_server_is_small() {
    let lines: usize = sources().iter().map(code_lines).sum();
    assert!(
        lines > 0 && lines <= MOST_LINES,
        "{lines} lines of code, {MOST_LINES} at most"
    );
}

fn sources() -> Vec<Source> {
    shipped_sources(&workspace().join(ASYNC_LAYER))
}

fn decisions(source: &Source) -> Vec<String> {
    let tokens = tokens(source.shipped_code());
    let found = tokens
        .iter()
        .filter(|token| DECISIONS.iter().any(|word| token.text.contains(word)));
    found
        .map(|token| source.finding(token.at, format!("`{}`", token.text)))
        .collect()
}

fn code_lines(source: &Source) -> usize {
    let lines = source.shipped().lines();
    lines.filter(|line| !line.trim().is_empty()).count()
}

mod tests {
    use super::*;

    #[test]
    fn decisions_are_found_under_any_name() {
        let found = |text: &str| decisions(&Source::new("a.rs", text)).len();
        assert_eq!(found("use http::{StatusCode as S}; fn f(_: &MethodName) {}"), 2);
        assert_eq!(found("/// A [`Refusal`].\nfn f() { g(\"Batch\") }"), 0);
    }

    #[test]
    fn comments_and_tests_are_no_lines_of_code() {
        let text = "//! A noun.\n\nfn f() {} // why\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        assert_eq!(code_lines(&Source::new("a.rs", text)), 1);
    }
}
