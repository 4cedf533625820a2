//! The async layer: futures and wakers over the machines. No IO, no runtime.

pub mod server;
mod wakers;
