//! The README offers exactly the two commands that CI runs.

use std::fs;

use mcp_tests::source::workspace;

#[test]
fn the_readme_names_the_main_job_and_the_tests() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    let commands = commands(&readme);
    for expected in [
        "cargo run --release -p mcp-tokio --example self_call",
        "cargo test --workspace",
    ] {
        let found = commands.iter().filter(|command| **command == expected).count();
        assert_eq!(
            found, 1,
            "`{expected}` stands once in a fenced `sh` block, among {commands:?}"
        );
    }
}

/// The commands of the fenced `sh` blocks, one a line.
fn commands(readme: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() {
            found.push(line.trim());
        }
    }
    found
}

#[test]
fn only_lines_in_sh_blocks_are_commands() {
    let readme = "cargo a\n```sh\ncargo b\n\ncargo c\n```\n```rust\ncargo d\n```\ncargo e\n";
    assert_eq!(commands(readme), ["cargo b", "cargo c"]);
    assert!(commands("no block").is_empty());
}
