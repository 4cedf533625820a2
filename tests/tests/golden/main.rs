//! Whole conversations in each revision, as literal text in `golden/`.
//!
//! A difference is a change on the wire: where it is meant, `UPDATE_GOLDEN=1 cargo test -p mcp-tests --test golden`
//! writes the files anew, and the new ones have to be what the specification says.

mod conversation;
mod model;

use std::path::PathBuf;
use std::{env, fs};

use mcp_proto::Revision;
use mcp_tests::pair::Setup;

use conversation::{Conversation, LINES_OF_HTTP, LINES_OF_STREAMS};

fn streams(revision: Revision) -> String {
    let mut conversation = Conversation::new(Setup::speaking(revision).stream());
    conversation.hold(revision);
    if revision.has_server_requests() {
        conversation.server_pings();
    }
    if revision.allows_batches() {
        conversation.batch();
    }
    conversation.finish(&format!("MCP {revision} on a byte stream"), LINES_OF_STREAMS)
}

fn http(revision: Revision) -> String {
    let mut conversation = Conversation::new(Setup::speaking(revision).http());
    conversation.hold(revision);
    if revision.has_sessions() {
        conversation.close();
    }
    conversation.finish(&format!("MCP {revision} over Streamable HTTP"), LINES_OF_HTTP)
}

/// Every conversation, with the name of its file.
fn conversations() -> impl Iterator<Item = (String, String)> {
    let streams = Revision::ALL
        .into_iter()
        .map(|revision| (format!("stream-{revision}.txt"), streams(revision)));
    let with_http = Revision::ALL
        .into_iter()
        .filter(|revision| revision.has_streamable_http());
    streams.chain(with_http.map(|revision| (format!("http-{revision}.txt"), http(revision))))
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden", name].iter().collect()
}

#[test]
fn conversations_are_word_for_word_what_the_files_say() {
    for (name, said) in conversations() {
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(path(&name), &said).expect("the file can be written");
        }
        let golden = fs::read_to_string(path(&name)).unwrap_or_default();
        let differs = golden
            .lines()
            .zip(said.lines())
            .position(|(golden, said)| golden != said);
        if let Some(at) = differs {
            let line = |text: &str| String::from(text.lines().nth(at).unwrap_or_default());
            panic!(
                "{name}:{}\n  the file: {}\n  now:      {}",
                at + 1,
                line(&golden),
                line(&said)
            );
        }
        assert_eq!(golden, said, "{name}: one is longer than the other");
    }
}

#[test]
fn every_message_is_one_of_the_model_and_nothing_more() {
    for (name, said) in conversations() {
        let count = model::check(&said).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(count >= 12, "{name}: only {count} messages");
    }
}

/// What no revision without a word may say, and what every revision with it has to.
#[test]
fn eras_do_not_mix() {
    for (name, said) in conversations() {
        let is_modern = name.contains("2026-07-28");
        for word in [
            "resultType",
            "ttlMs",
            "cacheScope",
            "server/discover",
            "io.modelcontextprotocol/clientInfo",
        ] {
            assert_eq!(said.contains(word), is_modern, "{name}: {word}");
        }
        for word in [
            r#""method":"initialize""#,
            "notifications/initialized",
            r#""method":"ping""#,
        ] {
            assert_eq!(said.contains(word), !is_modern, "{name}: {word}");
        }
        let has_session = name.starts_with("http") && !is_modern;
        assert_eq!(said.contains("mcp-session-id"), has_session, "{name}");
        assert!(!said.contains(r#""_meta":{}"#), "{name}: an empty _meta");
        // JSON-RPC 2.0, 5: the answer to what has no readable id has the id null.
        assert_eq!(
            said.contains(":null"),
            name == "stream-2025-03-26.txt",
            "{name}: a null"
        );
    }
}
