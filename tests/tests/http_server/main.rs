//! The HTTP server of both adapters, on every runtime, asked by peers that are none of our clients: raw sockets, and
//! hyper's client over HTTP/1, HTTP/2 and TLS.

mod asker;
mod bounds;
#[cfg(feature = "browser")]
mod browser;
mod hostile;
mod http1;
mod http2;
mod http_sse;
mod listening;
mod peer;
mod resume;
mod rounds;
mod shutdown;
mod site;
mod stall;
mod tls;
