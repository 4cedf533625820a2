//! Servers as applications make them, on a byte stream without a runtime.
#![cfg(feature = "schema")]

mod life;
mod support;
mod tools;
