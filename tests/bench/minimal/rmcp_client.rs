//! The smallest client of rmcp over HTTP.

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let transport = StreamableHttpClientTransport::from_uri("http://127.0.0.1:8000/mcp");
    let client = ().serve(transport).await?;
    let arguments = serde_json::json!({ "city": "Rome" });
    let mut call = CallToolRequestParams::new("forecast");
    call.arguments = arguments.as_object().cloned();
    println!("{}", serde_json::to_string_pretty(&client.call_tool(call).await?)?);
    Ok(())
}
