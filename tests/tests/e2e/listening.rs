//! Clients that listen to what changes at their server, in both eras with the same code.

use std::pin::Pin;

use mcp_proto::Era;
use mcp_proto::client::Change;
use mcp_proto::handle::client::Changes;
use mcp_proto::handle::{Client, Server};
use mcp_proto::model::{ResourcesCapability, ServerCapabilities, SubscriptionFilter};
use mcp_proto::rpc::{CallError, CloseReason};
use mcp_tests::runtime::{Flavour, Runtime, Task};
use mcp_tests::world::{ERAS, Transport, Wire, client_config};

const BERN: &str = "weather://bern";

fn server() -> Server {
    let resources = ResourcesCapability::default().with_subscribe(true);
    Server::builder("weather", "1")
        .capabilities(ServerCapabilities::default().with_resources(resources))
        .tool("forecast", "Forecast", || "sunny")
        .resource(BERN, "Bern", || "sunny")
        .changing()
        .build()
}

/// The tools, and one resource.
fn filter() -> SubscriptionFilter {
    SubscriptionFilter::default()
        .with_tools_list_changed(true)
        .with_resource_subscriptions(vec![BERN.into()])
}

/// A server, and a client of it.
struct Place {
    server: Server,
    client: Client,
    wire: Wire,
    serving: Task,
}

impl Place {
    async fn start(runtime: &dyn Runtime, transport: Transport, era: Era) -> Self {
        let (server, wire, config) = (server(), Wire::default(), client_config(era));
        let (client, serving) = match transport.has_address() {
            true => {
                let (address, serving) = transport.serve(runtime, &server, &wire);
                let client = runtime.connect(&address, config).await.expect("a client");
                (client, serving)
            }
            false => transport.join(runtime, &server, &wire, config),
        };
        Self {
            server,
            client,
            wire,
            serving,
        }
    }
}

fn everywhere(scenario: impl AsyncFn(&dyn Runtime, Transport, Era, Place)) {
    for flavour in Flavour::ALL {
        for transport in Transport::ALL {
            for era in ERAS {
                println!("{transport:?}, {era:?}, {flavour}");
                flavour.run(async |runtime| {
                    let place = Place::start(runtime, transport, era).await;
                    scenario(runtime, transport, era, place).await;
                });
            }
        }
    }
}

async fn next(changes: &mut Changes) -> Change {
    changes.next().await.expect("it has not ended").expect("a change")
}

#[test]
fn a_listener_hears_what_it_asked_for_until_it_is_dropped() {
    everywhere(async |runtime, transport, era, place| {
        let mut changes = place.client.listen(filter());
        assert_eq!(changes.granted().await.unwrap(), filter());
        place.server.tools().add("storm", "Is there a storm?", || "no").unwrap();
        assert_eq!(next(&mut changes).await, Change::Tools);
        let tools = place.client.list_tools().await.unwrap();
        assert!(tools.iter().any(|tool| tool.name == "storm"));
        place.server.notify_resource_updated("weather://basel").unwrap();
        place.server.notify_resource_updated(BERN).unwrap();
        assert_eq!(next(&mut changes).await, Change::Resource { uri: BERN.into() });
        drop(changes);
        // What is told to the server can be seen where the transport is tapped, but for the end of a response.
        let told = match era {
            Era::Legacy => Some("resources/unsubscribe"),
            Era::Modern if !transport.is_http() => Some("notifications/cancelled"),
            Era::Modern => None,
        };
        if let Some(told) = told.filter(|_| Transport::TAPPED.contains(&transport)) {
            for _ in 0..5_000 {
                if place.wire.count(told) > 0 {
                    break;
                }
                runtime.sleep(std::time::Duration::from_millis(2)).await;
            }
            assert_eq!(place.wire.count(told), 1);
        }
    });
}

#[test]
fn a_future_that_is_dropped_loses_no_change() {
    everywhere(async |_, _, _, place| {
        let mut changes = place.client.listen(filter());
        changes.granted().await.unwrap();
        let mut waits = Box::pin(changes.next());
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(Pin::new(&mut waits).as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(waits);
        place.server.notify_tools_list_changed().unwrap();
        assert_eq!(next(&mut changes).await, Change::Tools);
    });
}

#[test]
fn a_reader_that_is_slow_gets_each_change_once() {
    everywhere(async |_, _, _, place| {
        let filters = [filter(), filter()];
        let [mut slow, mut quick] = filters.map(|filter| place.client.listen(filter));
        slow.granted().await.unwrap();
        quick.granted().await.unwrap();
        for _ in 0..100 {
            place.server.notify_resource_updated(BERN).unwrap();
            assert_eq!(next(&mut quick).await, Change::Resource { uri: BERN.into() });
        }
        place.server.notify_tools_list_changed().unwrap();
        assert_eq!(next(&mut quick).await, Change::Tools);
        assert_eq!(next(&mut slow).await, Change::Resource { uri: BERN.into() });
        assert_eq!(next(&mut slow).await, Change::Tools);
    });
}

#[test]
fn the_end_of_the_connection_is_told_once_with_its_reason() {
    everywhere(async |_, _, _, mut place| {
        let mut changes = place.client.listen(filter());
        changes.granted().await.unwrap();
        place.client.close().await;
        let end = changes.next().await;
        assert_eq!(end, Some(Err(CallError::Closed(CloseReason::Local))));
        assert_eq!(changes.next().await, None);
        assert_eq!(changes.granted().await, Err(CallError::Closed(CloseReason::Local)));
        let mut late = place.client.listen(filter());
        assert!(matches!(late.next().await, Some(Err(CallError::Closed(_)))));
        place.serving.stop().await;
    });
}

#[test]
fn a_listener_keeps_the_connection_open() {
    everywhere(async |_, _, _, place| {
        let Place { server, client, .. } = &place;
        let mut changes = client.clone().listen(filter());
        changes.granted().await.unwrap();
        server.notify_tools_list_changed().unwrap();
        let Place { client, .. } = place;
        drop(client);
        assert_eq!(next(&mut changes).await, Change::Tools);
    });
}
