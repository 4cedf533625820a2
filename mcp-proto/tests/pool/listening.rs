//! Those who listen through a pool, when connections end.

use std::sync::{Arc, Mutex};

use mcp_proto::client::Change;
use mcp_proto::handle::Server;
use mcp_proto::handle::sessions::Session;
use mcp_proto::model::SubscriptionFilter;
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::SessionsConfig;

use super::MODES;
use super::executor::Executor;
use super::world::{Key, World, ms};

fn filter() -> SubscriptionFilter {
    SubscriptionFilter::default().with_tools_list_changed(true)
}

/// What a task has heard so far.
type Heard = Arc<Mutex<Vec<Option<Result<Change, CallError>>>>>;

/// Listens in a task of its own, to the end.
fn listen(executor: &mut Executor, session: &Session<Key>) -> Heard {
    let (heard, mut changes) = (Heard::default(), session.listen(filter()));
    let into = heard.clone();
    executor.spawn(async move {
        assert_eq!(changes.granted().await, Ok(filter()));
        loop {
            let next = changes.next().await;
            let is_over = next.is_none();
            into.lock().unwrap().push(next);
            if is_over {
                return;
            }
        }
    });
    heard
}

fn taken(heard: &Heard) -> Vec<Option<Result<Change, CallError>>> {
    std::mem::take(&mut heard.lock().unwrap())
}

fn worlds() -> impl Iterator<Item = (World, Server)> {
    MODES.into_iter().map(|mode| {
        let world = World::new(mode, SessionsConfig::default());
        let server = Server::builder("changing", "1").changing().build();
        world.change(|fate| fate.server = Some(server.clone()));
        (world, server)
    })
}

#[test]
fn a_listener_goes_on_in_the_next_session_and_is_told() {
    for (mut world, server) in worlds() {
        let session = world.session();
        let heard = listen(&mut world.executor, &session);
        world.executor.run_for(ms(50));
        // Each brings something: that may go on for ever.
        for round in 1..20 {
            server.notify_tools_list_changed().unwrap();
            world.executor.run_for(ms(50));
            assert_eq!(taken(&heard), [Some(Ok(Change::Tools))]);
            world.kill();
            world.executor.run_for(ms(50));
            assert_eq!(taken(&heard), [Some(Ok(Change::Restored))]);
            assert_eq!((world.connects("server"), world.open()), (round + 1, 1));
        }
    }
}

#[test]
fn a_server_that_dies_again_and_again_is_not_started_without_end() {
    for (mut world, _) in worlds() {
        let session = world.session();
        let heard = listen(&mut world.executor, &session);
        world.executor.run_for(ms(50));
        for _ in 0..5 {
            world.kill();
            world.executor.run_for(ms(50));
            assert_eq!(taken(&heard), [Some(Ok(Change::Restored))]);
        }
        world.kill();
        world.executor.run_for(ms(50));
        let end = taken(&heard);
        assert!(matches!(end[..], [Some(Err(CallError::Closed(_))), None]), "{end:?}");
        assert_eq!(world.connects("server"), 6);
    }
}

#[test]
fn a_session_that_cannot_be_made_again_ends_it_with_the_reason() {
    for (mut world, _) in worlds() {
        let session = world.session();
        let heard = listen(&mut world.executor, &session);
        world.executor.run_for(ms(50));
        world.change(|fate| fate.refuses = true);
        world.kill();
        world.executor.run_for(ms(50));
        let end = taken(&heard);
        assert!(
            matches!(end[..], [Some(Err(CallError::Unreachable(_))), None]),
            "{end:?}"
        );
    }
}
