//! A proxy: one server's side and one client's side, joined.

mod answers;
mod askers;
mod facade;
mod requests;

pub use facade::Proxy;
