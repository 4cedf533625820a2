//! Our server over HTTP, as an application serves it.

use std::future::pending;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use mcp_proto::handle::Server;
use mcp_smol::http::server as smol_http;
use mcp_tokio::http::server::{HttpConfig, McpService, ReplyForm, ServeOptions, serve_until};
use tokio::net::TcpListener;

use super::handles::echo_server;

/// Serves for ever, in this form.
pub(crate) async fn serve(listener: TcpListener, server: Server, form: ReplyForm) {
    let service = McpService::new(server, HttpConfig::default().reply(form));
    let served = serve_until(listener, service, &ServeOptions::default(), pending()).await;
    served.expect("a listener");
}

/// Serves the echo for ever behind an accept loop of hyper's own, as a web framework does, with `TCP_NODELAY` or without.
pub(crate) async fn serve_plainly(listener: TcpListener, nodelay: bool, form: ReplyForm) {
    let service = McpService::new(echo_server(), HttpConfig::default().reply(form));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(nodelay).expect("a socket");
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(async { drop(connection.await) });
    }
}

/// The echo on smol.
pub(crate) async fn serve_on_smol(listener: smol::net::TcpListener, form: ReplyForm) {
    let service = smol_http::McpService::new(echo_server(), HttpConfig::default().reply(form));
    let served = smol_http::serve_until(listener, service, &smol_http::ServeOptions::default(), pending()).await;
    served.expect("a listener");
}
