//! A hyper client that writes a typed request and reads a typed response, and has what every client must have that many
//! tasks call: a pool of kept-alive connections, ids of its own, and a look at what it is that comes back.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::child::Server;
use crate::messages::{CallResult, Era, TEXT, request};
use crate::subject::current_thread;

/// Calls with `window` in flight, from as many tasks.
pub(crate) fn calls(era: Era, window: usize) -> impl FnMut(u64) {
    let server = Server::start("floor");
    let runtime = current_thread();
    let tasks = LocalSet::new();
    let client = Rc::new(Client {
        address: server.address,
        era,
        meta: era.meta(),
        idle: RefCell::default(),
        next: Cell::new(0),
    });
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

async fn work(client: Rc<Client>, left: Rc<Cell<u64>>) {
    while let Some(rest) = left.get().checked_sub(1) {
        left.set(rest);
        let result = client.call().await;
        let content = result.content.first().expect("content");
        assert!(content.kind == "text" && content.text == TEXT);
    }
}

struct Client {
    address: SocketAddr,
    era: Era,
    meta: Option<Box<RawValue>>,
    idle: RefCell<Vec<SendRequest<Full<Bytes>>>>,
    next: Cell<u64>,
}

/// A response as a client has to expect it: with a result or an error.
#[derive(Deserialize)]
struct Reply {
    jsonrpc: String,
    id: u64,
    result: Option<CallResult<String>>,
    error: Option<Box<RawValue>>,
}

impl Client {
    async fn call(&self) -> CallResult<String> {
        let id = self.next.replace(self.next.get() + 1);
        let kept = self.idle.borrow_mut().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(self.address).await,
        };
        connection.ready().await.expect("an open connection");
        let response = connection.send_request(self.request(id)).await.expect("a response");
        assert_eq!(response.status(), 200);
        let json = HeaderValue::from_static("application/json");
        assert_eq!(response.headers().get(header::CONTENT_TYPE), Some(&json));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        self.idle.borrow_mut().push(connection);
        let reply: Reply = serde_json::from_slice(&body).expect("a response");
        assert!(reply.jsonrpc == "2.0" && reply.id == id && reply.error.is_none());
        reply.result.expect("a result")
    }

    fn request(&self, id: u64) -> Request<Full<Bytes>> {
        let body = Full::new(Bytes::from(request(id, self.meta.as_deref())));
        let mut request = Request::post("/mcp").body(body).expect("a request");
        for (name, value) in self.era.headers() {
            let headers = request.headers_mut();
            headers.insert(*name, HeaderValue::from_static(value));
        }
        request
    }
}

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server");
    stream.set_nodelay(true).expect("a socket");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("a connection");
    tokio::task::spawn_local(async { drop(connection.await) });
    sender
}
