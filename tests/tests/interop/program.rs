//! A program of others that says what it has seen.

use std::ffi::OsStr;
use std::process::Stdio;

use mcp_driver::child::Command;
use serde_json::Value;

/// What a program says at its end: one line of JSON.
///
/// # Panics
/// Where it fails, and says why.
pub(crate) fn said<S: AsRef<OsStr>>(program: &Command, arguments: &[S]) -> Value {
    let output = std::process::Command::new(program.program())
        .args(program.arguments())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("a program");
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
