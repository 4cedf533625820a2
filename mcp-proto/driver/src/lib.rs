//! For authors of adapters: what drivers of `mcp-proto` are made of, whatever their runtime.
//!
//! [`mcp_proto`] is the protocol, as machines and as futures without IO; an adapter moves bytes and deadlines between it
//! and a runtime. What every adapter does in the same way is here, and what only a runtime can say is asked of the
//! adapter. Applications need an adapter, such as `mcp-tokio` or `mcp-smol`, and not this crate.
//!
//! - Any driver: a [`Timer`](mcp_proto::handle::Timer), the clock and deadline of the adapter, and [`SpareTimer`], one for
//!   many deadlines; [`Nursery`], futures that are handed in by what runs beside them; [`Closing`], which tells what runs
//!   to end.
//! - Byte streams: [`Lanes`] drives one connection.
//! - Stored transports: [`Resolver`] says what to connect to.
//! - Child processes, with the feature `child`.
//! - HTTP, with the feature `http`: a whole client but for its connections, and all that a server does beside IO.
//!
//! # Writing an adapter
//!
//! 1. Implement [`Clock`] for the clock of the runtime: its [`timer`](Clock::timer) is the
//!    [`Timer`](mcp_proto::handle::Timer) of every driver.
//! 2. Byte streams: give [`drive_steps`] a closure that does one [`Step`] on a stream of the runtime. Listeners accept,
//!    bear failures by [`rest_after`], and end their connections with [`Serving`].
//! 3. Children: implement `child::Process` for a child of the runtime, and drive it with `child::client_over_child`.
//! 4. HTTP: implement `http::Network` for the sockets of the runtime and `http::ServerRuntime` for the runtime itself;
//!    `http::client_over_http` is the client then, and `http::Connections` serves what a listener accepts.
//!
//! Every future here is polled by whoever drives it, and nothing is spawned behind its back; dropping it ends what it
//! drives.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

extern crate alloc;

#[cfg(feature = "child")]
pub mod child;
mod clock;
mod closing;
mod connect_error;
#[cfg(test)]
mod count;
#[cfg(unix)]
pub mod descriptor;
mod grace;
#[cfg(feature = "http")]
pub mod http;
mod lanes;
mod nursery;
mod resolver;
mod serving;
mod spare;
#[cfg(unix)]
mod stdio;

pub use clock::{Clock, ClockTimer, FAR, wait, within};
pub use closing::{Closing, Watch, either, end_upon, unless};
pub use connect_error::ConnectError;
pub use lanes::{Failure, LEAST_READ_BYTES, Lanes, READ_BYTES, Step, drive_steps, make_room};
pub use nursery::{Nursery, Spawner};
#[cfg(feature = "http")]
pub use resolver::HttpFiles;
pub use resolver::{Resolved, Resolver, Route, reached, unsupported};
pub use serving::{Serving, rest_after, serve_until};
pub use spare::{Deadline, SpareTimer};
#[cfg(unix)]
pub use stdio::{StandardStream, serve_stdio};
