//! What a session has shown of its server spares the next one the question, as long as it is true.

use mcp_proto::client::Mode;
use mcp_proto::handle::Server;
use mcp_proto::model::{Json, Tool};
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::SessionsConfig;
use mcp_proto::{Era, Revision};

use super::world::{World, ms};

const LEGACY: Revision = Revision::V2025_06_18;

fn server(revision: Revision) -> Option<Server> {
    let tool = Tool::new("echo", Json::empty_object());
    let builder = Server::builder("other", "1").revisions(&[revision]);
    Some(builder.raw_tool(tool, |_, _| async { Ok("hello") }).build())
}

fn world(revision: Revision) -> World {
    let world = World::new(Mode::Auto, SessionsConfig::default());
    world.change(|fate| fate.server = server(revision));
    world
}

fn call(world: &mut World) -> Result<(), CallError> {
    let call = world.executor.spawn(world.session().call_tool("echo", ()));
    world.executor.run_for(ms(1_000));
    call.expect().1.map(drop)
}

/// The server's process ends.
fn end(world: &mut World) {
    world.kill();
    world.executor.run_for(ms(100));
    assert_eq!(world.open(), 0);
}

const OF_LEGACY: [&str; 1] = ["initialize"];
const QUESTION: [&str; 1] = ["server/discover"];
const BOTH: [&str; 2] = ["server/discover", "initialize"];

#[test]
fn a_server_is_asked_once_what_it_speaks() {
    for (revision, first, next) in [(Revision::LATEST, &QUESTION[..], &[][..]), (LEGACY, &BOTH, &OF_LEGACY)] {
        let mut world = world(revision);
        assert_eq!((call(&mut world), world.asked()), (Ok(()), first.to_vec()));
        for evicts in [true, false, true] {
            if evicts {
                world.sessions.evict("server");
                world.executor.run_for(ms(100));
            } else {
                end(&mut world);
            }
            assert_eq!(
                (call(&mut world), world.asked()),
                (Ok(()), next.to_vec()),
                "{revision:?}"
            );
        }
        let session = world.session();
        let facts = world.executor.spawn(async move { session.ready().await });
        world.executor.run_for(ms(10));
        assert_eq!(facts.expect().1.unwrap().revision, revision);
    }
}

#[test]
fn a_server_that_took_the_place_of_another_is_asked_again_and_then_known() {
    for (before, after, asked, next) in [
        // It says which versions it has, and is not asked again for them.
        (Revision::LATEST, LEGACY, &OF_LEGACY[..], &OF_LEGACY[..]),
        // What it answers to the introduction says what it is.
        (LEGACY, Revision::LATEST, &OF_LEGACY, &[]),
    ] {
        let mut world = world(before);
        call(&mut world).unwrap();
        end(&mut world);
        world.asked();
        world.change(|fate| fate.server = server(after));
        assert_eq!((call(&mut world), world.asked()), (Ok(()), asked.to_vec()), "{after:?}");
        assert_eq!(world.sessions.counters().created, 2, "the call fails over by itself");
        end(&mut world);
        assert_eq!((call(&mut world), world.asked()), (Ok(()), next.to_vec()), "{after:?}");
    }
}

#[test]
fn what_was_never_proved_is_not_taken_for_granted_again() {
    let mut world = world(Revision::LATEST);
    call(&mut world).unwrap();
    end(&mut world);
    // The next one takes everything and says nothing: whether it is as the last is not known.
    world.change(|fate| fate.deaf = true);
    let lost = world.executor.spawn(world.session().call_tool("echo", ()));
    world.executor.run_for(ms(100));
    end(&mut world);
    assert!(matches!(lost.expect().1, Err(CallError::Closed(_))));
    world.asked();
    world.change(|fate| fate.deaf = false);
    assert_eq!((call(&mut world), world.asked()), (Ok(()), QUESTION.to_vec()));
}

#[test]
fn what_the_caller_knows_better_counts() {
    let mut world = world(LEGACY);
    call(&mut world).unwrap();
    end(&mut world);
    world.asked();
    world.change(|fate| {
        fate.mode = Mode::Modern;
        fate.server = server(Revision::LATEST);
    });
    assert_eq!((call(&mut world), world.asked()), (Ok(()), vec![]));
    let session = world.session();
    let facts = world.executor.spawn(async move { session.ready().await });
    world.executor.run_for(ms(10));
    assert_eq!(facts.expect().1.unwrap().revision.era(), Era::Modern);
}
