//! The connections of a listener.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicU64, Ordering};
use std::io;
use std::net::SocketAddr;

#[cfg(feature = "tls")]
use bytes::Bytes;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use mcp_proto::server::http::Sender;

use super::bridge::Bridge;
use super::listener::Listener;
use super::options::{HEAD_BYTES, ServeOptions};
use super::runtime::ServerRuntime;
use super::service::HttpService;
use super::stall::Stall;
use crate::http::network::{Network, ServerTls};
use crate::http::timers::Timers;
use crate::{Clock, ClockTimer, Closing, FAR, either, end_upon, unless, wait};

/// Numbers the connections of all listeners, as one service may have several.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// The client of a new connection.
fn next() -> Sender {
    Sender::new().with_connection(CONNECTIONS.fetch_add(1, Ordering::Relaxed))
}

/// What all connections of a listener share: the service, the options, TLS, and the end.
pub struct Connections<R: ServerRuntime> {
    pub(super) service: HttpService<R>,
    pub(super) options: ServeOptions,
    pub(super) closing: Closing,
    tls: Option<ServerTls>,
}

impl<R: ServerRuntime> Connections<R> {
    /// The connections of `listener` to `service`, and the socket that they come from.
    pub fn of<S>(listener: Listener<S>, service: HttpService<R>, options: &ServeOptions) -> (Arc<Self>, S) {
        let connections = Self {
            service: service.within(options),
            options: options.clone(),
            closing: Closing::new(),
            tls: listener.tls,
        };
        (Arc::new(connections), listener.socket)
    }

    /// What an application says about them.
    pub fn options(&self) -> &ServeOptions {
        &self.options
    }

    /// The service that they are connections to.
    pub fn service(&self) -> &HttpService<R> {
        &self.service
    }

    /// Prepares a socket that was accepted: the system gives it up where its client is there no more and what was written
    /// was read by nobody for the [write timeout](ServeOptions::write_timeout).
    #[cfg(unix)]
    pub fn prepare(&self, socket: &impl std::os::fd::AsFd) {
        if let Some(most) = self.options.write_timeout {
            super::unread::give_up_unread(socket, most);
        }
    }

    /// Prepares a socket that was accepted. There is nothing to be done on this system.
    #[cfg(not(unix))]
    pub fn prepare<S>(&self, _: &S) {}

    /// Has them end as soon as nothing is in progress on them.
    pub fn close(&self) {
        // The connections first: none takes another request when its stream ends.
        self.closing.close();
        self.service.drain();
    }

    /// Serves one connection, which comes from `address`. What goes wrong on it concerns its client alone.
    ///
    /// # Cancel safety
    /// Dropping it closes the connection at once.
    #[cfg_attr(
        not(feature = "tls"),
        expect(clippy::clone_on_copy, reason = "without TLS there is none, and nothing to clone")
    )]
    pub async fn serve<N: Network>(self: Arc<Self>, stream: N::Stream, address: Option<SocketAddr>) {
        let mut sender = next();
        sender.address = address;
        if let Some(tls) = &self.tls {
            // For itself, that connections without TLS be small.
            return Box::pin(self.serve_secure::<N>(stream, tls.clone(), sender)).await;
        }
        self.serve_plain(stream, sender).await;
    }

    /// Serves one connection over a Unix socket, whose clients have no address and are told apart by connection. The same
    /// otherwise, without TLS.
    ///
    /// # Cancel safety
    /// Dropping it closes the connection at once.
    #[cfg(unix)]
    pub async fn serve_local<N: Network>(self: Arc<Self>, stream: N::Local) {
        self.serve_plain(stream, next()).await;
    }

    async fn serve_plain<S>(&self, stream: S, sender: Sender)
    where
        S: Read + Write + Send + Unpin + 'static,
    {
        if let Some((stream, is_http2)) = self.open(self.bridge(stream).listening()).await {
            let service = self.service.clone().with_sender(sender);
            self.talk(stream, is_http2, service).await;
        }
    }

    async fn serve_secure<N: Network>(&self, stream: N::Stream, tls: ServerTls, sender: Sender) {
        let Some((stream, agreed)) = self.open(N::secure_server(stream, tls)).await else {
            return;
        };
        #[cfg(feature = "tls")]
        let sender = match agreed.client {
            // The principal is the certificate: whoever shows the same one is the same.
            Some(principal) => sender
                .with_certificate(Bytes::copy_from_slice(principal.as_bytes()))
                .with_principal(principal),
            None => sender,
        };
        let service = self.service.clone().with_sender(sender);
        self.talk(self.bridge(stream), agreed.is_http2, service).await;
    }

    /// The stream as hyper wants it.
    fn bridge<S>(&self, stream: S) -> Bridge<S, ClockTimer<R::Clock>> {
        let timer = self.service.clock().timer();
        Bridge::new(stream, Stall::new(timer, self.options.write_timeout))
    }

    /// What `opening` gives in time.
    async fn open<T>(&self, opening: impl Future<Output = io::Result<T>>) -> Option<T> {
        let mut timer = self.service.clock().timer();
        let late = wait(&mut timer, self.options.header_timeout);
        // A client that has not asked for anything is owed nothing when the server shuts down.
        unless(opening, either(self.closing.watch(), late)).await?.ok()
    }

    /// Answers the requests on a connection that is open.
    async fn talk<S>(&self, stream: S, is_http2: bool, service: HttpService<R>)
    where
        S: Read + Write + Send + Unpin + 'static,
    {
        #[cfg(feature = "http2")]
        if is_http2 {
            // For itself, that connections of HTTP/1 be small.
            return Box::pin(super::http2::serve(
                stream,
                service,
                &self.options,
                self.closing.watch(),
            ))
            .await;
        }
        #[cfg(not(feature = "http2"))]
        let _ = is_http2;
        let connection = http1::Builder::new()
            .timer(Timers::new(self.service.clock().clone()))
            // Hyper adds it to an instant, which must not overflow.
            .header_read_timeout(self.options.header_timeout.min(FAR))
            .max_header_size(HEAD_BYTES as usize)
            .serve_connection(stream, service);
        let mut connection = pin!(connection);
        let end =
            |connection: Pin<&mut Pin<&mut http1::Connection<_, _>>>| connection.as_deref_mut().graceful_shutdown();
        let _ = end_upon(connection.as_mut(), end, self.closing.watch()).await;
    }
}
