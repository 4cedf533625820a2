//! Our smallest server over HTTP.

use mcp_tokio::http::serve;
use mcp_tokio::{Server, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Forecast {
    /// The name of a city.
    city: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let server = Server::builder("weather", "1.0.0")
        .tool("forecast", "Forecast for a city", |args: Forecast| async move {
            Ok::<_, ToolError>(format!("Sunny in {}", args.city))
        })
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    serve(listener, server).await
}
