//! Our client and server on tokio, in memory.

use std::cell::Cell;
use std::rc::Rc;

use mcp_proto::handle::Client;
use tokio::io::duplex;
use tokio::task::{JoinSet, LocalSet};

use super::handles::echo_server;
use super::http_client::work;
use super::machines::client_config;
use crate::messages::Era;
use crate::subject::current_thread;

/// What the bytes go over.
#[derive(Clone, Copy)]
pub(crate) enum Over {
    /// Handed from pump to pump.
    Memory,
    /// A pipe of tokio, with a driver at each end.
    Duplex,
}

/// Calls with `window` in flight, from as many tasks.
pub(crate) fn calls(over: Over, era: Era, window: usize) -> impl FnMut(u64) {
    let runtime = current_thread();
    let tasks = LocalSet::new();
    let (client, near) = Client::over_stream(client_config(era));
    let far = echo_server().pump();
    match over {
        Over::Memory => {
            tasks.spawn_local(mcp_tokio::memory::join(near, far));
        }
        Over::Duplex => {
            let (left, right) = duplex(64 << 10);
            tasks.spawn_local(mcp_tokio::drive(near, left));
            tasks.spawn_local(mcp_tokio::drive(far, right));
        }
    }
    tasks.block_on(&runtime, work(client.clone(), Rc::new(Cell::new(1))));
    move |times| {
        let left = Rc::new(Cell::new(times));
        tasks.block_on(&runtime, async {
            let mut workers = JoinSet::new();
            for _ in 0..window {
                workers.spawn_local(work(client.clone(), left.clone()));
            }
            workers.join_all().await;
        });
    }
}
