//! Resources, templates, prompts and completions from closures; pages; and all of it changed while the server runs.

use std::collections::BTreeSet;

use super::support::{Client, text};

use mcp_proto::Revision;
use mcp_proto::handle::Server;
use mcp_proto::handle::server::{
    BuildError, Cached, Context, ServerBuilder, State, ToolError, Typing, Uri, completes_prompt, completes_template,
};
use mcp_proto::method::Method;
use mcp_proto::model::{
    CacheScope, ContentBlock, GetPromptResult, Icon, Prompt, PromptMessage, Resource, ResourceContents,
    ResourceTemplate, Tool,
};
use mcp_proto::server::CacheHints;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct User {
    id: u32,
    part: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Review {
    /// The language of the code.
    language: String,
    strict: Option<bool>,
}

fn hints(ttl_ms: u64) -> CacheHints {
    let mut hints = CacheHints::default();
    hints.ttl_ms = ttl_ms;
    hints.scope = CacheScope::Public;
    hints
}

async fn user(State(names): State<Vec<&'static str>>, user: User, Uri(uri): Uri) -> Option<String> {
    let name = names.get(user.id as usize)?;
    Some(format!("{name} {:?} {uri}", user.part))
}

fn server() -> ServerBuilder {
    Server::builder("features", "1")
        .state(vec!["ada", "bob"])
        .resource("users://motd", "Message of the day", || "Be kind.")
        .typed_resource(
            Resource::new("users://photo", "Photo")
                .with_mime_type("image/png".to_owned())
                .with_size(3u64),
            || async { Ok(Cached(vec![1u8, 2, 3], hints(5_000))) },
        )
        .resource("users://broken", "Broken", || {
            Err::<(), _>(ToolError::text("disk on fire")).map(|()| "")
        })
        .resource("users://all", "All", |context: Context| {
            vec![
                ResourceContents::text("users://0", context.revision().as_str()),
                ResourceContents::text("users://1", "b"),
            ]
        })
        .resource_template("users://{id}{?part}", "A user", user)
        .prompt("review", "Reviews code", |args: Review| {
            format!("Review {} {:?}", args.language, args.strict)
        })
        .typed_prompt(
            Prompt::new("talk").with_icons(vec![Icon::new("https://example.com/i.png")]),
            || async {
                vec![
                    PromptMessage::user("hello"),
                    PromptMessage::assistant(ContentBlock::from(ResourceContents::text("a:b", "c"))),
                ]
            },
        )
        .prompt("whole", "A whole result", || GetPromptResult::new(vec![]))
        .completion(completes_prompt("review"), "language", |Typing(typed): Typing| {
            let known = ["python", "rust", "ruby"];
            known
                .into_iter()
                .filter(|it| it.starts_with(&typed))
                .collect::<Vec<_>>()
        })
        .completion(
            completes_template("users://{id}{?part}"),
            "id",
            |args: Settled| async move {
                Ok((0..150)
                    .map(|n| format!("{}{n}", args.part.as_deref().unwrap_or("-")))
                    .collect::<Vec<_>>())
            },
        )
        .tool("link", "Links", || Resource::new("users://motd", "Message of the day"))
}

#[derive(Deserialize, JsonSchema)]
struct Settled {
    part: Option<String>,
}

#[test]
fn resources_are_read_in_every_revision() {
    let server = server().build();
    for revision in Revision::ALL {
        let mut client = Client::new(&server, revision);
        let mut read = |uri: &str| client.ask(revision, "resources/read", json!({"uri": uri})).1;
        assert_eq!(
            read("users://motd")["result"]["contents"],
            json!([{"uri": "users://motd", "text": "Be kind."}])
        );
        let photo = read("users://photo");
        assert_eq!(
            photo["result"]["contents"],
            json!([{"uri": "users://photo", "blob": "AQID", "mimeType": "image/png"}])
        );
        let ttl = if revision.is_stateless() {
            json!(5_000)
        } else {
            Value::Null
        };
        assert_eq!(photo["result"]["ttlMs"], ttl, "{revision}");
        assert_eq!(read("users://all")["result"]["contents"][0]["text"], revision.as_str());
        let broken = read("users://broken");
        assert_eq!(broken["error"], json!({"code": -32603, "message": "disk on fire"}));
        let found = read("users://1?part=na%20me");
        let contents = &found["result"]["contents"][0]["text"];
        assert_eq!(contents, "bob Some(\"na me\") users://1?part=na%20me");
        // Beyond the list, of another type, and of no template at all.
        for uri in ["users://7", "users://x", "other://1"] {
            let code = if revision.is_stateless() { -32602 } else { -32002 };
            assert_eq!(read(uri)["error"]["code"], code, "{revision} {uri}");
            assert_eq!(read(uri)["error"]["data"]["uri"], uri);
        }
    }
}

#[test]
fn prompts_have_the_arguments_of_their_types() {
    let server = server().build();
    let revision = Revision::V2025_11_25;
    let mut client = Client::new(&server, revision);
    let list = client.ask(revision, "prompts/list", json!({})).1;
    assert_eq!(
        list["result"]["prompts"][0]["arguments"],
        json!([
            {"name": "language", "description": "The language of the code.", "required": true},
            {"name": "strict", "required": false},
        ])
    );
    assert_eq!(
        list["result"]["prompts"][1]["icons"][0]["src"],
        "https://example.com/i.png"
    );
    let mut get = |name: &str, arguments: Value| {
        let params = json!({"name": name, "arguments": arguments});
        client.ask(revision, "prompts/get", params).1
    };
    let review = get("review", json!({"language": "rust", "strict": "true"}));
    assert_eq!(
        review["result"]["messages"],
        json!([{"role": "user", "content": {"type": "text", "text": "Review rust Some(true)"}}])
    );
    let talk = get("talk", json!({}));
    assert_eq!(talk["result"]["messages"][1]["role"], "assistant");
    assert_eq!(talk["result"]["messages"][1]["content"]["resource"]["text"], "c");
    assert_eq!(get("whole", json!({}))["result"]["messages"], json!([]));
    for (name, arguments) in [
        ("review", json!({})),
        ("review", json!({"language": "a", "strict": "b"})),
        ("no", json!({})),
    ] {
        assert_eq!(get(name, arguments)["error"]["code"], -32602, "{name}");
    }
}

#[test]
fn arguments_are_completed() {
    let server = server().build();
    let revision = Revision::V2026_07_28;
    let mut client = Client::new(&server, revision);
    let mut complete = |reference: Value, argument: &str, value: &str| {
        let params = json!({
            "ref": reference,
            "argument": {"name": argument, "value": value},
            "context": {"arguments": {"part": "p"}}
        });
        client.ask(revision, "completion/complete", params).1
    };
    let prompt = json!({"type": "ref/prompt", "name": "review"});
    let answer = complete(prompt.clone(), "language", "ru");
    assert_eq!(answer["result"]["completion"], json!({"values": ["rust", "ruby"]}));
    assert_eq!(
        complete(prompt, "strict", "")["result"]["completion"]["values"],
        json!([])
    );
    let template = json!({"type": "ref/resource", "uri": "users://{id}{?part}"});
    let answer = complete(template, "id", "");
    let completion = &answer["result"]["completion"];
    assert_eq!(completion["values"].as_array().map(Vec::len), Some(100));
    assert_eq!(completion["values"][1], "p1");
    assert_eq!(
        (&completion["total"], &completion["hasMore"]),
        (&json!(150), &json!(true))
    );
    let unknown = complete(json!({"type": "ref/prompt", "name": "no"}), "a", "");
    assert_eq!(unknown["error"]["code"], -32602);
}

#[test]
fn a_resource_is_returned_as_a_link() {
    let revision = Revision::V2025_11_25;
    let mut client = Client::new(&server().build(), revision);
    let answer = client.call(revision, "link", json!({}));
    assert_eq!(
        answer["result"]["content"],
        json!([{"type": "resource_link", "uri": "users://motd", "name": "Message of the day"}])
    );
}

#[test]
fn what_is_there_is_declared() {
    let server = server().build();
    let capabilities = server.config().capabilities();
    let declared = serde_json::to_value(capabilities).unwrap();
    assert_eq!(
        declared,
        json!({"tools": {}, "prompts": {}, "resources": {}, "completions": {}})
    );
    let changing = Server::builder("c", "1").changing().build();
    let declared = serde_json::to_value(changing.config().capabilities()).unwrap();
    let yes = json!({"listChanged": true});
    assert_eq!(declared, json!({"tools": yes, "prompts": yes, "resources": yes}));
}

#[test]
fn a_template_that_cannot_be_matched_is_no_server() {
    let builder = Server::builder("t", "1").resource_template("a://{b}{c}", "Bad", || "x");
    assert!(matches!(builder.try_build(), Err(BuildError::InvalidTemplate { .. })));
}

fn many(count: usize) -> ServerBuilder {
    let builder = Server::builder("many", "1").page_size(10).changing();
    (0..count).fold(builder, |builder, n| {
        builder.tool(format!("tool-{n}"), "One of many", || "x")
    })
}

/// A page of tools: their names, and where the next one starts.
fn page(client: &mut Client, cursor: Option<&Value>) -> (Vec<String>, Option<Value>) {
    let params = cursor.map_or(json!({}), |cursor| json!({"cursor": cursor}));
    let answer = client.ask(Revision::V2025_11_25, "tools/list", params).1;
    let tools = answer["result"]["tools"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    (names.collect(), answer["result"].get("nextCursor").cloned())
}

fn pages(client: &mut Client, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut all, mut cursor) = page(client, None);
    let mut count = 1;
    while let Some(next) = cursor {
        between(count);
        count += 1;
        let (names, after) = page(client, Some(&next));
        all.extend(names);
        cursor = after;
    }
    all
}

#[test]
fn a_long_list_comes_in_pages_each_entry_once_and_in_order() {
    for count in [0, 1, 9, 10, 11, 20, 35] {
        let mut client = Client::new(&many(count).build(), Revision::V2025_11_25);
        let expected: Vec<String> = (0..count).map(|n| format!("tool-{n}")).collect();
        assert_eq!(pages(&mut client, |_| {}), expected);
        assert_eq!(pages(&mut client, |_| {}), expected, "and again");
    }
}

#[test]
fn a_cursor_survives_what_comes_and_goes_between_two_pages() {
    let server = many(35).build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let seen = pages(&mut client, |page| {
        // The very entry that the cursor names, one that was seen, one that was not, and a new one.
        let last = page * 10 - 1;
        assert!(server.tools().remove(&format!("tool-{last}")));
        server.tools().remove(&format!("tool-{}", page - 1));
        server.tools().remove(&format!("tool-{}", last + 3));
        server.tools().add(format!("new-{page}"), "New", || "x").unwrap();
    });
    let expected = (0..35)
        .filter(|n| ![12, 22, 32].contains(n))
        .map(|n| format!("tool-{n}"));
    let expected: Vec<String> = expected.chain((1..=3).map(|n| format!("new-{n}"))).collect();
    assert_eq!(
        seen.iter().collect::<BTreeSet<_>>().len(),
        seen.len(),
        "nothing twice: {seen:?}"
    );
    assert_eq!(seen, expected);
}

#[test]
fn a_cursor_that_was_never_given_is_refused() {
    let server = many(35).build();
    let mut client = Client::new(&server, Revision::V2025_11_25);
    let (_, cursor) = page(&mut client, None);
    let given = cursor.unwrap();
    for (method, cursor) in [
        ("tools/list", json!("")),
        ("tools/list", json!("10")),
        ("tools/list", json!(given.as_str().unwrap().to_lowercase())),
        ("prompts/list", given.clone()),
        ("resources/list", given.clone()),
    ] {
        let answer = client.ask(Revision::V2025_11_25, method, json!({"cursor": cursor})).1;
        assert_eq!(answer["error"]["code"], -32602, "{method} {cursor}");
    }
}

#[test]
fn lists_say_how_long_they_are_fresh() {
    let server = server().cache_list(Method::ListTools, hints(60_000)).build();
    let mut client = Client::new(&server, Revision::V2026_07_28);
    let mut list = |method: &str| client.ask(Revision::V2026_07_28, method, json!({})).1["result"].clone();
    let tools = list("tools/list");
    assert_eq!(
        (&tools["ttlMs"], &tools["cacheScope"]),
        (&json!(60_000), &json!("public"))
    );
    let prompts = list("prompts/list");
    assert_eq!(
        (&prompts["ttlMs"], &prompts["cacheScope"]),
        (&json!(0), &json!("private"))
    );
    let mut legacy = Client::new(&server, Revision::V2025_11_25);
    let tools = legacy.ask(Revision::V2025_11_25, "tools/list", json!({})).1;
    assert_eq!(tools["result"]["ttlMs"], Value::Null);
}

#[test]
fn everything_comes_and_goes_while_the_server_runs_and_clients_are_told() {
    let server = server().changing().build();
    let revision = Revision::V2025_11_25;
    let mut client = Client::new(&server, revision);
    client.turn();
    let told = |client: &mut Client| {
        let methods: Vec<String> = client
            .turn()
            .iter()
            .map(|it| it["method"].as_str().unwrap().into())
            .collect();
        methods
    };
    server
        .tools()
        .add("sale", "New", |State(names): State<Vec<&'static str>>| names[0])
        .unwrap();
    assert_eq!(told(&mut client), ["notifications/tools/list_changed"]);
    assert_eq!(text(&client.call(revision, "sale", json!({}))), "ada");
    server
        .tools()
        .add_typed(
            Tool::new("sale", mcp_proto::model::Json::parse("{}").unwrap()),
            || async { "replaced" },
        )
        .unwrap();
    assert_eq!(text(&client.call(revision, "sale", json!({}))), "replaced");
    assert_eq!(server.tools().names(), ["link", "sale"]);
    assert!(server.tools().remove("sale") && !server.tools().remove("sale"));
    client.turn();
    assert_eq!(client.call(revision, "sale", json!({}))["error"]["code"], -32602);

    server.prompts().add("new", "New", || "text").unwrap();
    assert_eq!(told(&mut client), ["notifications/prompts/list_changed"]);
    assert_eq!(
        client.ask(revision, "prompts/get", json!({"name": "new"})).1["result"]["messages"][0]["content"]["text"],
        "text"
    );
    server.resources().add("new://1", "New", || "text").unwrap();
    assert_eq!(told(&mut client), ["notifications/resources/list_changed"]);
    let template = ResourceTemplate::new("new://{id}", "New").with_mime_type("text/x".to_owned());
    server
        .resource_templates()
        .add_typed(template, |Uri(uri): Uri| uri)
        .unwrap();
    assert_eq!(told(&mut client), ["notifications/resources/list_changed"]);
    let read = client.ask(revision, "resources/read", json!({"uri": "new://2"})).1;
    assert_eq!(
        read["result"]["contents"],
        json!([{"uri": "new://2", "text": "new://2", "mimeType": "text/x"}])
    );
    assert!(server.resource_templates().remove("new://{id}"));
    client.turn();
    assert_eq!(
        client.ask(revision, "resources/read", json!({"uri": "new://2"})).1["error"]["code"],
        -32002
    );

    let missing = server
        .tools()
        .add("x", "y", |State(number): State<u128>| number.to_string());
    assert!(matches!(missing, Err(BuildError::MissingState { .. })));
    assert!(server.resource_templates().add("{", "y", || "").is_err());
    assert!(client.turn().is_empty(), "nothing has changed");
}

#[test]
fn what_was_not_declared_is_not_added() {
    let server = Server::builder("fixed", "1").tool("a", "A", || "a").build();
    assert!(matches!(
        server.prompts().add("b", "B", || "b"),
        Err(BuildError::NotDeclared { .. })
    ));
    assert!(
        server.tools().add("c", "C", || "c").is_ok(),
        "there, though nobody is told"
    );
    assert!(server.notify_tools_list_changed().is_err());
}

#[test]
fn those_who_subscribe_are_told_of_updates_by_name() {
    let capabilities = serde_json::from_str(r#"{"resources":{"subscribe":true}}"#).unwrap();
    let server = server().capabilities(capabilities).build();
    let revision = Revision::V2025_11_25;
    let mut client = Client::new(&server, revision);
    let answer = client
        .ask(revision, "resources/subscribe", json!({"uri": "users://motd"}))
        .1;
    assert_eq!(answer["result"], json!({}));
    server.notify_resource_updated("users://motd").unwrap();
    server.notify_resource_updated("users://photo").unwrap();
    let told = client.turn();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["params"]["uri"], "users://motd");
}
