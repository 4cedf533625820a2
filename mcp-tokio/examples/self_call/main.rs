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

mod app;
mod heartbeat;
mod outside;
mod table;

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use app::{App, Era, Failure, Part};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use heartbeat::Heartbeat;
use table::Table;
use tokio::net::TcpListener;

/// An application that was left alone ends after this time.
const LIFETIME: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1) {
        None => judge(),
        Some(era) => application(&era).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("self_call: {error}");
        ExitCode::FAILURE
    })
}

/// The world outside: examines one application for each era.
fn judge() -> Result<ExitCode, Failure> {
    let reports: Vec<_> = Era::ALL.into_iter().map(outside::examine).collect::<Result<_, _>>()?;
    let table = Table(&reports);
    print!("{table}");
    let faults = table.faults();
    for fault in &faults {
        eprintln!("self_call: {fault}");
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The application: one thread, which serves and calls.
fn application(era: &str) -> Result<(), Failure> {
    let era = Era::parse(era).ok_or("the argument is for the program's own use; leave it out")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let heartbeat = Heartbeat::start();
        tokio::spawn(heartbeat.clone().beat(tokio::time::sleep));

        let connect =
            move |config| mcp_tokio::connect_with(&format!("http://{address}/mcp"), config, &Default::default());
        let app = Arc::new(App::new(era, heartbeat, connect)?);
        println!("{address}");
        std::io::stdout().flush()?;
        // What is small leaves at once.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
        let _ = tokio::time::timeout(LIFETIME, axum::serve(listener, router(app))).await;
        Ok(())
    })
}

fn router(app: Arc<App>) -> Router {
    let mcp = Router::new()
        .nest_service("/mcp", mcp_tokio::http::service(app.server()))
        .layer(from_fn_with_state(Arc::clone(&app), count_handshakes));
    Router::new()
        .route("/run/{part}", post(run))
        .route("/health", get(|| async { "ok" }))
        .with_state(app)
        .merge(mcp)
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

/// Looks at what comes in from the wire, so that the counting is not left to the code that is examined.
async fn count_handshakes(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    app.saw(&body);
    next.run(Request::from_parts(head, Body::from(body))).await
}
