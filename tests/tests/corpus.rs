//! Replays the committed corpus of every fuzz target, and says which files a target fails on.

use std::collections::BTreeSet;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};

use mcp_fuzz::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The names of the entries of a folder, without what stands after a dot.
fn names(folder: &Path) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    files(folder).into_iter().map(stem).collect()
}

#[test]
fn every_target_takes_its_corpus() {
    let mut failures = Vec::new();
    for (name, target) in TARGETS {
        let seeds = files(&fuzz().join("corpus").join(name));
        assert!(seeds.len() >= 4, "{name} has only {} seeds", seeds.len());
        for seed in seeds {
            let bytes = fs::read(&seed).unwrap();
            assert!(bytes.len() < 2048, "{} is long for a seed", seed.display());
            if panic::catch_unwind(|| target(&bytes)).is_err() {
                failures.push(seed);
            }
        }
    }
    assert!(failures.is_empty(), "these inputs break an invariant: {failures:#?}");
}

#[test]
fn every_target_takes_nothing_and_noise() {
    for (name, target) in TARGETS {
        for input in [
            vec![],
            vec![0; 300],
            vec![0xFF; 300],
            (0..=255).cycle().take(1000).collect(),
        ] {
            assert!(
                panic::catch_unwind(|| target(&input)).is_ok(),
                "{name} on {:?}",
                &input[..input.len().min(4)]
            );
        }
    }
}

#[test]
fn every_target_has_a_fuzzer_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| String::from(*name)).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), targets);
    assert_eq!(names(&fuzz().join("corpus")), targets);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    assert_eq!(fuzzers(&manifest), targets);
    for name in targets {
        let fuzzer = fs::read_to_string(fuzz().join("fuzz_targets").join(&name).with_extension("rs")).unwrap();
        let body = format!("fuzz_target!(|data: &[u8]| mcp_fuzz::{name}::run(data));");
        assert!(fuzzer.contains(&body), "{name} runs what is replayed here");
    }
}

/// The names of the programs of a manifest.
fn fuzzers(manifest: &str) -> BTreeSet<String> {
    let bins = manifest.split("[[bin]]").skip(1);
    let name = |bin: &str| Some(bin.split_once("name = \"")?.1.split_once('"')?.0.to_owned());
    bins.filter_map(name).collect()
}
