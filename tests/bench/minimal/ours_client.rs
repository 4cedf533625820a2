//! Our smallest client over HTTP.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = mcp_tokio::connect("http://127.0.0.1:8000/mcp")?;
    let arguments = serde_json::json!({ "city": "Rome" });
    let result = client.call_tool("forecast", arguments).await?;
    println!("{}", serde_json::to_string_pretty(&result)?);
    Ok(())
}
