//! The smallest server of rmcp over standard input and output.

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt, schemars, tool, tool_handler, tool_router};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Forecast {
    /// The name of a city.
    city: String,
}

#[derive(Clone)]
struct Weather {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Weather {
    #[tool(description = "Forecast for a city")]
    async fn forecast(&self, Parameters(args): Parameters<Forecast>) -> String {
        format!("Sunny in {}", args.city)
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Weather {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let weather = Weather {
        tool_router: Weather::tool_router(),
    };
    weather.serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}
