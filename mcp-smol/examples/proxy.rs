//! A proxy over standard input and output: `proxy <url>` before a server over HTTP, `proxy <command> [<argument> …]` before
//! one that it starts.

use mcp_smol::child::{Command, connect_child};
use mcp_smol::http::HttpOptions;
use mcp_smol::mcp_proto::handle::Proxy;
use mcp_smol::{ClientConfig, connect_with, stdio};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(run(&executor)))
}

async fn run(executor: &smol::LocalExecutor<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments
        .next()
        .ok_or("usage: proxy <url> | <command> [<argument> …]")?;
    let proxy = Proxy::new();
    let ours = proxy.client(ClientConfig::named("proxy", "1.0.0"));
    let client = match target.starts_with("http") {
        true => connect_with(&target, ours, &HttpOptions::default(), |driver| {
            executor.spawn(driver).detach();
        })?,
        false => connect_child(&Command::new(target).args(arguments), ours, |driver| {
            executor.spawn(driver).detach();
        })?,
    };
    let server = proxy.server(&client).await?.build();
    executor.spawn(proxy.relay(&client, &server)).detach();
    stdio::serve(server).await?;
    client.close().await;
    Ok(())
}
