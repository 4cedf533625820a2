//! The borders of the architecture: what each crate and each layer may name, and what may depend on what.
//!
//! Every rule is a function from source text to findings, and each file here also proves on a sample that
//! its rule can be broken.

mod adapters;
mod circles;
mod decisions;
mod dependencies;
mod drivers;
mod hygiene;
mod layers;
mod names;
mod parity;
mod purity;
mod revisions;
mod semver;

/// Fails with the findings, one a line.
fn demand_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
