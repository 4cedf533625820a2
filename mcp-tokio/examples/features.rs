//! A server with everything that a server has, and a client that looks at all of it, in one process.

use mcp_proto::handle::server::{Typing, completes_prompt};
use mcp_tokio::{ClientConfig, Server, memory};
use serde_json::json;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct City {
    city: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Station {
    id: u32,
}

fn server() -> Server {
    Server::builder("weather", "1.0.0")
        .tool("forecast", "The forecast for a city", |city: City| {
            format!("Sunny in {}", city.city)
        })
        .resource("weather://help", "Help", || "Ask for a city.")
        .resource_template("weather://station/{id}", "A station", |station: Station| {
            format!("Station {} is well.", station.id)
        })
        .prompt("report", "A report about a city", |city: City| {
            format!("Write about the weather in {}.", city.city)
        })
        .completion(completes_prompt("report"), "city", |Typing(typed): Typing| {
            let cities = ["Basel", "Bern", "Biel"].into_iter();
            cities.filter(|city| city.starts_with(&typed)).collect::<Vec<_>>()
        })
        .build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = memory::connect_memory(&server(), ClientConfig::named("looker", "1.0.0"))?;
    for tool in &client.list_tools().await? {
        println!(
            "tool {}: {}",
            tool.name,
            tool.description.as_deref().unwrap_or_default()
        );
    }
    for resource in client.list_resources().await?.into_vec() {
        println!("resource {}", resource.uri);
    }
    for template in client.list_resource_templates().await?.into_vec() {
        println!("template {}", template.uri_template);
    }
    println!(
        "{}",
        client.call_tool("forecast", json!({"city": "Bern"})).await?.to_text()
    );
    println!("{:?}", client.read_resource("weather://station/7").await?.contents);
    println!(
        "{:?}",
        client.get_prompt("report", json!({"city": "Bern"})).await?.messages
    );
    let cities = client.complete_prompt("report", "city", "B").await?.completion.values;
    assert_eq!(cities, ["Basel", "Bern", "Biel"]);
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
