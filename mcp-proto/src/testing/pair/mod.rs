//! A client and a server in one thread, on virtual time, with a seeded network between them.
//!
//! [`Pair::step`] drives both until they run dry, and then moves the clock to the next thing that happens: an
//! arrival, a timeout, or something the application behind the server has planned. Nothing waits.

mod application;
mod http;
mod http_host;
mod ledger;
mod machines;
mod pair_link;
mod record;
mod setup;
mod stream;
mod wire;

pub use application::{Application, Desk, Order, Plan, Said, tools};
pub use http::HttpLink;
pub use http_host::HttpHost;
pub use machines::{Livelock, Pair};
pub use pair_link::PairLink;
pub use record::{Outcome, Record};
pub use setup::Setup;
pub use stream::StreamLink;
pub use wire::{Fate, Heard};
