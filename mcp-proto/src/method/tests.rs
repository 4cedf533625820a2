//! The table against lists written by hand from the five schemas and that of the tasks extension.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;

const CLIENT_2024_11_05: &[&str] = &[
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "logging/setLevel",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];

const SERVER_2024_11_05: &[&str] = &[
    "ping",
    "sampling/createMessage",
    "roots/list",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/message",
];

const TASKS_2025_11_25: &[&str] = &[
    "tasks/get",
    "tasks/cancel",
    "tasks/result",
    "tasks/list",
    "notifications/tasks/status",
];

const CLIENT_2026_07_28: &[&str] = &[
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "subscriptions/listen",
    "completion/complete",
    "notifications/cancelled",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];

const SERVER_2026_07_28: &[&str] = &[
    "notifications/cancelled",
    "notifications/progress",
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/subscriptions/acknowledged",
    "notifications/message",
    "notifications/tasks",
];

fn expected(side: Side, revision: Revision) -> Vec<&'static str> {
    let lists: &[&[&str]] = match (side, revision) {
        (Side::Client, Revision::V2026_07_28) => &[CLIENT_2026_07_28],
        (Side::Client, Revision::V2025_11_25) => &[CLIENT_2024_11_05, TASKS_2025_11_25],
        (Side::Client, _) => &[CLIENT_2024_11_05],
        (Side::Server, Revision::V2026_07_28) => &[SERVER_2026_07_28],
        (Side::Server, Revision::V2025_11_25) => &[
            SERVER_2024_11_05,
            TASKS_2025_11_25,
            &["elicitation/create", "notifications/elicitation/complete"],
        ],
        (Side::Server, Revision::V2025_06_18) => &[SERVER_2024_11_05, &["elicitation/create"]],
        (Side::Server, _) => &[SERVER_2024_11_05],
    };
    let mut names = lists.concat();
    names.sort_unstable();
    names
}

#[test]
fn each_side_sends_what_the_schema_of_the_revision_says() {
    for revision in Revision::ALL {
        for side in [Side::Client, Side::Server] {
            let mut names: Vec<_> = Method::ALL
                .iter()
                .filter(|method| method.is_sent_by(side, revision))
                .map(|method| method.as_str())
                .collect();
            names.sort_unstable();
            assert_eq!(names, expected(side, revision), "{side} in {revision}");
        }
    }
}

#[test]
fn every_method_exists_in_some_revision() {
    for method in Method::ALL {
        assert!(
            Revision::ALL.into_iter().any(|revision| method.exists_in(revision)),
            "{method}"
        );
    }
}

#[test]
fn names_round_trip_and_tell_the_kind() {
    for &method in Method::ALL {
        assert_eq!(Method::parse(method.as_str()), Some(method));
        let is_notification = method.as_str().starts_with("notifications/");
        assert_eq!(method.kind() == Kind::Notification, is_notification, "{method}");
        assert_eq!(method.result_type().is_none(), is_notification, "{method}");
    }
    assert_eq!(Method::parse("tools/Call"), None);
    assert_eq!(Method::parse(""), None);
}

#[test]
fn an_unknown_name_is_kept() {
    let name = MethodName::from("x-vendor/do");
    assert_eq!(name.as_str(), "x-vendor/do");
    assert_eq!(name.known(), None);
    assert_eq!(MethodName::from("ping"), MethodName::Known(Method::Ping));
    assert_eq!(MethodName::from(Method::CallTool).to_string(), "tools/call");
}

#[test]
fn server_requests_are_input_requests_in_the_modern_era() {
    for &method in Method::ALL {
        if method.is_input_request() {
            assert!(method.is_sent_by(Side::Server, Revision::V2025_11_25));
            assert!(!method.exists_in(Revision::V2026_07_28), "{method}");
            assert!(method.required_client_capability().is_some());
        }
    }
}

#[test]
fn what_does_something_is_not_repeated() {
    let names = |kept: bool| -> Vec<&str> {
        let requests = Method::ALL.iter().filter(|method| method.kind() == Kind::Request);
        let named = requests.filter(|method| method.is_repeatable() == kept);
        named.map(|method| method.as_str()).collect()
    };
    let doing = [
        "initialize",
        "tools/call",
        "sampling/createMessage",
        "elicitation/create",
        "tasks/update",
        "tasks/cancel",
    ];
    assert_eq!(names(false), doing);
    assert!(names(true).contains(&"resources/read"));
    assert!(Method::InitializedNotification.is_repeatable());
}

#[test]
fn cacheable_and_named_methods() {
    let names = |test: fn(Method) -> bool| -> Vec<&str> {
        Method::ALL.iter().filter(|m| test(**m)).map(|m| m.as_str()).collect()
    };
    assert_eq!(
        names(Method::is_cacheable),
        [
            "server/discover",
            "tools/list",
            "prompts/list",
            "resources/list",
            "resources/templates/list",
            "resources/read"
        ]
    );
    assert_eq!(
        names(|m| m.name_source().is_some()),
        [
            "tools/call",
            "prompts/get",
            "resources/read",
            "tasks/get",
            "tasks/update",
            "tasks/cancel"
        ]
    );
    assert_eq!(Method::ReadResource.name_source().map(NameSource::param), Some("uri"));
    assert_eq!(Method::GetTask.name_source().map(NameSource::param), Some("taskId"));
}

#[test]
fn capabilities_follow_the_feature() {
    for &method in Method::ALL {
        let name = method.as_str();
        let server = method.required_server_capability().map(ServerCapability::as_str);
        let client = method.required_client_capability().map(ClientCapability::as_str);
        for feature in ["tools", "prompts", "resources"] {
            if name.starts_with(&alloc::format!("{feature}/")) {
                assert!(server.is_some_and(|path| path.starts_with(feature)), "{name}");
            }
        }
        if name.starts_with("tasks/") {
            assert!(server.is_some_and(|path| path.starts_with("tasks")), "{name}");
        }
        if method.is_sent_by(Side::Server, Revision::V2025_11_25) && method.kind() == Kind::Request {
            assert_eq!(client.is_some(), method != Method::Ping, "{name}");
        }
    }
}
