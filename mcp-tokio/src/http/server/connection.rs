//! One connection of a listener.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use mcp_driver::http::{HEAD_BYTES, ServeOptions, Stall, wait};
use mcp_driver::{Closing, either, end_upon, unless};
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
    if let Some((stream, is_http2)) = terms.open(terms.bridge(stream).listening()).await {
        terms.talk(stream, is_http2, terms.service.clone()).await;
    }
}

impl Terms {
    /// The stream as hyper wants it.
    fn bridge<S>(&self, stream: S) -> Bridge<S> {
        Bridge::new(stream, Stall::new(self.service.timer(), self.options.write_timeout))
    }

    /// What `opening` gives in time.
    async fn open<T>(&self, opening: impl Future<Output = io::Result<T>>) -> Option<T> {
        let mut timer = self.service.timer();
        let late = wait(&mut timer, self.options.header_timeout);
        unless(opening, either(self.closing.watch(), late)).await?.ok()
    }

    /// Answers the requests on a connection that is open.
    async fn talk<S: Read + Write + Send + Unpin + 'static>(&self, stream: S, is_http2: bool, service: McpService) {
        #[cfg(feature = "http2")]
        if is_http2 {
            return Box::pin(super::http2::serve(self, stream, service)).await;
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
}
