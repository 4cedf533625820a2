//! A server whose handlers are not `Send`, in a set of local tasks.
#![cfg(all(unix, feature = "schema"))]

use std::cell::Cell;
use std::rc::Rc;

use mcp_proto::handle::server::{LocalServer, State};
use mcp_tokio::{ClientConfig, drive, stream};
use tokio::net::UnixStream;
use tokio::task::{LocalSet, spawn_local, yield_now};

#[tokio::test]
async fn handlers_that_are_not_send_run_in_a_local_set() {
    let count = Rc::new(Cell::new(0u32));
    let server = LocalServer::builder("counter", "1.0.0")
        .state(count.clone())
        .tool("next", "Counts", |State(count): State<Rc<Cell<u32>>>| async move {
            // Held across a point where others run: the future is not `Send`, and neither is what is spawned.
            let before = Rc::new(count.get());
            yield_now().await;
            count.set(*before + 1);
            count.get().to_string()
        })
        .build();
    let running = async {
        let (here, there) = UnixStream::pair().unwrap();
        let serving = spawn_local(drive(server.pump(), there));
        let client = stream::connect_stream(here, ClientConfig::named("host", "1.0.0")).unwrap();
        let mut texts = Vec::new();
        for _ in 0..3 {
            let result = client.call_tool("next", serde_json::json!({})).await.unwrap();
            texts.push(result.to_text());
        }
        drop(client);
        serving.await.unwrap().unwrap();
        texts
    };
    let texts: Vec<String> = LocalSet::new().run_until(running).await;
    assert_eq!((texts, count.get()), (vec!["1".into(), "2".into(), "3".into()], 3));
}
