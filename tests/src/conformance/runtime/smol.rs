//! The fixtures on smol.

use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::Arc;

use mcp_smol::http::HttpOptions;
use mcp_smol::http::server::{Listener, McpService, ServeOptions, serve_until};
use smol::net::TcpListener;
use smol::{LocalExecutor, Timer};

use crate::conformance::client::Assignment;
use crate::conformance::{Failure, client, server};

/// The server fixture at `/mcp` and `/sse` of this port, or on standard input and output.
pub(super) fn serve(port: Option<u16>) -> Result<(), Failure> {
    smol::block_on(async {
        let sleep: server::Sleep = Arc::new(|time| {
            Box::pin(async move {
                Timer::after(time).await;
            })
        });
        let server = server::fixture(&sleep);
        let Some(port) = port else {
            return Ok(mcp_smol::stdio::serve(server).await?);
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let service = McpService::new(server, server::http());
        serve_until(Listener::from(listener), service, &ServeOptions::default(), pending()).await?;
        Ok(())
    })
}

/// The client fixture against the server at `url`.
pub(super) fn run_client(url: &str) -> Result<(), Failure> {
    let executor = LocalExecutor::new();
    smol::block_on(executor.run(async {
        let assignment = Assignment::from_env()?;
        let spawn = |driver| executor.spawn(driver).detach();
        let client = mcp_smol::connect_with(url, assignment.client(), &HttpOptions::default(), spawn)?;
        let outcome = client::run(&assignment, &client).await;
        client.close().await;
        outcome
    }))
}
