//! A server of HTTP/1 and HTTP/2, with TLS or without, on a thread of its own, that counts.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A server, until it is dropped.
pub(crate) struct Site {
    address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
    /// What its connections are told to do.
    order: watch::Sender<Order>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Serve,
    /// End with what is in progress: GOAWAY.
    Retire(usize),
    /// Close at once.
    Close(usize),
}

/// How it behaves.
#[derive(Clone, Default)]
pub(crate) struct Terms {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Whether it speaks HTTP/2 where TLS says nothing.
    pub(crate) http2: bool,
    pub(crate) max_streams: Option<u32>,
    /// No request is answered before so many are there.
    pub(crate) gate: usize,
    /// Requests with this number are never answered.
    pub(crate) silent: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) connections: AtomicUsize,
    pub(crate) open: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    pub(crate) http2: AtomicUsize,
    /// Requests in progress.
    pub(crate) running: AtomicUsize,
}

/// Counts one less when it is dropped.
struct Running(Arc<Counts>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Site {
    pub(crate) fn start(terms: Terms) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        listener.set_nonblocking(true).expect("nonblocking");
        let address = listener.local_addr().expect("address");
        let counts = Arc::new(Counts::default());
        let (order, ordered) = watch::channel(Order::Serve);
        let shared = counts.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let mut over = ordered.clone();
            runtime.expect("a runtime").block_on(async {
                tokio::select! {
                    () = accept(listener, terms, shared, ordered) => {}
                    // The site was dropped.
                    () = async { while over.changed().await.is_ok() {} } => {}
                }
            });
        });
        Self { address, counts, order }
    }

    /// The URL by which it is known under `host`.
    pub(crate) fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/mcp", self.address.port())
    }

    pub(crate) fn http(&self) -> String {
        self.url("http", "127.0.0.1")
    }

    pub(crate) fn https(&self) -> String {
        self.url("https", "localhost")
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(SeqCst)
    }

    pub(crate) fn open(&self) -> usize {
        self.counts.open.load(SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.counts.requests.load(SeqCst)
    }

    /// How many of the requests came by HTTP/2.
    pub(crate) fn over_http2(&self) -> usize {
        self.counts.http2.load(SeqCst)
    }

    pub(crate) fn running(&self) -> usize {
        self.counts.running.load(SeqCst)
    }

    /// Ends all connections that there are, after what is in progress.
    pub(crate) fn retire(&self) {
        let _ = self.order.send(Order::Retire(self.connections()));
    }

    /// Closes all connections that there are.
    pub(crate) fn close(&self) {
        let _ = self.order.send(Order::Close(self.connections()));
    }
}

async fn accept(listener: TcpListener, terms: Terms, counts: Arc<Counts>, order: watch::Receiver<Order>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let (arrived, arrivals) = watch::channel(0);
    let arrived = Arc::new(arrived);
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let number = counts.connections.fetch_add(1, SeqCst);
        counts.open.fetch_add(1, SeqCst);
        let (terms, counts, mut order) = (terms.clone(), counts.clone(), order.clone());
        let (arrived, arrivals) = (arrived.clone(), arrivals.clone());
        tokio::spawn(async move {
            let handler = Handler {
                terms: terms.clone(),
                counts: counts.clone(),
                arrived,
                arrivals,
            };
            let closed = order.clone();
            tokio::select! {
                () = closed_from(closed, number) => {}
                () = async {
                    let retire = retired(&mut order, number);
                    match &terms.tls {
                        None => serve(stream, terms.http2, handler, retire).await,
                        Some(tls) => {
                            if let Ok(stream) = TlsAcceptor::from(tls.clone()).accept(stream).await {
                                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                                serve(stream, is_http2, handler, retire).await;
                            }
                        }
                    }
                } => {}
            }
            counts.open.fetch_sub(1, SeqCst);
        });
    }
}

async fn closed_from(mut order: watch::Receiver<Order>, number: usize) {
    let is_it = |order: &Order| matches!(order, Order::Close(most) if number < *most);
    let _ = order.wait_for(is_it).await;
}

async fn retired(order: &mut watch::Receiver<Order>, number: usize) {
    let is_it = |order: &Order| matches!(order, Order::Retire(most) if number < *most);
    if order.wait_for(is_it).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn serve<S>(stream: S, is_http2: bool, handler: Handler, retire: impl Future<Output = ()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let terms = handler.terms.clone();
    let service = service_fn(move |request| handler.clone().answer(request));
    let mut retire = pin!(retire);
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_concurrent_streams(terms.max_streams);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = &mut retire => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

#[derive(Clone)]
struct Handler {
    terms: Terms,
    counts: Arc<Counts>,
    arrived: Arc<watch::Sender<usize>>,
    arrivals: watch::Receiver<usize>,
}

impl Handler {
    async fn answer(mut self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        self.counts.requests.fetch_add(1, SeqCst);
        self.counts.running.fetch_add(1, SeqCst);
        let _running = Running(self.counts.clone());
        if request.version() == Version::HTTP_2 {
            self.counts.http2.fetch_add(1, SeqCst);
            assert_eq!(request.uri().path(), "/mcp");
            assert!(request.uri().authority().is_some() && request.uri().scheme().is_some());
        } else {
            assert!(request.headers().contains_key("host"));
        }
        let body = request.into_body().collect().await.map(|body| body.to_bytes());
        let Ok(Ok(body)) = body.map(|body| serde_json::from_slice::<Value>(&body)) else {
            return Ok(Response::builder()
                .status(400)
                .body(Full::default())
                .expect("a response"));
        };
        self.arrived.send_modify(|arrived| *arrived += 1);
        let n = &body["params"]["n"];
        if self.terms.silent.is_some() && n.as_u64() == self.terms.silent {
            std::future::pending::<()>().await;
        }
        let gate = self.terms.gate;
        let _ = self.arrivals.wait_for(|arrived| *arrived >= gate).await;
        let result = json!({"jsonrpc": "2.0", "id": body["id"], "result": {"resultType": "complete", "n": n}});
        let response = Response::builder().header("content-type", "application/json");
        Ok(response.body(Full::from(result.to_string())).expect("a response"))
    }
}
