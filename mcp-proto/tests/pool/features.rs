//! What a session asks of its server, by name: what a client does, in the session there is or the next.

use mcp_proto::Revision;
use mcp_proto::client::Mode;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{Typing, completes_prompt};
use mcp_proto::model::{Json, ReadResourceResult};
use mcp_proto::model::{LoggingLevel, ResourcesCapability, ServerCapabilities};
use mcp_proto::rpc::CallError;
use mcp_proto::sessions::SessionsConfig;
use serde_json::json;

use super::world::{World, ms};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Report {
    language: String,
}

fn server() -> Server {
    let capabilities = ServerCapabilities::default()
        .with_logging(Json::empty_object())
        .with_resources(ResourcesCapability::default().with_subscribe(true));
    Server::builder("features", "1")
        .capabilities(capabilities)
        .resource("a:1", "One", || "one")
        .resource_template("a:{id}", "Any", || "any")
        .prompt("report", "Writes a report", |args: Report| {
            format!("in {}", args.language)
        })
        .completion(completes_prompt("report"), "language", |Typing(typed): Typing| {
            vec![format!("{typed}e")]
        })
        .build()
}

fn text(read: &ReadResourceResult) -> String {
    serde_json::to_string(&read.contents).unwrap()
}

#[test]
fn a_session_asks_for_all_that_a_client_asks_for() {
    for mode in [Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)] {
        let mut world = World::new(mode, SessionsConfig::default());
        world.change(|fate| fate.server = Some(server()));
        let session = world.session();
        let asked = world.executor.spawn(async move {
            let resources = session.list_resources().await?;
            assert_eq!(resources.iter().map(|it| &*it.uri).collect::<Vec<_>>(), ["a:1"]);
            assert_eq!(session.list_resource_templates().await?.len(), 1);
            assert_eq!(session.list_prompts().await?.len(), 1);
            assert!(text(&session.read_resource("a:1").await?).contains("one"));
            let prompt = session.get_prompt("report", json!({"language": "de"})).await?;
            assert_eq!(prompt.messages.len(), 1);
            let values = session.complete_prompt("report", "language", "d").await?;
            assert_eq!(values.completion.values, ["de"]);
            let unknown = session.complete_resource("b:{id}", "id", "1").await;
            if mode == Mode::Modern {
                let refused = session.ping().await;
                assert!(matches!(refused, Err(CallError::Refused(_))), "{refused:?}");
                return Ok::<_, CallError>(unknown.is_ok());
            }
            session.ping().await?;
            session.set_level(LoggingLevel::Error).await?;
            session.subscribe("a:1").await?;
            session.unsubscribe("a:1").await?;
            Ok(unknown.is_ok())
        });
        world.executor.run_for(ms(100));
        assert!(matches!(asked.expect().1, Ok(false)), "{mode:?}");
        assert_eq!(world.connects("server"), 1);
    }
}

#[test]
fn a_list_is_read_in_the_next_session_where_the_one_before_is_lost() {
    let mut world = World::new(Mode::Modern, SessionsConfig::default());
    world.change(|fate| fate.server = Some(server()));
    let session = world.session();
    let ready = world.executor.spawn({
        let session = session.clone();
        async move { session.ready().await }
    });
    world.executor.run_for(ms(50));
    assert!(ready.expect().1.is_ok());
    world.kill();
    let listed = world.executor.spawn(async move { session.list_resources().await });
    world.executor.run_for(ms(50));
    assert_eq!(listed.expect().1.unwrap().len(), 1);
    assert_eq!(world.connects("server"), 2);
}
