//! The acceptance scenarios A to K: the bug that this project starts from, and everything of its family.
//!
//! One test for each scenario, named by its id and written once; each runs on tokio and on smol, on one thread, and in
//! both eras of the protocol where they apply. What a scenario counts is asserted as it is; what it measures is held to
//! the hard limits (see `figures::hard`), and printed:
//!
//! ```sh
//! cargo test --release -p mcp-tests --test acceptance -- --nocapture | grep '^acceptance'
//! ```
//!
//! Elsewhere: A4 (other implementations) is the conformance suite; B2 (what the core depends on) is
//! `architecture/dependencies.rs`; H6, D6 and K4 wait for what is not built yet (resumption, requests of the server
//! inside of calls, client certificates).

mod boundary;
mod cancellation;
mod executor;
mod failing;
mod figures;
mod life;
mod lost;
mod reentrancy;
mod routing;
mod seed;
mod transports;

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
