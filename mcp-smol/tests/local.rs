//! A server whose handlers are not `Send`, on an executor of one thread.
#![cfg(all(unix, feature = "schema"))]

use std::cell::Cell;
use std::rc::Rc;

use mcp_proto::handle::server::{LocalServer, State};
use mcp_smol::{ClientConfig, drive, stream};
use smol::net::unix::UnixStream;
use smol::{LocalExecutor, block_on, future};

#[test]
fn handlers_that_are_not_send_run_on_a_local_executor() {
    let count = Rc::new(Cell::new(0u32));
    let server = LocalServer::builder("counter", "1.0.0")
        .state(count.clone())
        .tool("next", "Counts", |State(count): State<Rc<Cell<u32>>>| async move {
            // Held across a point where others run: the future is not `Send`, and neither is what is spawned.
            let before = Rc::new(count.get());
            future::yield_now().await;
            count.set(*before + 1);
            count.get().to_string()
        })
        .build();
    let executor = LocalExecutor::new();
    let texts: Vec<String> = block_on(executor.run(async {
        let (here, there) = UnixStream::pair().unwrap();
        let serving = executor.spawn(drive(server.pump(), there));
        let config = ClientConfig::named("host", "1.0.0");
        let client = stream::connect_stream(here, config, |driver| executor.spawn(driver).detach());
        let mut texts = Vec::new();
        for _ in 0..3 {
            let result = client.call_tool("next", serde_json::json!({})).await.unwrap();
            texts.push(result.to_text());
        }
        drop(client);
        serving.await.unwrap();
        texts
    }));
    assert_eq!((texts, count.get()), (vec!["1".into(), "2".into(), "3".into()], 3));
}
