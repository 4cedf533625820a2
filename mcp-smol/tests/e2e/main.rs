//! Our own client against our own server, over everything, on every kind of executor.

mod http;
mod memory;
mod stream;
mod world;
