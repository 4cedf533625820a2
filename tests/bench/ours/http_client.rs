//! Our client over HTTP, as an application uses it, against the floor of the servers.

use std::cell::Cell;
use std::rc::Rc;

use mcp_proto::handle::Client;
use mcp_tokio::http::HttpOptions;
use tokio::task::{JoinSet, LocalSet};

use super::machines::{check, client_config};
use crate::child::Server;
use crate::messages::{Echo, Era, TEXT};
use crate::subject::current_thread;

/// Calls with `window` in flight, from as many tasks.
pub(crate) fn calls(era: Era, window: usize) -> impl FnMut(u64) {
    let server = Server::start("floor");
    let runtime = current_thread();
    let tasks = LocalSet::new();
    let url = format!("http://{}/mcp", server.address);
    let client = tasks.block_on(&runtime, async {
        mcp_tokio::connect_with(&url, client_config(era), &HttpOptions::default()).expect("a client")
    });
    tasks.block_on(&runtime, work(client.clone(), Rc::new(Cell::new(1))));
    move |times| {
        let _alive = &server;
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

/// Calls until none is left.
pub(crate) async fn work(client: Client, left: Rc<Cell<u64>>) {
    while let Some(rest) = left.get().checked_sub(1) {
        left.set(rest);
        let result = client.call_tool("echo", Echo { text: TEXT }).await;
        check(&result.expect("a result"));
    }
}
