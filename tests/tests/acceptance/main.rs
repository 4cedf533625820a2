//! The acceptance scenarios A to K: the bug that this project starts from, and everything of its family.
//!
//! One test for each scenario, named by its id and written once; each runs on tokio and on smol, on one thread, and in
//! both eras of the protocol where they apply. What a scenario counts is asserted as it is; what it measures is held to
//! the hard limits (see `figures::hard`), and printed:
//!
//! ```sh
//! cargo test --release -p mcp-tests --test acceptance -- --nocapture | grep -o 'acceptance .*'
//! ```
//!
//! Where a scenario counts threads, descriptors or memory, its test runs itself in a process of its own. I5 is as long as
//! `MCP_TESTS_SOAK=10` says. The twins of C, D, F, G, H and I on the pure machines, with virtual time, are
//! `tests/sessions` and `tests/pool` of `mcp-proto`.
//!
//! Elsewhere: A4 (other implementations) is the conformance suite; B2 (what the core depends on) is
//! `architecture/dependencies.rs`; J4 (hostile input) are the fuzzers and the simulation. H6 (resumption) waits for what is
//! not built yet.

mod asked;
mod boundary;
mod cancellation;
mod executor;
mod failing;
mod figures;
mod life;
mod lost;
mod mtls;
mod nested;
mod pool;
mod recovery;
mod reentrancy;
mod resources;
mod routing;
mod seed;
mod single_flight;
mod toolbox;
mod transports;
mod waiters;

use mcp_proto::Era;
use mcp_tests::runtime::{Flavour, Runtime};
use mcp_tests::world::{ERAS, Transport, World};

use figures::Figures;

/// Runs a scenario on each runtime and in each era.
fn each(id: &'static str, scenario: impl AsyncFn(&dyn Runtime, Era, Figures)) {
    for flavour in Flavour::ONE_THREAD {
        for era in ERAS {
            let figures = Figures::of(id, flavour, era);
            flavour.run(async |runtime| scenario(runtime, era, figures).await);
        }
    }
}

/// The same in a world with one of these transports.
fn each_over(id: &'static str, transports: &[Transport], scenario: impl AsyncFn(&World<'_>, Figures)) {
    for transport in transports {
        each(id, async |runtime, era, figures| {
            let world = World::start(runtime, *transport, era).await;
            scenario(&world, figures.over(*transport)).await;
        });
    }
}

/// Runs a scenario on each runtime, in each era, and on each of these ways.
fn each_way(id: &'static str, ways: &[Transport], scenario: impl AsyncFn(&dyn Runtime, Transport, Era, Figures)) {
    for way in ways {
        each(id, async |runtime, era, figures| {
            scenario(runtime, *way, era, figures.over(*way)).await
        });
    }
}
