//! A web application that calls itself: it serves an MCP endpoint, and is a client of that same endpoint, over
//! real HTTP, in one process and on **one thread**.
//!
//! ```text
//!   another process                  the application: one thread, one event loop
//!   ───────────────                  ────────────────────────────────────────────────────────────
//!   POST /run/first  ──────────────▶ handler ──▶ client.call_tool("echo") ──┐
//!   GET  /health     (every 1 ms) ─▶ handler                                │ HTTP on loopback
//!                                    POST /mcp ──▶ MCP server ──▶ echo ◀────┘
//! ```
//!
//! This is where a client hangs that blocks its thread until the session is made: the thread that waits for the
//! handshake is the one that would have to answer it. Here the handshake is part of the first await, and a
//! future like any other.
//!
//! The program is started by hand as the world outside. It starts itself again as the application, once for each
//! era of the protocol, measures, prints a table, and fails when anything was wrong or slow.
//!
//! Only this file names the runtime and the web framework.

#[path = "../../mcp-proto/driver/examples/self_call/mod.rs"]
mod shared;

use std::future::Future;
use std::io::Write;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use hyper::service::Service;
use mcp_proto::client::ClientConfig;
use mcp_tokio::http::{HttpOptions, McpService, client_over_http, service};
use mcp_tokio::{Client, Server};
use shared::{App, Era, Failure, Heartbeat, Host, LIFETIME, Part, Polls};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    shared::run(application)
}

/// The application: one thread, which serves and calls.
fn application(era: Era) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (heartbeat, polls) = (Heartbeat::start(), Polls::default());
        tokio::spawn(heartbeat.clone().beat(tokio::time::sleep));

        let host = Arc::new(Tokio {
            url: format!("http://{address}/mcp"),
            polls: polls.clone(),
            mounted: Mutex::default(),
        });
        let app = Arc::new(App::start(era, host.clone(), heartbeat, polls)?);
        println!("{address}");
        std::io::stdout().flush()?;
        // What is small leaves at once.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
        let _ = tokio::time::timeout(LIFETIME, axum::serve(listener, router(app, host))).await;
        Ok(())
    })
}

/// What the application runs on.
struct Tokio {
    url: String,
    polls: Polls,
    mounted: Mutex<Option<McpService>>,
}

impl Tokio {
    /// What is served now.
    fn mounted(&self) -> Option<McpService> {
        self.mounted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Host for Tokio {
    fn connect(&self, config: ClientConfig) -> Result<Client, Failure> {
        let (client, driver) = client_over_http(&self.url, config, &HttpOptions::default())?;
        tokio::spawn(self.polls.watch(driver));
        Ok(client)
    }

    fn mount(&self, server: Server) {
        *self.mounted.lock().unwrap_or_else(PoisonError::into_inner) = Some(service(server));
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Without what is measured, the route would be `.nest_service("/mcp", mcp_tokio::http::service(server))`.
fn router(app: Arc<App>, host: Arc<Tokio>) -> Router {
    Router::new()
        .route("/mcp", any(mcp))
        .with_state((Arc::clone(&app), host))
        .route("/run/{part}", post(run))
        .with_state(app)
        .route("/health", get(|| async { "ok" }))
}

/// Where the application becomes its own client.
async fn run(State(app): State<Arc<App>>, Path(part): Path<String>) -> Response {
    let Some(part) = Part::parse(&part) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match app.run(part).await {
        Ok(outcome) => Json(outcome).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Where the application is its own server.
async fn mcp(State((app, host)): State<(Arc<App>, Arc<Tokio>)>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    app.wire().saw(&body);
    let Some(mcp) = host.mounted() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let response = mcp.call(Request::from_parts(head, Body::from(body)));
    let Ok(response) = host.polls.watch(response).await;
    response.map(|body| Body::new(host.polls.watch(body)))
}
