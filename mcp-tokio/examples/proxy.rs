//! A proxy over standard input and output: `proxy <url>` before a server over HTTP, `proxy <command> [<argument> …]` before
//! one that it starts.

use mcp_tokio::child::{Command, connect_child};
use mcp_tokio::http::HttpOptions;
use mcp_tokio::mcp_proto::handle::Proxy;
use mcp_tokio::{ClientConfig, connect_with, stdio};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments
        .next()
        .ok_or("usage: proxy <url> | <command> [<argument> …]")?;
    let proxy = Proxy::new();
    let ours = proxy.client(ClientConfig::named("proxy", "1.0.0"));
    let client = match target.starts_with("http") {
        true => connect_with(&target, ours, &HttpOptions::default())?,
        false => connect_child(&Command::new(target).args(arguments), ours)?,
    };
    let server = proxy.server(&client).await?.build();
    tokio::spawn(proxy.relay(&client, &server));
    stdio::serve(server).await?;
    client.close().await;
    Ok(())
}
