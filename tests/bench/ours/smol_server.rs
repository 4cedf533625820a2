//! Our server over HTTP on smol, as an application serves it.

use std::future::pending;

use mcp_smol::http::server::{HttpConfig, McpService, ReplyForm, ServeOptions, serve_until};
use smol::net::TcpListener;

use super::handles::echo_server;

/// Serves the echo for ever.
pub(crate) async fn serve(listener: TcpListener) {
    let service = McpService::new(echo_server(), HttpConfig::default().reply(ReplyForm::Json));
    let served = serve_until(listener, service, &ServeOptions::default(), pending()).await;
    served.expect("a listener");
}
