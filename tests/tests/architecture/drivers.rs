//! What drivers are made of knows no runtime, and the core knows nothing of what is driven.

use std::fs;

use mcp_tests::source::{Source, shipped_sources, tokens, workspace};

/// Runtimes, and what belongs to one.
const RUNTIMES: [&str; 12] = [
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "hyper_util",
    "smol",
    "smol_hyper",
    "async_io",
    "async_net",
    "async_process",
    "async_std",
    "blocking",
    "futures_rustls",
];

/// Words of processes, connections and bodies, which the core has none of.
const DRIVEN: [&str; 9] = [
    "hyper",
    "rustls",
    "http_body",
    "h2",
    "rustix",
    "Stdio",
    "Process",
    "TcpStream",
    "ExitStatus",
];

/// A word that the core has only where it says how servers are reached, as data.
const STORED: (&str, &str) = ("Child", "sessions");

#[test]
fn what_drivers_are_made_of_names_no_runtime() {
    let sources = shipped_sources(&workspace().join("mcp-proto/driver/src"));
    assert!(sources.iter().any(|source| source.path.ends_with("lanes.rs")));
    let mut findings: Vec<_> = sources.iter().flat_map(|source| named(source, &RUNTIMES)).collect();
    let manifest = fs::read_to_string(workspace().join("mcp-proto/driver/Cargo.toml")).expect("Cargo.toml");
    let dependencies = direct(&manifest);
    assert!(dependencies.iter().any(|name| name == "mcp_proto"), "{dependencies:?}");
    findings.extend(
        dependencies
            .into_iter()
            .filter(|name| RUNTIMES.contains(&name.as_str())),
    );
    super::demand_none("mcp-driver is for any runtime:", &findings);
}

#[test]
fn the_core_has_no_words_of_what_is_driven() {
    let sources = shipped_sources(&workspace().join("mcp-proto/src"));
    let mut findings: Vec<_> = sources.iter().flat_map(|source| named(source, &DRIVEN)).collect();
    let (word, module) = STORED;
    let others = sources
        .iter()
        .filter(|source| source.module().first().is_none_or(|first| first != module));
    findings.extend(others.flat_map(|source| named(source, &[word])));
    super::demand_none("processes, connections and bodies are for mcp-driver:", &findings);
}

/// Where the code that ships names one of these.
fn named(source: &Source, words: &[&str]) -> Vec<String> {
    let tokens = tokens(source.shipped_code());
    let found = tokens.iter().filter(|token| words.contains(&token.text));
    found
        .map(|token| source.finding(token.at, format!("`{}`", token.text)))
        .collect()
}

/// The dependencies in a manifest, of all targets but without those of its tests, as code names them.
fn direct(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]") && !line.contains("dev-dependencies");
        } else if inside && !line.starts_with('#') {
            let name = line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty());
            found.extend(name.map(|name| name.replace('-', "_")));
        }
    }
    found
}

mod tests {
    use super::*;

    #[test]
    fn runtimes_are_found_in_code_and_not_in_comments() {
        let found = |text: &str| named(&Source::new("a.rs", text), &RUNTIMES).len();
        assert_eq!(found("use tokio::net; fn f() { smol::block_on(g()) }"), 2);
        assert_eq!(found("// tokio\nfn f() { g(\"smol\") }"), 0);
    }

    #[test]
    fn dependencies_of_every_target_are_found_but_for_those_of_tests() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na-b.workspace = true\nc = \"1\"\n\n\
                        [target.'cfg(unix)'.dependencies]\nd = { version = \"1\" }\n[dev-dependencies]\ne = \"1\"\n";
        assert_eq!(direct(manifest), ["a_b", "c", "d"]);
    }
}
