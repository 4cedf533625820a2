//! The fixtures on tokio.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::Arc;

use mcp_tokio::http::HttpOptions;
use mcp_tokio::http::server::{Listener, McpService, ServeOptions, serve_until};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::conformance::client::Assignment;
use crate::conformance::{Failure, client, server};

/// The server fixture at `/mcp` and `/sse` of this port, or on standard input and output.
pub(super) fn serve(port: Option<u16>) -> Result<(), Failure> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let sleep: server::Sleep = Arc::new(|time| Box::pin(tokio::time::sleep(time)));
        let server = server::fixture(&sleep);
        let Some(port) = port else {
            return Ok(mcp_tokio::stdio::serve(server).await?);
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let service = McpService::new(server, server::http());
        serve_until(Listener::from(listener), service, &ServeOptions::default(), pending()).await?;
        Ok(())
    })
}

/// The client fixture against the server at `url`.
pub(super) fn run_client(url: &str) -> Result<(), Failure> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let assignment = Assignment::from_env()?;
        let client = mcp_tokio::connect_with(url, assignment.client(), &HttpOptions::default())?;
        let outcome = client::run(&assignment, &client).await;
        client.close().await;
        outcome
    })
}
