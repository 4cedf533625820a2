//! What the crates depend on: few packages, no runtime, and none that asks for a newer compiler than we do.

use std::collections::BTreeSet;
use std::process::Command;

use mcp_tests::source::workspace;
use serde_json::Value;

/// The direct dependencies of `mcp-proto` without features.
const MINIMAL: [&str; 5] = ["base64", "bytes", "memchr", "serde", "serde_json"];

/// The most crates that `mcp-proto` may build, itself and procedural macros included.
const MOST_MINIMAL: usize = 14;
/// Of these, 15 seal what clients carry from one round of input to the next: the parts of one cipher are crates of their own.
/// One more is the trait of streams, which depends on nothing.
const MOST_WITH_ALL_FEATURES: usize = 37 + 1;

/// The normal dependencies of `mcp-smol`, one a line, with their features.
const SMOL: [&str; 9] = [
    "tree",
    "-p",
    "mcp-smol",
    "-e",
    "normal",
    "--prefix",
    "none",
    "-f",
    "{p} [{f}]",
];

/// Runtimes and whatever does IO or reads a clock or randomness.
const IMPURE: [&str; 18] = [
    "tokio",
    "tokio-util",
    "smol",
    "async-io",
    "async-std",
    "async-executor",
    "hyper",
    "hyper-util",
    "mio",
    "polling",
    "socket2",
    "rustix",
    "libc",
    "rand",
    "getrandom",
    "fastrand",
    "rustls",
    "chrono",
];

#[test]
fn the_core_without_features_is_small() {
    let direct = names(&tree(&["--no-default-features", "--depth", "1"]));
    let expected = MINIMAL
        .iter()
        .map(|name| (*name).to_owned())
        .chain(["mcp-proto".to_owned()])
        .collect();
    assert_eq!(direct, expected);
    ceiling(&tree(&["--no-default-features"]), MOST_MINIMAL);
}

#[test]
fn the_core_with_all_features_is_small_and_has_no_runtime() {
    let listing = tree(&["--all-features"]);
    ceiling(&listing, MOST_WITH_ALL_FEATURES);
    super::demand_none("mcp-proto depends on IO or a runtime:", &impure(&names(&listing)));
}

#[test]
fn the_core_without_features_leaves_std_off() {
    let listing = tree(&["--no-default-features", "-e", "no-proc-macro"]);
    super::demand_none(
        "a dependency of mcp-proto brings in the standard library:",
        &with_std(&listing),
    );
}

#[test]
fn smol_brings_no_other_runtime() {
    for (features, tokio, tokio_util) in [
        ([].as_slice(), HTTP1_OF_TOKIO.as_slice(), [].as_slice()),
        (&["--all-features"], &HTTP2_OF_TOKIO, &HTTP2_OF_TOKIO_UTIL),
    ] {
        let listing = cargo(&[&SMOL, features].concat());
        assert!(names(&listing).contains("async-io"), "{listing}");
        super::demand_none(
            "mcp-smol needs tokio for more than hyper does:",
            &runtimes(&listing, tokio, tokio_util),
        );
    }
}

#[test]
fn no_dependency_needs_a_newer_compiler_than_we_ask_for() {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1"])).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let own = packages
        .iter()
        .find(|package| package["name"] == "mcp-proto")
        .expect("mcp-proto");
    let own = version(own["rust_version"].as_str().expect("rust-version in Cargo.toml"));
    super::demand_none("rust-version in Cargo.toml is too low for:", &newer(packages, own));
}

/// The normal dependencies of `mcp-proto`, one a line, with their features.
fn tree(arguments: &[&str]) -> String {
    let fixed = [
        "tree",
        "-p",
        "mcp-proto",
        "-e",
        "normal",
        "--prefix",
        "none",
        "-f",
        "{p} [{f}]",
    ];
    cargo(&[&fixed, arguments].concat())
}

/// What `cargo` prints.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--locked")
        .current_dir(workspace())
        .output();
    let output = output.expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// The crate names of a listing.
fn names(listing: &str) -> BTreeSet<String> {
    listing
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn ceiling(listing: &str, most: usize) {
    let names = names(listing);
    assert!(names.len() <= most, "{} crates, {most} at most: {names:?}", names.len());
}

fn impure(names: &BTreeSet<String>) -> Vec<String> {
    names
        .iter()
        .filter(|name| IMPURE.contains(&name.as_str()))
        .cloned()
        .collect()
}

/// What hyper takes of tokio: channels, and for HTTP/2 the traits and codecs of `h2`. None of it does IO or knows a
/// runtime.
const HTTP1_OF_TOKIO: [&str; 2] = ["default", "sync"];
const HTTP2_OF_TOKIO: [&str; 4] = ["bytes", "default", "io-util", "sync"];
const HTTP2_OF_TOKIO_UTIL: [&str; 4] = ["codec", "default", "io", "libc"];

/// The lines of a listing that bring in tokio, but for these features of it and of `tokio-util`, which is not to be there
/// at all where none is named.
fn runtimes(listing: &str, tokio: &[&str], tokio_util: &[&str]) -> Vec<String> {
    let only = |line: &str, allowed: &[&str]| features(line).all(|feature| allowed.contains(&feature));
    let brings = |line: &&str| match line.split_whitespace().next() {
        Some("tokio") => !only(line, tokio),
        Some("tokio-util") => tokio_util.is_empty() || !only(line, tokio_util),
        Some(name) => name.starts_with("tokio-") || name == "mio" || name == "hyper-util",
        None => false,
    };
    listing.lines().filter(brings).map(str::to_owned).collect()
}

/// The features in a line of a listing.
fn features(line: &str) -> impl Iterator<Item = &str> {
    let list = line.split_once('[').and_then(|(_, rest)| Some(rest.split_once(']')?.0));
    list.into_iter().flat_map(|list| list.split(','))
}

/// The lines of a listing whose features name `std`.
fn with_std(listing: &str) -> Vec<String> {
    let has_std = |line: &&str| features(line).any(|feature| feature == "std");
    listing.lines().filter(has_std).map(str::to_owned).collect()
}

/// The packages that ask for a compiler newer than `own`.
fn newer(packages: &[Value], own: Vec<u64>) -> Vec<String> {
    let asked = |package: &Value| Some(version(package["rust_version"].as_str()?));
    let newer = packages
        .iter()
        .filter(|package| asked(package).is_some_and(|asked| asked > own));
    newer
        .map(|package| format!("{} {}", package["name"], package["rust_version"]))
        .collect()
}

/// `1.88` as three numbers.
fn version(text: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = text.split('.').map(|part| part.parse().expect("a number")).collect();
    numbers.resize(3, 0);
    numbers
}

mod tests {
    use super::*;

    #[test]
    fn runtimes_are_found() {
        assert_eq!(
            impure(&names("a v1 []\ntokio v1.2.3 [rt]\ntokio-macros v2 [] (*)")),
            ["tokio"]
        );
    }

    #[test]
    fn tokio_is_found_but_for_what_hyper_takes() {
        let listing = "tokio v1.2.3 [default,sync]\na v1 []\ntokio v1.2.3 [default,rt,sync]\ntokio-util v1 [codec]\n\
                       tokio-util v1 [codec,net]\ntokio-stream v1 [default]\nmio v1 []";
        let found = |tokio: &[&str], tokio_util: &[&str]| runtimes(listing, tokio, tokio_util).len();
        assert_eq!(found(&HTTP2_OF_TOKIO, &HTTP2_OF_TOKIO_UTIL), 4);
        assert_eq!(found(&HTTP1_OF_TOKIO, &[]), 5);
        assert_eq!(
            runtimes("tokio v1.2.3 [bytes,default,io-util,sync]", &HTTP1_OF_TOKIO, &[]).len(),
            1
        );
    }

    #[test]
    fn std_is_found_as_a_whole_word() {
        assert_eq!(with_std("a v1 [alloc,std]\nb v1 [nostd,std-x]\nc v1 []").len(), 1);
    }

    #[test]
    fn too_many_crates_are_found() {
        ceiling("a v1 []\nb v1 []\na v1 [] (*)", 2);
        assert!(std::panic::catch_unwind(|| ceiling("a v1 []\nb v1 []", 1)).is_err());
    }

    #[test]
    fn newer_compilers_are_found() {
        let packages = [
            serde_json::json!({"name": "a", "rust_version": "1.88.1"}),
            serde_json::json!({"name": "b"}),
        ];
        assert_eq!(newer(&packages, version("1.88")).len(), 1);
        assert!(newer(&packages, version("1.88.1")).is_empty());
        assert!(version("1.100") > version("1.99"));
    }
}
