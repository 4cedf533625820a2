//! A hyper client on kept-alive connections that writes a typed request and reads a typed response.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::child::Server;
use crate::messages::{Era, read_response, request};
use crate::subject::current_thread;

/// Calls with `window` in flight, each worker on a connection of its own.
pub(crate) fn calls(era: Era, window: usize) -> impl FnMut(u64) {
    let server = Server::start("floor");
    let runtime = current_thread();
    let tasks = LocalSet::new();
    let mut senders = tasks.block_on(&runtime, async {
        let mut senders = Vec::new();
        for _ in 0..window {
            senders.push(connect(server.address).await);
        }
        senders
    });
    move |times| {
        let _alive = &server;
        let left = Rc::new(Cell::new(times));
        tasks.block_on(&runtime, async {
            let workers: JoinSet<_> = JoinSet::new();
            let mut workers = workers;
            for sender in senders.drain(..) {
                workers.spawn_local(work(sender, era, left.clone()));
            }
            senders = workers.join_all().await;
        });
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::task::spawn_local(async { drop(connection.await) });
    sender
}

async fn work(mut sender: SendRequest<Full<Bytes>>, era: Era, left: Rc<Cell<u64>>) -> SendRequest<Full<Bytes>> {
    let meta = era.meta();
    while let Some(id) = left.get().checked_sub(1) {
        left.set(id);
        let body = Full::new(Bytes::from(request(id, meta.as_deref())));
        let mut request = Request::post("/mcp").body(body).expect("a request");
        for (name, value) in era.headers() {
            request
                .headers_mut()
                .insert(*name, http::HeaderValue::from_static(value));
        }
        sender.ready().await.expect("an open connection");
        let response = sender.send_request(request).await.expect("a response");
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(read_response(&body), id);
    }
    sender
}
