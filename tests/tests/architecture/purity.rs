//! `mcp-proto` has no clock, thread, socket, file, environment, randomness, runtime or shared static.

use mcp_tests::source::{Source, Token, first_names, shipped_sources, tokens, workspace};

/// What of `std` the core may name beyond `core` and `alloc`, in the modules that may.
const HANDLES: [&str; 2] = ["handle", "toolbox"];
const HANDLE_STD: [&str; 3] = ["sync", "task", "panic"];

/// Names that stand for a clock, a runtime, randomness or output, wherever they come from.
const IMPURE: [&str; 20] = [
    "Instant",
    "SystemTime",
    "thread",
    "thread_local",
    "tokio",
    "smol",
    "async_io",
    "async_std",
    "futures_io",
    "hyper",
    "mio",
    "rand",
    "getrandom",
    "fastrand",
    "println",
    "print",
    "eprintln",
    "eprint",
    "dbg",
    "RandomState",
];

/// What makes a `static` shared state.
const SHARED: [&str; 9] = [
    "mut",
    "Mutex",
    "RwLock",
    "OnceLock",
    "OnceCell",
    "LazyLock",
    "Cell",
    "RefCell",
    "UnsafeCell",
];

#[test]
fn the_core_is_pure() {
    let sources = shipped_sources(&workspace().join("mcp-proto/src"));
    assert!(!sources.is_empty());
    let findings: Vec<String> = sources.iter().flat_map(findings).collect();
    super::demand_none(
        "mcp-proto has no IO, clock, randomness, runtime or shared static:",
        &findings,
    );
}

fn findings(source: &Source) -> Vec<String> {
    let tokens = tokens(source.shipped_code());
    let in_handle = source
        .module()
        .first()
        .is_some_and(|module| HANDLES.contains(&module.as_str()));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let rest = &tokens[at + 1..];
        if IMPURE.contains(&token.text) {
            found.push(source.finding(token.at, format!("`{}`", token.text)));
        }
        if token.text == "std" && rest.first().is_some_and(|next| next.text == "::") {
            let allowed = |name: &Token<'_>| in_handle && HANDLE_STD.contains(&name.text);
            let refused = first_names(&rest[1..]).into_iter().filter(|name| !allowed(name));
            found.extend(refused.map(|name| source.finding(name.at, format!("`std::{}`", name.text))));
        }
        if token.text == "static" && (at == 0 || tokens[at - 1].text != "'") {
            let declaration = rest.iter().take_while(|token| !["=", ";"].contains(&token.text));
            let shared = |name: &str| SHARED.contains(&name) || name.starts_with("Atomic");
            let held = declaration.into_iter().find(|token| shared(token.text));
            found.extend(held.map(|held| source.finding(token.at, format!("a static with `{}`", held.text))));
        }
    }
    found
}

mod tests {
    use super::*;

    fn run(path: &str, text: &str) -> usize {
        findings(&Source::new(path, text)).len()
    }

    #[test]
    fn plain_code_is_pure() {
        for text in [
            "use core::time::Duration; use alloc::vec::Vec;",
            "static TABLE: [u8; 2] = [1, 2]; fn f(x: &'static mut Cell) {}",
            "// std::fs
",
            "fn f() { g(\"std::fs Instant\") }",
            "#[cfg(test)] mod tests { use std::thread; }",
        ] {
            assert_eq!(run("rpc.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn each_impurity_is_found() {
        for text in [
            "use std::time::Instant;",
            "fn f(x: std::fs::File) {}",
            "use std::{net::TcpStream};",
            "fn f() { tokio::spawn(g()); }",
            "fn f() { println!(\"x\"); }",
            "static POOL: Mutex<u8> = Mutex::new(0);",
            "static COUNT: core::sync::atomic::AtomicU64 = AtomicU64::new(0);",
            "static mut X: u8 = 0;",
            "use std::sync::Mutex;",
        ] {
            assert!(run("rpc.rs", text) > 0, "{text}");
        }
        assert_eq!(
            run("http/mod.rs", "use std::{sync::Arc, task::Waker, io::{Read, Write}};"),
            3
        );
    }

    #[test]
    fn the_handles_may_lock_and_wake_and_no_more() {
        assert_eq!(run("handle/mod.rs", "use std::{sync::{Arc, Mutex}, task::Waker};"), 0);
        assert_eq!(run("handle/mod.rs", "use std::{sync::Arc, collections::HashMap};"), 1);
        assert_eq!(run("handle.rs", "use std::env;"), 1);
    }
}
