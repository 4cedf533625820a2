//! Our server over HTTP, as an application serves it.

use std::future::pending;

use mcp_smol::http::server as smol_http;
use mcp_tokio::http::server::{HttpConfig, McpService, ReplyForm, ServeOptions, serve_until};
use tokio::net::TcpListener;

use super::handles::echo_server;

/// Serves the echo for ever, in this form.
pub(crate) async fn serve(listener: TcpListener, form: ReplyForm) {
    let service = McpService::new(echo_server(), HttpConfig::default().reply(form));
    let served = serve_until(listener, service, &ServeOptions::default(), pending()).await;
    served.expect("a listener");
}

/// The same on smol.
pub(crate) async fn serve_on_smol(listener: smol::net::TcpListener, form: ReplyForm) {
    let service = smol_http::McpService::new(echo_server(), HttpConfig::default().reply(form));
    let served = smol_http::serve_until(listener, service, &smol_http::ServeOptions::default(), pending()).await;
    served.expect("a listener");
}
