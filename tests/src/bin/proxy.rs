//! A proxy to be a child: `proxy --runtime tokio|smol URL`, or `proxy --runtime tokio|smol COMMAND [ARGUMENT …]`, over its
//! standard input and output.

use std::process::ExitCode;

use mcp_driver::child::Command;
use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::Proxy;
use mcp_tests::conformance::Failure;
use mcp_tests::conformance::arguments::Runtime;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let runtime = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--runtime"), Some(name)) => Runtime::parse(&name),
        _ => None,
    };
    let Some((runtime, target)) = runtime.zip(arguments.next()) else {
        eprintln!("usage: proxy --runtime tokio|smol URL | COMMAND [ARGUMENT …]");
        return ExitCode::from(2);
    };
    let outcome = match runtime {
        Runtime::Tokio => on_tokio(&target, arguments),
        Runtime::Smol => on_smol(&target, arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("proxy: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn config() -> ClientConfig {
    ClientConfig::named("proxy", "1")
}

#[tokio::main(flavor = "current_thread")]
async fn on_tokio(target: &str, arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let proxy = Proxy::new();
    let ours = proxy.client(config());
    let client = match target.starts_with("http") {
        true => mcp_tokio::connect_with(target, ours, &HttpOptions::default())?,
        false => mcp_tokio::child::connect_child(&Command::new(target).args(arguments), ours)?,
    };
    let server = proxy.server(&client).await?.build();
    tokio::spawn(proxy.relay(&client, &server));
    mcp_tokio::stdio::serve(server).await?;
    client.close().await;
    Ok(())
}

fn on_smol(target: &str, arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let proxy = Proxy::new();
        let ours = proxy.client(config());
        let spawn = |driver| executor.spawn(driver).detach();
        let client = match target.starts_with("http") {
            true => mcp_smol::connect_with(target, ours, &HttpOptions::default(), spawn)?,
            false => {
                let command = Command::new(target).args(arguments);
                let spawn = |driver| executor.spawn(driver).detach();
                mcp_smol::child::connect_child(&command, ours, spawn)?
            }
        };
        let server = proxy.server(&client).await?.build();
        executor.spawn(proxy.relay(&client, &server)).detach();
        mcp_smol::stdio::serve(server).await?;
        client.close().await;
        Ok(())
    }))
}
