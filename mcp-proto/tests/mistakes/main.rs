//! The usual mistakes of those who write handlers: each is answered by the compiler in words of ours, which say what to
//! change. What rustc says around them is its own affair, and may change with it. Of a future that is not `Send` rustc itself
//! says most: which value is held across which `.await`.
#![cfg(feature = "schema")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each program has before its line.
const HEAD: &str = "
#![allow(unused)]
use std::collections::BTreeMap;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Context, NoArgs, State, ToolError};
type Args = BTreeMap<String, String>;
struct Bare;
struct Unshared;
pub fn program() { let builder = Server::builder(\"a\", \"1\"); let _ = builder";

/// What is right, to find out how to compile at all.
const RIGHT: &str = r#".tool("a", "", |args: Args, context: Context| async move { Ok("x") })"#;

/// The mistake, what is written, and what is said.
const MISTAKES: [(&str, &str, &str); 8] = [
    (
        "arguments that are not read",
        r#".tool("a", "", |args: Bare| async move { Ok("x") })"#,
        "typed arguments derive both `serde::Deserialize` and `schemars::JsonSchema`",
    ),
    (
        "arguments without a schema",
        r#".tool("a", "", |args: std::num::Saturating<u8>| async move { Ok("x") })"#,
        "`Saturating<u8>` cannot be an argument of a handler",
    ),
    (
        "a context that is borrowed",
        r#".tool("a", "", |context: &Context| "x")"#,
        "the context is taken by value, as `Context`",
    ),
    (
        "two typed arguments",
        r#".tool("a", "", |a: Args, b: Args| async move { Ok("x") })"#,
        "put the fields of both into one struct",
    ),
    (
        "an error of another type",
        r#".tool("a", "", || async { Err::<String, String>(String::new()) })"#,
        "the error of the `Result` has to be `ToolError`",
    ),
    (
        "an output that is none",
        r#".tool("a", "", || async { Ok(5u8) })"#,
        "a tool returns text, content blocks, data as `Structured(..)`",
    ),
    (
        "state that is not `Clone`",
        r#".state(Unshared)"#,
        "each call gets a clone of the state: derive `Clone` for it",
    ),
    (
        "more arguments than six",
        r#".tool("a", "", |a: Context, b: Context, c: Context, d: Context, e: Context, f: Context, g: Context| "x")"#,
        "a handler is an `Fn` of up to six arguments",
    ),
];

#[test]
fn each_mistake_is_answered_in_our_words() {
    let dir = std::env::temp_dir().join(format!("mcp-mistakes-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let found = libraries()
        .into_iter()
        .find(|library| compile(&dir, library, RIGHT).is_ok());
    let library = found.expect("the library, as it was built for this test");
    let mut unsaid = Vec::new();
    for (mistake, line, expected) in MISTAKES {
        match compile(&dir, &library, line) {
            Ok(()) => unsaid.push(format!("{mistake}: it compiles")),
            // Where lines are broken is for rustc to say.
            Err(said) if said.split_whitespace().collect::<Vec<_>>().join(" ").contains(expected) => {}
            Err(said) => unsaid.push(format!("{mistake}, without {expected:?}:\n{said}")),
        }
    }
    fs::remove_dir_all(&dir).unwrap();
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n\n"));
}

/// The libraries of this crate that were built beside this test, the newest first.
fn libraries() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap();
    let entries = fs::read_dir(program.parent().unwrap()).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| {
            let name = entry.file_name().into_string().unwrap_or_default();
            name.starts_with("libmcp_proto-") && name.ends_with(".rlib")
        })
        .map(|entry| (entry.metadata().and_then(|it| it.modified()).unwrap(), entry.path()))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// Nothing, or what the compiler says. As far as code, where two typed arguments are noticed.
fn compile(dir: &Path, library: &Path, line: &str) -> Result<(), String> {
    let file = dir.join("program.rs");
    fs::write(&file, format!("{HEAD}{line}; }}")).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "obj",
            "--color",
            "never",
        ])
        .arg("-L")
        .arg(format!("dependency={}", library.parent().unwrap().display()))
        .arg("--extern")
        .arg(format!("mcp_proto={}", library.display()))
        .arg("--out-dir")
        .arg(dir)
        .arg(&file)
        .output()
        .expect("a compiler");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
