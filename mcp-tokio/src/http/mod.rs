//! Streamable HTTP on hyper.

mod client;
mod exchange;
mod payload;
mod pool;
mod tasks;

pub use client::{HttpOptions, client_over_http};
