//! Streamable HTTP over a Unix socket: a server that only this machine reaches, by the permissions of a file.

use mcp_smol::http::HttpOptions;
use mcp_smol::{ClientConfig, Server, connect_with, http};
use serde_json::json;
use smol::net::unix::UnixListener;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let path = std::env::temp_dir().join(format!("mcp-unix-socket-smol-{}.sock", std::process::id()));
        let server = Server::builder("local", "1.0.0")
            .tool("here", "Says where it is", || "on this machine")
            .build();
        executor
            .spawn(http::serve_unix(UnixListener::bind(&path)?, server))
            .detach();

        let options = HttpOptions {
            unix_socket: Some(path.clone()),
            ..HttpOptions::default()
        };
        let config = ClientConfig::named("caller", "1.0.0");
        let spawn = |driver| executor.spawn(driver).detach();
        let client = connect_with("http://localhost/mcp", config, &options, spawn)?;
        println!("{}", client.call_tool("here", json!({})).await?.to_text());
        std::fs::remove_file(path)?;
        Ok(())
    }))
}

#[test]
fn it_runs() {
    main().unwrap();
}
