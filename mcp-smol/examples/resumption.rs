//! A call that outlives its connection (2025-11-25): the server closes the stream while it works, and the client comes back
//! for the answer by itself.

use std::time::Duration;

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::http::server::Resumption;
use mcp_smol::http::HttpOptions;
use mcp_smol::http::server::{HttpConfig, McpService, ServeOptions, serve_until};
use mcp_smol::{Client, Context, Server, connect_with};
use serde_json::json;
use smol::Timer;
use smol::net::TcpListener;

async fn brew(context: Context) -> &'static str {
    // Nothing is held open while it takes its time.
    let is_closed = context.close_stream();
    println!("the stream is closed: {is_closed}");
    Timer::after(Duration::from_millis(200)).await;
    "Tea is ready."
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/mcp", listener.local_addr()?);
        let server = Server::builder("kitchen", "1.0.0")
            .tool("brew", "Brews tea", brew)
            .build();
        let resumption = Resumption::default().with_retry(Duration::from_millis(50));
        let service = McpService::new(server, HttpConfig::default().resumable(resumption));
        let options = ServeOptions::default();
        let serving = async move { serve_until(listener, service, &options, std::future::pending()).await };
        executor.spawn(serving).detach();

        let client = Client::builder("guest", "1.0.0").mode(Mode::Legacy(Revision::V2025_11_25));
        let spawn = |driver| executor.spawn(driver).detach();
        let client = connect_with(&url, client, &HttpOptions::default(), spawn)?;
        let result = client.call_tool("brew", json!({})).await?;
        println!("{}", result.to_text());
        assert_eq!(result.to_text(), "Tea is ready.");
        Ok(())
    }))
}

#[test]
fn it_runs() {
    main().unwrap();
}
