//! Servers as applications make them, on a byte stream without a runtime.
#![cfg(feature = "schema")]

mod connection;
mod features;
mod life;
mod local;
mod shapes;
mod support;
mod tools;
