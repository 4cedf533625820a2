//! Lists the tools of an MCP server and calls one: `client <url> [<tool> [<arguments as JSON>]]`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "http://127.0.0.1:8000/mcp".to_owned());
    let client = mcp_tokio::connect(&url)?;
    for tool in &client.list_tools().await? {
        println!("{}: {}", tool.name, tool.description.as_deref().unwrap_or_default());
    }
    if let Some(tool) = arguments.next() {
        let input: serde_json::Value = serde_json::from_str(arguments.next().as_deref().unwrap_or("{}"))?;
        let result = client.call_tool(&tool, input).await?;
        println!("{}", serde_json::to_string_pretty(&result)?);
    }
    Ok(())
}
