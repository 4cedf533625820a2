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

#[path = "../../mcp-proto/driver/examples/self_call/mod.rs"]
mod shared;

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use mcp_proto::client::ClientConfig;
use mcp_smol::http::server::ResponseBody;
use mcp_smol::http::{HttpOptions, McpService, client_over_http, service};
use mcp_smol::{Client, Server};
use shared::{App, Era, Failure, Heartbeat, Host, LIFETIME, Part, Polls, Watched};
use smol::net::TcpListener;
use smol::{Executor, Task, Timer};
use smol_hyper::rt::FuturesIo;

fn main() -> ExitCode {
    shared::run(application)
}

/// The application: one thread, which serves and calls.
fn application(era: Era) -> Result<(), Failure> {
    let executor = Arc::new(Executor::new());
    smol::block_on(executor.run(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // The standard library lets 128 connections wait; a fan of 500 tools would lose some for a second.
        rustix::net::listen(&listener, 1024)?;
        let address = listener.local_addr()?;
        let (heartbeat, polls) = (Heartbeat::start(), Polls::default());
        executor.spawn(heartbeat.clone().beat(Timer::after)).detach();

        let host = Arc::new(Smol {
            executor: Arc::clone(&executor),
            url: format!("http://{address}/mcp"),
            polls: polls.clone(),
            mounted: Mutex::default(),
        });
        let app = Arc::new(App::start(era, host.clone(), heartbeat, polls)?);
        println!("{address}");
        std::io::stdout().flush()?;
        let late = async {
            Timer::after(LIFETIME).await;
            Ok(())
        };
        smol::future::or(serve(listener, app, host), late).await?;
        Ok(())
    }))
}

/// What the application runs on.
struct Smol {
    executor: Arc<Executor<'static>>,
    url: String,
    polls: Polls,
    /// What is served, and the task that looks after it.
    mounted: Mutex<Option<(McpService, Task<()>)>>,
}

impl Smol {
    /// What is served now.
    fn mounted(&self) -> Option<McpService> {
        let mounted = self.mounted.lock().unwrap_or_else(PoisonError::into_inner);
        mounted.as_ref().map(|(mcp, _)| mcp.clone())
    }
}

impl Host for Smol {
    fn connect(&self, config: ClientConfig) -> Result<Client, Failure> {
        let (client, driver) = client_over_http(&self.url, config, &HttpOptions::default())?;
        self.executor.spawn(self.polls.watch(driver)).detach();
        Ok(client)
    }

    fn mount(&self, server: Server) {
        let mcp = service(server);
        let upkeep = self.executor.spawn(self.polls.watch(mcp.upkeep()));
        *self.mounted.lock().unwrap_or_else(PoisonError::into_inner) = Some((mcp, upkeep));
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            Timer::after(time).await;
        })
    }
}

/// Serves every connection in a task of its own.
async fn serve(listener: TcpListener, app: Arc<App>, host: Arc<Smol>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // What is small leaves at once.
        stream.set_nodelay(true)?;
        let (app, own) = (Arc::clone(&app), Arc::clone(&host));
        let route = service_fn(move |request| route(Arc::clone(&app), Arc::clone(&own), request));
        let connection = http1::Builder::new().serve_connection(FuturesIo::new(stream), route);
        host.executor.spawn(async { drop(connection.await) }).detach();
    }
}

type Answer = Response<Either<Watched<ResponseBody>, Full<Bytes>>>;

async fn route(app: Arc<App>, host: Arc<Smol>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    Ok(match path.strip_prefix("/run/") {
        Some(part) => run(&app, part).await,
        None if path == "/mcp" => mcp(&app, &host, request).await,
        None if path == "/health" => answer(StatusCode::OK, "ok"),
        None => answer(StatusCode::NOT_FOUND, ""),
    })
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

/// Where the application is its own server.
async fn mcp(app: &App, host: &Smol, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return answer(StatusCode::BAD_REQUEST, "");
    };
    let body = body.to_bytes();
    app.wire().saw(&body);
    let Some(mcp) = host.mounted() else {
        return answer(StatusCode::NOT_FOUND, "");
    };
    let response = mcp.call(Request::from_parts(head, Full::new(body)));
    let Ok(response) = host.polls.watch(response).await;
    response.map(|body| Either::Left(host.polls.watch(body)))
}
