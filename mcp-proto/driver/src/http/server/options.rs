//! What an application says about an HTTP listener.

use core::time::Duration;

/// How long a client may take to send the body of a request, unless said otherwise.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes of the head of a request, over HTTP/1 as over HTTP/2: one with more is refused, with 431.
pub const HEAD_BYTES: u32 = 64 << 10;

/// How a listener treats its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// How long a client may take for each of these: the handshake of TLS; its first bytes; the head of a request, the
    /// first or the next. A connection of HTTP/2 without a request is closed after this time, or up to twice as long.
    /// Default 60 seconds.
    pub header_timeout: Duration,
    /// How long a client may take to send the body of a request; that of the service counts where it is shorter.
    /// Default 30 seconds.
    pub body_timeout: Duration,
    /// How long a client may take nothing while there is something for it, and over HTTP/2 nothing of any response;
    /// then its connection is closed. Default 60 seconds, `None` for ever.
    ///
    /// The system is told as well (`TCP_USER_TIMEOUT` on Linux, keep-alives on other Unix systems): a client whose
    /// address has gone is noticed in this time too, where what there is for it is a comment now and then.
    ///
    /// What the system takes counts, which takes a few megabytes ahead of a client and asks for more only when a good
    /// part of them is gone: a short time is one for fast networks alone. A stream on which there is nothing to say is
    /// left alone for any time. But that a client of HTTP/2 is there, it is asked (PING) when nothing was heard of it for
    /// this time, and has it once more to answer.
    pub write_timeout: Option<Duration>,
    /// Most connections at a time: a further one is closed as soon as it is accepted. Default `None`, no bound but that
    /// of the system.
    pub max_connections: Option<usize>,
    /// Most requests in progress at a time on one connection of HTTP/2; the client is told, and further ones are refused.
    /// Each holds a slot for as long as its response is open: a bound below what a client has in flight at once makes it
    /// wait, or open further connections. `None` is no bound. Default 10,000.
    pub max_streams: Option<u32>,
    /// How long connections may go on after a shutdown has begun. Default 5 seconds.
    pub grace: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(60),
            body_timeout: BODY_TIMEOUT,
            write_timeout: Some(Duration::from_secs(60)),
            max_connections: None,
            max_streams: Some(10_000),
            grace: Duration::from_secs(5),
        }
    }
}
