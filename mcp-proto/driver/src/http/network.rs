//! The sockets of a runtime, and TLS over them.

use core::future::Future;
use std::io;
use std::net::SocketAddr;

use hyper::rt::{Read, Write};
#[cfg(feature = "tls")]
use mcp_proto::http::server::Principal;

/// With which configuration a client shakes hands by TLS, and under which name it knows the server. Without the feature
/// `tls` there is none.
#[cfg(feature = "tls")]
pub type ClientTls = (
    std::sync::Arc<rustls::ClientConfig>,
    rustls::pki_types::ServerName<'static>,
);
/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
pub type ClientTls = core::convert::Infallible;

/// With which configuration a server shakes hands by TLS. Without the feature `tls` there is none.
#[cfg(feature = "tls")]
pub type ServerTls = std::sync::Arc<rustls::ServerConfig>;
/// There is no TLS in this build.
#[cfg(not(feature = "tls"))]
pub type ServerTls = core::convert::Infallible;

/// TCP of a runtime, TLS over it, and Unix sockets, as streams that hyper takes.
///
/// Every stream of TCP sends at once what is written (`TCP_NODELAY`): a message in two writes would wait for the peer's delayed
/// acknowledgement, 40 ms on Linux.
///
/// # Cancel safety
/// Each future may be dropped at any time, when its time is over above all: what it has opened by then is closed.
///
/// # On drop
/// A stream that is dropped is closed at once, what is not sent is lost; one that is to end well is shut down before.
pub trait Network: 'static {
    /// A connection.
    type Stream: Read + Write + Unpin + Send + 'static;

    /// A connection with TLS; where the adapter has none, the same as without.
    type Secure: Read + Write + Unpin + Send + 'static;

    /// A connection over a Unix socket.
    #[cfg(unix)]
    type Local: Read + Write + Unpin + Send + 'static;

    /// The addresses of a host, and the port with each.
    fn resolve(host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// A connection to an address.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// A connection to the Unix socket at a path.
    #[cfg(unix)]
    fn connect_local(path: &std::path::Path) -> impl Future<Output = io::Result<Self::Local>> + Send;

    /// Shakes hands as a client. Never called where the adapter has no TLS.
    fn secure_client(
        stream: Self::Stream,
        tls: ClientTls,
    ) -> impl Future<Output = io::Result<(Self::Secure, Agreed)>> + Send {
        drop((stream, tls));
        core::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Shakes hands as a server. Never called where the adapter has no TLS.
    fn secure_server(
        stream: Self::Stream,
        tls: ServerTls,
    ) -> impl Future<Output = io::Result<(Self::Secure, Agreed)>> + Send {
        drop((stream, tls));
        core::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// How much a client can read at once of a connection that has waited, whether the runtime has noticed or not: `None`
    /// where nothing can be, 0 at the end, and where it is broken. [`look`](crate::http::look) asks the system.
    fn look(stream: &Self::Stream) -> Option<usize> {
        let _ = stream;
        None
    }

    /// The same of a Unix socket.
    #[cfg(unix)]
    fn look_local(stream: &Self::Local) -> Option<usize> {
        let _ = stream;
        None
    }

    /// The same below TLS.
    fn look_secure(stream: &Self::Secure) -> Option<usize> {
        let _ = stream;
        None
    }

    /// Whether the runtime lets the present poll go on. Where it does not, every stream is `Pending` until the next, and the
    /// driver stops instead of asking them all.
    fn has_budget() -> bool {
        true
    }
}

/// How much can be read of a socket at once, as the system says: `None` where nothing can be, 0 at the end, and where it
/// is broken. Nothing is taken out of it, and nothing is waited for.
#[cfg(unix)]
#[must_use]
pub fn look(socket: &impl std::os::fd::AsFd) -> Option<usize> {
    use rustix::net::{RecvFlags, recv};
    let mut byte = [0];
    match recv(socket, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, length)) => Some(length),
        // A signal in between says nothing about the socket.
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => None,
        Err(_) => Some(0),
    }
}

/// Not asked for on this system: what has ended is noticed by the runtime, or when it is used.
#[cfg(not(unix))]
#[must_use]
pub fn look<S>(socket: &S) -> Option<usize> {
    let _ = socket;
    None
}

/// What a handshake of TLS has agreed on.
#[derive(Debug)]
pub struct Agreed {
    pub(super) is_http2: bool,
    /// Who the client has shown to be.
    #[cfg(feature = "tls")]
    pub(super) client: Option<Principal>,
}

#[cfg(feature = "tls")]
impl Agreed {
    /// What was agreed on with a server.
    #[must_use]
    pub fn with_server(session: &rustls::CommonState) -> Self {
        let is_http2 = session.alpn_protocol() == Some(b"h2");
        let client = None;
        Self { is_http2, client }
    }

    /// What was agreed on with a client, and who that is where it has shown a certificate.
    #[must_use]
    pub fn with_client(session: &rustls::CommonState) -> Self {
        // The first is its own, the others are who has issued it (RFC 8446, 4.4.2).
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        Self {
            client: certificate.map(Principal::new),
            ..Self::with_server(session)
        }
    }
}
