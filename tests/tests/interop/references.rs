//! Our client and two reference servers, over stdio.

use mcp_proto::handle::Client;
use mcp_proto::model::Root;
use serde_json::{Value, json};

use crate::home::package;
use crate::world::{everywhere, with_child};

async fn text(client: &Client, tool: &str, arguments: Value) -> String {
    let result = client.call_tool(tool, arguments).await.expect("a result");
    assert!(!result.is_failure(), "{}", result.to_text());
    result.to_text()
}

#[test]
fn files() {
    everywhere(async |runtime| {
        let folder = std::env::temp_dir().join(format!("mcp-interop-{}-{}", std::process::id(), runtime.flavour()));
        std::fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let file = folder.join("a.txt");
        let command = package("server-filesystem/dist/index.js").arg(&folder);
        let root = Root::new(format!("file://{}", folder.display()));
        let client = Client::builder("interop", "1").roots([root]);
        with_child(runtime, &command, client, async |client| {
            text(client, "write_file", json!({"path": file, "content": "written"})).await;
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "written");
            assert!(
                text(client, "read_text_file", json!({"path": file}))
                    .await
                    .contains("written")
            );
            assert!(
                text(client, "list_directory", json!({"path": folder}))
                    .await
                    .contains("a.txt")
            );
            let refused = client
                .call_tool("read_text_file", json!({"path": "/etc/hostname"}))
                .await;
            assert!(refused.expect("a result").is_failure());
        })
        .await;
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn memory() {
    everywhere(async |runtime| {
        let file = std::env::temp_dir().join(format!(
            "mcp-interop-{}-{}.jsonl",
            std::process::id(),
            runtime.flavour()
        ));
        let command = package("server-memory/dist/index.js").env("MEMORY_FILE_PATH", &file);
        with_child(runtime, &command, Client::builder("interop", "1"), async |client| {
            let entity = json!({"name": "Ada", "entityType": "person", "observations": ["counts"]});
            text(client, "create_entities", json!({"entities": [entity]})).await;
            assert!(text(client, "read_graph", json!({})).await.contains("Ada"));
            assert!(
                text(client, "search_nodes", json!({"query": "counts"}))
                    .await
                    .contains("Ada")
            );
        })
        .await;
        std::fs::remove_file(file).unwrap();
    });
}
