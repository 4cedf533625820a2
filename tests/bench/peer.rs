//! The peer that is measured beside ours: rmcp, in a program of its own that is built here, once, from
//! `tests/bench/rmcp`. Nothing of the workspace depends on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/rmcp/Cargo.toml");

/// Where it is; `None`, said loudly, where it cannot be had.
pub(crate) fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    PROGRAM.get_or_init(build).as_deref()
}

/// Whether a server can be started: ours always can.
pub(crate) fn has(server: &str) -> bool {
    !server.starts_with("rmcp ") || program().is_some()
}

/// The folder that builds of the benchmark's own go to, beside its own program.
pub(crate) fn target(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("this program");
    own.ancestors().nth(2).expect("a target folder").join(name)
}

fn build() -> Option<PathBuf> {
    let target = target("rmcp");
    eprintln!(
        "building rmcp into {}, which takes minutes the first time",
        target.display()
    );
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--quiet",
        "--release",
        "--locked",
        "--manifest-path",
        MANIFEST,
        "--target-dir",
    ]);
    if cargo.arg(&target).status().is_ok_and(|status| status.success()) {
        return Some(target.join("release/bench-rmcp"));
    }
    println!("\nrmcp CANNOT BE HAD: NO ROW HAS IT BESIDE OURS.");
    None
}
