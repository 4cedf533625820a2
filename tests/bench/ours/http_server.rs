//! Our server over HTTP, as an application serves it.

use std::future::pending;

use mcp_tokio::http::server::{HttpConfig, McpService, ReplyForm, ServeOptions, serve_until};
use tokio::net::TcpListener;

use super::handles::echo_server;

/// Serves the echo for ever, in this form.
pub(crate) async fn serve(listener: TcpListener, form: ReplyForm) {
    let service = McpService::new(echo_server(), HttpConfig::default().reply(form));
    let served = serve_until(listener, service, &ServeOptions::default(), pending()).await;
    served.expect("a listener");
}
