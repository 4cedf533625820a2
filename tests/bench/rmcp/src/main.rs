//! The servers of the benchmark, as rmcp makes them. Called as the benchmark calls itself: `serve <name>`, `stdio <name>`.

use std::io::{Read, Write};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ProgressNotificationParam, RequestMetaObject, ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{Peer, RoleServer, ServerHandler, ServiceExt, schemars, tool, tool_handler, tool_router};
use tokio::net::TcpListener;

/// The tools, which are made once and shared, as a careful application does it.
#[derive(Clone)]
struct Tools {
    tool_router: Arc<ToolRouter<Self>>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Echo {
    /// What to say.
    text: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Count {
    /// How far to count.
    to: u32,
}

#[tool_router]
impl Tools {
    #[tool(description = "Says it again")]
    async fn echo(&self, Parameters(echo): Parameters<Echo>) -> String {
        echo.text
    }

    #[tool(description = "Reports each number as progress")]
    async fn count(
        &self,
        Parameters(count): Parameters<Count>,
        meta: RequestMetaObject,
        client: Peer<RoleServer>,
    ) -> String {
        let token = meta.get_progress_token().expect("a token");
        for n in 1..=count.to {
            let progress = ProgressNotificationParam::new(token.clone(), f64::from(n));
            client.notify_progress(progress).await.expect("a client");
        }
        "done".to_owned()
    }
}

#[tool_handler(router = (*self.tool_router))]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let tools = Tools {
        tool_router: Arc::new(Tools::tool_router()),
    };
    match *arguments {
        ["serve", name] => runtime.block_on(serve(tools, name)),
        ["stdio", name] => runtime.block_on(stdio(tools, name)),
        _ => panic!("usage: bench-rmcp serve|stdio <name>"),
    }
    // A read of standard input that is under way would be waited for.
    std::process::exit(0);
}

/// Serves until the standard input ends.
async fn serve(tools: Tools, name: &str) {
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(0);
    });
    let config = StreamableHttpServerConfig::default().with_max_request_body_bytes(64 << 20);
    let config = match name {
        "sessions" => config,
        "stateless" => config.with_legacy_session_mode(false).with_json_response(true),
        _ => panic!("no server: {name}"),
    };
    let service: StreamableHttpService<Tools, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(tools.clone()), Arc::default(), config);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    std::io::stdout().flush().expect("a pipe");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let service = TowerToHyperService::new(service.clone());
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn stdio(tools: Tools, name: &str) {
    let service = match name {
        "threads" => tools.serve(rmcp::transport::stdio()).await,
        "pipes" => tools.serve(rmcp::transport::stdio_pipes()).await,
        _ => panic!("no server: {name}"),
    };
    drop(service.expect("a client").waiting().await);
}
