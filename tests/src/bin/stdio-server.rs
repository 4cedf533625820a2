//! A server to be a child: `stdio-server --runtime tokio|smol`, over its standard input and output. Where the variable
//! `CALL_FIRST` names a URL, it has `echo` called there before it serves.

use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::OnceLock;
use std::time::Duration;

use mcp_driver::http::HttpOptions;
use mcp_proto::client::ClientConfig;
use mcp_proto::handle::server::{NoArgs, ToolError};
use mcp_proto::handle::{Client, Server};
use mcp_tests::conformance::arguments::Runtime;
use mcp_tests::runtime::Failure;
use schemars::JsonSchema;
use serde::Deserialize;
use smol::channel::{Receiver, Sender, bounded};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let runtime = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--runtime"), Some(name)) => Runtime::parse(&name),
        _ => None,
    };
    let Some(runtime) = runtime else {
        eprintln!("usage: stdio-server --runtime tokio|smol");
        return ExitCode::from(2);
    };
    let _ = RUNTIME.set(runtime);
    let (stop, stopped) = bounded(1);
    let outcome = serve(server(stop), stopped);
    // Standard output is the program's again, where anyone still reads it.
    let _ = writeln!(std::io::stdout(), "served");
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stdio-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until the peer or the tool `stop` ends it.
fn serve(server: Server, stopped: Receiver<()>) -> std::io::Result<()> {
    let stop = async move {
        if stopped.recv().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    match RUNTIME.get() {
        Some(Runtime::Tokio) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let options = HttpOptions::default();
                call_first(|url, config| mcp_tokio::connect_with(url, config, &options).map_err(Into::into)).await?;
                mcp_tokio::stdio::serve_until(server, stop).await
            })
        }
        _ => {
            let executor = smol::LocalExecutor::new();
            smol::block_on(executor.run(async {
                let connect = |url: &str, config| {
                    let spawn = |driver| executor.spawn(driver).detach();
                    mcp_smol::connect_with(url, config, &HttpOptions::default(), spawn).map_err(Into::into)
                };
                call_first(connect).await?;
                mcp_smol::stdio::serve_until(server, stop).await
            }))
        }
    }
}

/// Calls the server that the environment names, if there is one, and waits for the answer.
async fn call_first(connect: impl Fn(&str, ClientConfig) -> Result<Client, Failure>) -> std::io::Result<()> {
    let Ok(url) = std::env::var("CALL_FIRST") else {
        return Ok(());
    };
    let config = ClientConfig::named("child", "1");
    let client = connect(&url, config).map_err(std::io::Error::other)?;
    let call = client.call_tool("echo", serde_json::json!({"text": "from the child"}));
    call.await.map_err(std::io::Error::other)?;
    client.close().await;
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
struct Text {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Code {
    code: i32,
}

#[derive(Deserialize, JsonSchema)]
struct Milliseconds {
    milliseconds: u64,
}

fn server(stop: Sender<()>) -> Server {
    Server::builder("stdio", "1")
        .tool("echo", "Gives back its text", |args: Text| async move {
            Ok::<_, ToolError>(args.text)
        })
        .tool("print", "Prints its text to standard output", |args: Text| async move {
            println!("{}", args.text);
            print!("without an end ");
            Ok::<_, ToolError>("printed")
        })
        .tool("log", "Prints its text to standard error", |args: Text| async move {
            eprintln!("{}", args.text);
            Ok::<_, ToolError>("logged")
        })
        .tool(
            "shell",
            "Runs a command that inherits everything",
            |args: Text| async move {
                let status = Command::new("sh").arg("-c").arg(args.text).status();
                Ok(format!(
                    "{:?}",
                    status.map_err(|error| ToolError::text(error.to_string()))?.code()
                ))
            },
        )
        .tool("variable", "A variable of the environment", |args: Text| async move {
            Ok::<_, ToolError>(std::env::var(args.text).unwrap_or_default())
        })
        .tool("sleep", "Takes its time", |args: Milliseconds| async move {
            smol::Timer::after(Duration::from_millis(args.milliseconds)).await;
            Ok::<_, ToolError>("slept")
        })
        .tool(
            "again",
            "Tries to serve the same streams once more",
            |_: NoArgs| async move {
                let nested = Server::builder("nested", "1").build();
                let outcome = match RUNTIME.get() {
                    Some(Runtime::Tokio) => mcp_tokio::stdio::serve(nested).await,
                    _ => mcp_smol::stdio::serve(nested).await,
                };
                Ok::<_, ToolError>(outcome.map_or_else(|error| error.kind().to_string(), |()| "served".to_owned()))
            },
        )
        .tool("process", "The number of this process", |_: NoArgs| async move {
            Ok::<_, ToolError>(std::process::id().to_string())
        })
        .tool("exit", "Exits at once", |args: Code| async move {
            let _ = std::io::stderr().flush();
            std::process::exit(args.code);
            #[expect(unreachable_code, reason = "the type of the closure")]
            Ok::<_, ToolError>("gone")
        })
        .tool("stop", "Ends the server gracefully", move |_: NoArgs| {
            let _ = stop.try_send(());
            async move { Ok::<_, ToolError>("stopped") }
        })
        .build()
}
