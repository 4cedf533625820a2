//! Fuzz targets as plain functions over the public API of `mcp-proto`.
//!
//! Each module is one target: its `run` takes any bytes, and panics where an invariant does not hold. The fuzzers in
//! `fuzz_targets` and the replay of the committed corpus (`cargo test -p mcp-tests --test corpus`) call the same
//! functions.
//!
//! ```sh
//! cargo +nightly fuzz run -s none line -- -dict=fuzz/mcp.dict -max_total_time=600
//! ```
//!
//! The core has no unsafe code, so that the sanitizers (`-s none` leaves them out) find little and cost much. What a
//! fuzzer finds becomes a test beside the code; new seeds go to the corpus under a name of their own.

mod asked;
pub mod client;
mod cuts;
pub mod envelope;
pub mod header;
pub mod http_client;
pub mod http_server;
mod ledger;
pub mod line;
mod message;
pub mod pair;
pub mod pool;
mod reply;
pub mod rounds;
pub mod server;
mod settings;
pub mod sse;

/// A target: any bytes go in, and nothing may panic.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its fuzzer and of its corpus.
pub const TARGETS: [(&str, Target); 11] = [
    ("client", client::run),
    ("envelope", envelope::run),
    ("header", header::run),
    ("http_client", http_client::run),
    ("http_server", http_server::run),
    ("line", line::run),
    ("pair", pair::run),
    ("pool", pool::run),
    ("rounds", rounds::run),
    ("server", server::run),
    ("sse", sse::run),
];
