//! The adapters move bytes and deadlines and speak no protocol.

use mcp_tests::source::{Source, shipped_sources, workspace};

/// Words of the protocol. Case does not matter.
const WORDS: [&str; 12] = [
    "jsonrpc",
    "initialize",
    "event-stream",
    "last-event",
    "last_event",
    "cancelled",
    "progress",
    "notifications/",
    "mcp-session",
    "mcp-protocol",
    "mcp-method",
    "mcp-param",
];

/// Words of the protocol in this very spelling.
const SPELLINGS: [&str; 1] = ["Mcp-"];

#[test]
fn the_adapters_hold_no_protocol_words() {
    let mut findings = Vec::new();
    for adapter in ["mcp-tokio/src", "mcp-smol/src"] {
        let sources = shipped_sources(&workspace().join(adapter));
        assert!(!sources.is_empty(), "{adapter}");
        findings.extend(
            sources
                .iter()
                .flat_map(self::findings)
                .map(|found| format!("{adapter}/{found}")),
        );
    }
    super::demand_none("the adapters know nothing of the protocol:", &findings);
}

fn findings(source: &Source) -> Vec<String> {
    let shipped = source.shipped();
    let lower = shipped.to_ascii_lowercase();
    let spelled = SPELLINGS.iter().flat_map(|word| shipped.match_indices(word));
    let found = WORDS.iter().flat_map(|word| lower.match_indices(word)).chain(spelled);
    found
        .map(|(at, word)| source.finding(at, format!("`{word}`")))
        .collect()
}

mod tests {
    use super::*;

    fn run(text: &str) -> usize {
        findings(&Source::new("http.rs", text)).len()
    }

    #[test]
    fn words_in_code_and_strings_are_found() {
        for text in [
            "use mcp_proto::jsonrpc::Id;",
            "head.insert(\"Mcp-Name\", value);",
            "head.insert(\"mcp-session-id\", value);",
            "if kind == \"text/event-stream\" {}",
            "fn on_progress() {}",
            "let x = CancelledNotification;",
            "const LAST_EVENT_ID: &str = X;",
        ] {
            assert_eq!(run(text), 1, "{text}");
        }
    }

    #[test]
    fn comments_tests_and_the_crates_own_name_are_free() {
        for text in [
            "/// Ends when the call is cancelled.\nfn f() {}",
            "#[cfg(test)] mod tests { const X: &str = \"initialize\"; }",
            "const NAME: &str = \"mcp-tokio\";",
        ] {
            assert_eq!(run(text), 0, "{text}");
        }
    }
}
