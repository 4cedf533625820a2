//! Servers over their standard streams, and clients of child processes, on both runtimes.
#![cfg(target_os = "linux")]

mod calls;
mod ends;
mod restarts;
mod streams;
mod world;
