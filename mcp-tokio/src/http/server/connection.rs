//! One connection of a listener.

#[cfg(any(feature = "http2", feature = "tls"))]
use std::future::Future;
#[cfg(any(feature = "http2", feature = "tls"))]
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
#[cfg(feature = "http2")]
use hyper::server::conn::http2;
#[cfg(feature = "http2")]
use hyper::service::{Service, service_fn};
#[cfg(feature = "http2")]
use mcp_proto::handle::driver::Streams;
use mcp_proto::handle::driver::{Closing, HEAD_BYTES, ServeOptions, Stall, end_upon};
#[cfg(any(feature = "http2", feature = "tls"))]
use mcp_proto::handle::driver::{either, unless, wait};
#[cfg(feature = "tls")]
use mcp_proto::http::server::Principal;
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::TlsAcceptor;

use super::super::bridge::{Bridge, Timers};
use super::service::McpService;
use crate::clock::FAR;

/// What all connections of a listener share.
pub(super) struct Terms {
    pub(super) service: McpService,
    pub(super) options: ServeOptions,
    pub(super) closing: Closing,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsAcceptor>,
}

/// Serves one connection. What goes wrong on it concerns its client alone.
pub(super) async fn serve(stream: TcpStream, terms: Arc<Terms>) {
    // A reply in two writes would wait for the client's delayed acknowledgement, 40 ms on Linux.
    let _ = stream.set_nodelay(true);
    #[cfg(feature = "tls")]
    if let Some(tls) = &terms.tls {
        // For itself, that connections without TLS be small.
        return Box::pin(async {
            let Some(stream) = terms.open(tls.accept(stream)).await else {
                return;
            };
            let (_, session) = stream.get_ref();
            let is_http2 = session.alpn_protocol() == Some(b"h2");
            let certificate = session.peer_certificates().and_then(|chain| chain.first());
            let service = match certificate {
                Some(certificate) => terms.service.clone().of(Principal::new(certificate)),
                None => terms.service.clone(),
            };
            terms.talk(terms.bridge(stream), is_http2, service).await;
        })
        .await;
    }
    #[cfg(feature = "http2")]
    if let Some((stream, is_http2)) = terms.open(terms.bridge(stream).listening()).await {
        terms.talk(stream, is_http2, terms.service.clone()).await;
    }
    #[cfg(not(feature = "http2"))]
    terms.talk(terms.bridge(stream), false, terms.service.clone()).await;
}

impl Terms {
    /// The stream as hyper wants it.
    fn bridge<S>(&self, stream: S) -> Bridge<S> {
        Bridge::new(stream, Stall::new(self.service.timer(), self.options.write_timeout))
    }

    /// What `opening` gives in time.
    #[cfg(any(feature = "http2", feature = "tls"))]
    async fn open<T>(&self, opening: impl Future<Output = io::Result<T>>) -> Option<T> {
        let mut timer = self.service.timer();
        let late = wait(&mut timer, self.options.header_timeout);
        unless(opening, either(self.closing.watch(), late)).await?.ok()
    }

    /// Answers the requests on a connection that is open.
    async fn talk<S: Read + Write + Send + Unpin + 'static>(&self, stream: S, is_http2: bool, service: McpService) {
        #[cfg(feature = "http2")]
        if is_http2 {
            return Box::pin(self.http2(stream, service)).await;
        }
        #[cfg(not(feature = "http2"))]
        let _ = is_http2;
        let connection = http1::Builder::new()
            .timer(Timers::new(self.service.clock()))
            .header_read_timeout(self.options.header_timeout.min(FAR))
            .max_header_size(HEAD_BYTES as usize)
            .serve_connection(stream, service);
        let mut connection = pin!(connection);
        let end =
            |connection: Pin<&mut Pin<&mut http1::Connection<_, _>>>| connection.as_deref_mut().graceful_shutdown();
        let _ = end_upon(connection.as_mut(), end, self.closing.watch()).await;
    }

    #[cfg(feature = "http2")]
    async fn http2<S: Read + Write + Send + Unpin + 'static>(&self, stream: S, service: McpService) {
        let streams = Streams::new();
        let patience = self.options.write_timeout.map(|most| most.min(FAR));
        let connection = http2::Builder::new(Spawning(streams.clone()))
            .timer(Timers::new(self.service.clock()))
            .keep_alive_interval(patience)
            .keep_alive_timeout(patience.unwrap_or(FAR))
            .max_concurrent_streams(self.options.max_streams)
            .max_header_list_size(HEAD_BYTES)
            .serve_connection(
                stream,
                service_fn(|request| {
                    let (response, streams) = (service.call(request), streams.clone());
                    async move { response.await.map(|response| response.map(|body| streams.watch(body))) }
                }),
            );
        let timer = || self.service.timer();
        let running = streams.run(
            connection,
            |connection| connection.graceful_shutdown(),
            self.closing.watch(),
            timer,
            &self.options,
        );
        running.await;
    }
}

/// Spawns the streams of a connection, which end with it.
#[cfg(feature = "http2")]
#[derive(Clone)]
struct Spawning(Streams);

#[cfg(feature = "http2")]
impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawning {
    fn execute(&self, stream: F) {
        tokio::spawn(self.0.count(stream));
    }
}
