//! Streamable HTTP over a Unix socket: a server that only this machine reaches, by the permissions of a file.

use mcp_tokio::http::HttpOptions;
use mcp_tokio::{ClientConfig, Server, connect_with, http};
use serde_json::json;
use tokio::net::UnixListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("mcp-unix-socket-{}.sock", std::process::id()));
    let server = Server::builder("local", "1.0.0")
        .tool("here", "Says where it is", || "on this machine")
        .build();
    tokio::spawn(http::serve_unix(UnixListener::bind(&path)?, server));

    let options = HttpOptions {
        unix_socket: Some(path.clone()),
        ..HttpOptions::default()
    };
    let config = ClientConfig::named("caller", "1.0.0");
    let client = connect_with("http://localhost/mcp", config, &options)?;
    println!("{}", client.call_tool("here", json!({})).await?.to_text());
    std::fs::remove_file(path)?;
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
