//! A client that hears of what changes at its server, the same in both eras: `subscriptions/listen` (2026-07-28), or
//! `resources/subscribe` and what legacy servers tell on their own.

use mcp_proto::Revision;
use mcp_proto::client::{Change, Mode};
use mcp_proto::model::{ResourcesCapability, ServerCapabilities, SubscriptionFilter};
use mcp_smol::{Client, Server, memory};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let executor = smol::LocalExecutor::new();
    smol::block_on(executor.run(async {
        let resources = ResourcesCapability::default().with_subscribe(true);
        for mode in [Mode::Legacy(Revision::V2025_11_25), Mode::Modern] {
            let server = Server::builder("weather", "1.0.0")
                .capabilities(ServerCapabilities::default().with_resources(resources.clone()))
                .changing()
                .resource("weather://bern", "Bern", || "Sunny.")
                .build();
            let client = memory::connect_memory(&server, Client::builder("listener", "1.0.0").mode(mode), |driver| {
                executor.spawn(driver).detach()
            });
            let filter = SubscriptionFilter::default()
                .with_tools_list_changed(true)
                .with_resource_subscriptions(vec!["weather://bern".into()]);
            let mut changes = client.listen(filter);
            println!("the server grants {:?}", changes.granted().await?);
            server.tools().add("storm", "Is there a storm?", || "no")?;
            server.notify_resource_updated("weather://bern")?;
            let mut heard = Vec::new();
            while heard.len() < 2 {
                heard.extend(changes.next().await.transpose()?);
            }
            println!("{mode:?}: {heard:?}");
            assert!(heard.contains(&Change::Tools));
        }
        Ok(())
    }))
}

#[test]
fn it_runs() {
    main().unwrap();
}
