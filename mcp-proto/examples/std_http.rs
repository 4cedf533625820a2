//! A client and a server over HTTP/1.1, with threads and blocking IO: no runtime, and no HTTP library either.
//!
//! `cargo run -p mcp-proto --example std_http`
//!
//! The driver of the server is `http_server/mod.rs`: [`HttpServer`] serves both eras, with sessions, their streams,
//! subscriptions and batches, and the driver knows nothing of them. That of the client is `http_client/mod.rs`, around
//! the pump of the async layer. `http1/mod.rs` stands in the place of an HTTP library. What is left for this file is
//! the application.

use std::error::Error;
use std::net::TcpListener;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use http::Uri;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Client;
use mcp_proto::http::client::HttpClientConfig;
use mcp_proto::http::server::HttpConfig;
use mcp_proto::jsonrpc::{ErrorObject, Params};
use mcp_proto::method::Method;
use mcp_proto::model::{CallToolResult, Implementation};
use mcp_proto::server::http::{HttpEvent, HttpServer};
use mcp_proto::server::{ClientRequest, ResultBody, ServerConfig};
use serde::Deserialize;
use serde_json::json;

mod block_on;
mod http1;
mod http_client;
mod http_server;
use block_on::block_on;
use http_server::Report;

#[derive(Deserialize)]
struct Forecast {
    city: String,
}

/// The application: what is asked is answered at once.
fn answer(server: &mut HttpServer, event: HttpEvent) {
    if let HttpEvent::Request(asked) = event {
        let outcome = outcome(&asked);
        server.respond(asked.token, outcome);
    }
}

fn outcome<T>(asked: &ClientRequest<T>) -> Result<ResultBody, ErrorObject> {
    let result = match (asked.method.known(), asked.name()) {
        (Some(Method::ListTools), _) => {
            let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
            let tool = json!({ "name": "forecast", "description": "Forecast for a city", "inputSchema": schema });
            json!({ "tools": [tool] })
        }
        (Some(Method::CallTool), Some("forecast")) => {
            let arguments = asked
                .arguments()
                .ok_or_else(|| ErrorObject::invalid_params("no arguments"))?;
            let forecast = arguments.decode::<Forecast>();
            let Forecast { city } = forecast.map_err(|error| ErrorObject::invalid_params(error.to_string()))?;
            json!({ "content": [{ "type": "text", "text": format!("sunny in {city}") }] })
        }
        (Some(Method::CallTool), _) => return Err(ErrorObject::invalid_params("no such tool")),
        _ => return Err(ErrorObject::method_not_found(asked.method.as_str())),
    };
    ResultBody::from_serialize(&result).map_err(|error| ErrorObject::internal(error.to_string()))
}

/// A server that runs: where it is, who tells it what the application wants to say, and its driver.
type Serving = (Uri, Sender<Report>, thread::JoinHandle<()>);

/// A server on a port of this machine.
fn serve() -> Result<Serving, Box<dyn Error>> {
    let capabilities = serde_json::from_value(json!({ "tools": { "listChanged": true } }))?;
    let config = ServerConfig::new(Implementation::new("weather", "1.0.0")).with_capabilities(capabilities);
    let server = HttpServer::new(config, HttpConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let uri = Uri::try_from(format!("http://{}/mcp", listener.local_addr()?))?;
    let reports = channel();
    let (reporter, accepting) = (reports.0.clone(), reports.0.clone());
    // Ends with the process.
    thread::spawn(move || http_server::accept(&listener, &accepting));
    let serving = thread::spawn(move || http_server::drive(server, &reports, answer));
    Ok((uri, reporter, serving))
}

/// Has the application say something.
fn say(server: &Sender<Report>, what: impl FnOnce(&mut HttpServer) + Send + 'static) {
    let _ = server.send(Report::Say(Box::new(what)));
}

/// A server, and a client that calls it once.
fn run() -> Result<CallToolResult, Box<dyn Error>> {
    let (uri, server, serving) = serve()?;
    let config = ClientConfig::named("example-client", "1.0.0");
    let (client, pump) = Client::over_http(config, &HttpClientConfig::new(uri));
    let calling = thread::spawn(move || http_client::drive(pump));
    let result = block_on(client.call_tool("forecast", json!({ "city": "Bern" })));
    drop(client);
    calling.join().map_err(|_| "the client's driver panicked")?;
    say(&server, |server| {
        // The list of tools is as it was; who listens hears of it all the same.
        let _ = server.notify(Method::ToolListChangedNotification, Params::NONE);
        server.drain();
    });
    serving.join().map_err(|_| "the server's driver panicked")?;
    Ok(result?)
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", run()?.content);
    Ok(())
}

#[cfg(test)]
#[path = "std_http/tests.rs"]
mod tests;
