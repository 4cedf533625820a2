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
//! Only this file names the runtime, and what serves HTTP on it.

mod app;
mod heartbeat;
mod outside;
mod table;

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use app::{App, Era, Failure, Part};
use heartbeat::Heartbeat;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use mcp_smol::http::server::ResponseBody;
use mcp_smol::http::{McpService, service};
use smol::net::TcpListener;
use smol::{Executor, Timer};
use smol_hyper::rt::FuturesIo;
use table::Table;

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
    let executor = Arc::new(Executor::new());
    smol::block_on(executor.run(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // The standard library lets 128 connections wait; a fan of 200 tools would lose some for a second.
        rustix::net::listen(&listener, 1024)?;
        let address = listener.local_addr()?;
        let heartbeat = Heartbeat::start();
        executor.spawn(heartbeat.clone().beat(Timer::after)).detach();

        let own = Arc::clone(&executor);
        let connect = move |config| {
            let spawn = |driver| own.spawn(driver).detach();
            mcp_smol::connect_with(&format!("http://{address}/mcp"), config, &Default::default(), spawn)
        };
        let app = Arc::new(App::new(era, heartbeat, connect)?);
        println!("{address}");
        std::io::stdout().flush()?;
        let late = async {
            Timer::after(LIFETIME).await;
            Ok(())
        };
        smol::future::or(serve(listener, app, &executor), late).await?;
        Ok(())
    }))
}

/// Serves every connection in a task of its own.
async fn serve(listener: TcpListener, app: Arc<App>, executor: &Executor<'static>) -> io::Result<()> {
    let mcp = service(app.server());
    executor.spawn(mcp.upkeep()).detach();
    loop {
        let (stream, _) = listener.accept().await?;
        // What is small leaves at once.
        stream.set_nodelay(true)?;
        let (app, mcp) = (Arc::clone(&app), mcp.clone());
        let route = service_fn(move |request| route(Arc::clone(&app), mcp.clone(), request));
        let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), route);
        executor.spawn(async { drop(connection.await) }).detach();
    }
}

type Answer = Response<Either<ResponseBody, Full<Bytes>>>;

async fn route(app: Arc<App>, mcp: McpService, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    match path.strip_prefix("/run/") {
        Some(part) => Ok(run(&app, part).await),
        None if path == "/health" => Ok(answer(StatusCode::OK, "ok")),
        None if path == "/mcp" => count_handshakes(&app, mcp, request).await,
        None => Ok(answer(StatusCode::NOT_FOUND, "")),
    }
}

fn answer(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Either::Right(Full::new(text.into())));
    *answer.status_mut() = status;
    answer
}

/// Where the application becomes its own client.
async fn run(app: &App, part: &str) -> Answer {
    let Some(part) = Part::parse(part) else {
        return answer(StatusCode::NOT_FOUND, "");
    };
    match app.run(part).await {
        Ok(outcome) => answer(StatusCode::OK, serde_json::to_vec(&outcome).unwrap_or_default()),
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// Looks at what comes in from the wire, so that the counting is not left to the code that is examined.
async fn count_handshakes(app: &App, mcp: McpService, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Ok(answer(StatusCode::BAD_REQUEST, ""));
    };
    let body = body.to_bytes();
    app.saw(&body);
    let request = Request::from_parts(head, Full::new(body));
    Ok(mcp.call(request).await?.map(Either::Left))
}
