//! A small reader of Rust source for the tests that guard the architecture.
//!
//! It knows comments, literals, `#[cfg(test)]` items and paths, and nothing else of the language: enough to ask
//! which words stand in the code that ships, and which file imports from which.

mod exports;
mod file;
mod imports;
mod lexer;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

pub use exports::{Exports, public_types};
pub use file::Source;
pub use imports::Imports;
pub use tokens::{Token, first_names, tokens};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the tests package lies in the workspace")
        .to_path_buf()
}

/// Every Rust file below `dir` that is part of the shipped crate, sorted by path: files of modules that
/// are declared under `#[cfg(test)]` are left out.
pub fn shipped_sources(dir: &Path) -> Vec<Source> {
    let mut sources = all_sources(dir);
    let tests: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| {
            source.test_modules.iter().map(|name| {
                let mut module = source.module();
                module.push(name.clone());
                module
            })
        })
        .collect();
    sources.retain(|source| !tests.iter().any(|test| source.module().starts_with(test)));
    sources
}

/// Every Rust file below `dir`, sorted by path; build output and hidden directories are passed over.
pub fn all_sources(dir: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries = fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display()));
        for entry in entries {
            let path = entry.expect("a directory entry").path();
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            if path.is_dir() {
                if name != "target" && name != "node_modules" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let relative = path.strip_prefix(dir).expect("below the directory");
                sources.push(Source::new(relative, text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}
