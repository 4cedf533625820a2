//! Our clients and servers with those of others, versions pinned, on both runtimes.
//!
//! | ours | theirs | over | file |
//! |---|---|---|---|
//! | a client | `server-everything` | stdio, Streamable HTTP, HTTP+SSE | `everything` |
//! | a client | `server-filesystem`, `server-memory` | stdio | `references` |
//! | a client | servers of the TypeScript and the Python SDK, in both eras | stdio, Streamable HTTP, HTTP+SSE | `servers` |
//! | a server | clients of the TypeScript and the Python SDK, in both eras | stdio, Streamable HTTP, HTTP+SSE | `clients` |
//! | a proxy | a client of the TypeScript SDK, and `server-everything` | stdio, Streamable HTTP | `proxied` |
//!
//! Behind the feature `interop`: `.ci/run interop` installs what they need, and says in `INTEROP` where that is.
#![cfg(feature = "interop")]

mod clients;
mod everything;
mod home;
mod peer;
mod program;
mod proxied;
mod references;
mod servers;
mod world;
