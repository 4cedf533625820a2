//! How a client over a byte stream comes to know what its server speaks.

use mcp_proto::Revision;
use mcp_proto::client::{ClientEvent, Mode, Prior};
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::{CallError, CallOptions, CloseReason, Phase, SendError};
use serde_json::{Value, json};

use crate::support::{
    MODERN, Wire, at, config, discover_result, error, initialize_result, methods, only_error, params, replies, result,
    secs, tools,
};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

fn assert_modern_meta(message: &Value) {
    let meta = &message["params"]["_meta"];
    assert_eq!(meta[VERSION], MODERN, "{message}");
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "tester");
    assert!(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
}

#[test]
fn a_modern_server_is_asked_once_and_then_called() {
    let mut wire = Wire::new(config());
    let mine = params(&json!({"name": "echo", "_meta": {"mine": 1, VERSION: "fake"}}));
    let call = wire.call_with("tools/call", mine, CallOptions::default());
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    assert_modern_meta(&probe[0]);
    wire.write(&result(&probe[0]["id"], discover_result()));
    let calls = wire.sent();
    assert_eq!(methods(&calls), ["tools/call"]);
    assert_modern_meta(&calls[0]);
    assert_eq!(calls[0]["params"]["_meta"]["mine"], 1);
    assert_eq!(calls[0]["params"]["name"], "echo");
    wire.write(&result(&calls[0]["id"], tools()));
    let events = wire.events();
    assert!(
        matches!(&events[..], [ClientEvent::Ready, ClientEvent::Reply { call: id, outcome: Ok(_) }] if *id == call)
    );
    assert_eq!(wire.client.as_client().prior(), Some(Prior::new(Revision::LATEST)));
}

#[test]
fn a_legacy_server_is_followed_whatever_its_error() {
    for code in [-32601, -32600, -32602, -32603, -32700, -32002, 0, 1] {
        let mut wire = Wire::new(config());
        wire.call("tools/list");
        let probe = wire.sent();
        wire.write(&error(&probe[0]["id"], code));
        let initialize = wire.sent();
        assert_eq!(methods(&initialize), ["initialize"], "{code}");
        assert_eq!(initialize[0]["params"]["protocolVersion"], "2025-11-25");
        assert!(
            initialize[0]["params"].get("_meta").is_none(),
            "no modern fields in the legacy era"
        );
        wire.write(&result(&initialize[0]["id"], initialize_result("2025-03-26")));
        let rest = wire.sent();
        assert_eq!(methods(&rest), ["notifications/initialized", "tools/list"]);
        assert!(rest[1].get("params").is_none());
        assert_eq!(wire.client.as_client().facts().unwrap().revision, Revision::V2025_03_26);
    }
}

#[test]
fn silence_means_legacy_on_a_stream() {
    let mut wire = Wire::new(config());
    wire.call("tools/list");
    let probe = wire.sent();
    wire.advance(9);
    assert!(wire.sent().is_empty());
    wire.advance(10);
    let initialize = wire.sent();
    assert_eq!(methods(&initialize), ["initialize"]);
    // The probe is answered after all: too late.
    wire.write(&result(&probe[0]["id"], discover_result()));
    assert!(wire.sent().is_empty());
    assert_eq!(wire.client.as_client().counters().late_replies, 1);
    wire.write(&result(&initialize[0]["id"], initialize_result("2025-11-25")));
    assert_eq!(methods(&wire.sent()), ["notifications/initialized", "tools/list"]);
}

#[test]
fn a_discover_result_that_names_legacy_versions_alone_is_followed() {
    let mut wire = Wire::new(config());
    wire.call("tools/list");
    let probe = wire.sent();
    let mut answer = discover_result();
    answer["supportedVersions"] = json!(["2025-06-18", "2025-03-26"]);
    wire.write(&result(&probe[0]["id"], answer));
    let initialize = wire.sent();
    assert_eq!(methods(&initialize), ["initialize"]);
    assert_eq!(initialize[0]["params"]["protocolVersion"], "2025-06-18");
}

#[test]
fn a_result_that_is_no_discover_result_means_legacy() {
    let mut wire = Wire::new(config());
    wire.call("tools/list");
    let probe = wire.sent();
    wire.write(&result(&probe[0]["id"], json!({})));
    assert_eq!(methods(&wire.sent()), ["initialize"]);
}

#[test]
fn a_revision_that_cannot_be_initialized_is_refused() {
    for revision in ["1999-01-01", MODERN, ""] {
        let mut wire = Wire::new(config());
        wire.call("tools/list");
        let probe = wire.sent();
        wire.write(&error(&probe[0]["id"], -32601));
        let initialize = wire.sent();
        wire.write(&result(&initialize[0]["id"], initialize_result(revision)));
        assert!(wire.sent().is_empty());
        let expected = CallError::NoCommonRevision {
            supported: Box::from([revision.into()]),
        };
        assert_eq!(only_error(&wire.events()), expected);
    }
}

#[test]
fn no_version_in_common_fails_the_calls() {
    let mut wire = Wire::new(config());
    wire.call("tools/list");
    let probe = wire.sent();
    let mut refusal = error(&probe[0]["id"], -32022);
    refusal["error"]["data"] = json!({"supported": ["2031-01-01"], "requested": MODERN});
    wire.write(&refusal);
    let supported = Box::from(["2031-01-01".into()]);
    assert_eq!(only_error(&wire.events()), CallError::NoCommonRevision { supported });
}

#[test]
fn what_is_known_beforehand_costs_no_round_trip() {
    let mut modern = config();
    modern.mode = Mode::Modern;
    let mut prior = config();
    prior.prior = Some(Prior::new(Revision::LATEST));
    for config in [modern, prior] {
        let mut wire = Wire::new(config);
        wire.call("tools/list");
        let sent = wire.sent();
        assert_eq!(methods(&sent), ["tools/list"]);
        assert_modern_meta(&sent[0]);
    }
    let mut prior = config();
    prior.prior = Some(Prior::new(Revision::V2025_06_18));
    let mut pinned = config();
    pinned.mode = Mode::Legacy(Revision::V2025_06_18);
    for config in [prior, pinned] {
        let mut wire = Wire::new(config);
        wire.call("tools/list");
        let sent = wire.sent();
        assert_eq!(methods(&sent), ["initialize"]);
        assert_eq!(sent[0]["params"]["protocolVersion"], "2025-06-18");
    }
}

#[test]
fn a_modern_revision_is_never_proposed_in_initialize() {
    let mut config = config();
    config.mode = Mode::Legacy(Revision::LATEST);
    let mut wire = Wire::new(config);
    wire.call("tools/list");
    assert_eq!(wire.sent()[0]["params"]["protocolVersion"], "2025-11-25");
}

#[test]
fn an_unsupported_version_is_answered_by_one_retry() {
    let mut wire = Wire::ready(Revision::LATEST);
    wire.call("tools/list");
    for round in 0..2 {
        let sent = wire.sent();
        assert_eq!(methods(&sent), ["tools/list"], "round {round}");
        let mut refusal = error(&sent[0]["id"], -32022);
        refusal["error"]["data"] = json!({"supported": [MODERN], "requested": MODERN});
        wire.write(&refusal);
    }
    assert!(wire.sent().is_empty());
    assert_eq!(only_error(&wire.events()).rpc_code().unwrap().0, -32022);
}

#[test]
fn an_unsupported_version_leads_to_the_legacy_era_where_that_is_all_there_is() {
    let mut wire = Wire::ready(Revision::LATEST);
    wire.call("tools/list");
    wire.call("tools/list");
    let sent = wire.sent();
    for message in &sent {
        let mut refusal = error(&message["id"], -32022);
        refusal["error"]["data"] = json!({"supported": ["2025-06-18"], "requested": MODERN});
        wire.write(&refusal);
    }
    let initialize = wire.sent();
    assert_eq!(methods(&initialize), ["initialize"]);
    wire.write(&result(&initialize[0]["id"], initialize_result("2025-06-18")));
    assert_eq!(
        methods(&wire.sent()),
        ["notifications/initialized", "tools/list", "tools/list"]
    );
}

#[test]
fn a_modern_client_does_not_fall_back() {
    let mut config = config();
    config.mode = Mode::Modern;
    let mut wire = Wire::new(config);
    wire.call("tools/list");
    let sent = wire.sent();
    let mut refusal = error(&sent[0]["id"], -32022);
    refusal["error"]["data"] = json!({"supported": ["2025-06-18"], "requested": MODERN});
    wire.write(&refusal);
    assert!(wire.sent().is_empty());
    let supported = Box::from(["2025-06-18".into()]);
    assert_eq!(only_error(&wire.events()), CallError::NoCommonRevision { supported });
}

#[test]
fn a_modern_verdict_that_proves_wrong_is_asked_again_once() {
    let mut config = config();
    config.prior = Some(Prior::new(Revision::LATEST));
    let mut wire = Wire::new(config);
    for _ in 0..10 {
        wire.call("tools/list");
    }
    let sent = wire.sent();
    assert_eq!(sent.len(), 10);
    for message in &sent {
        wire.write(&error(&message["id"], -32602));
    }
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    wire.write(&error(&probe[0]["id"], -32602));
    let initialize = wire.sent();
    assert_eq!(methods(&initialize), ["initialize"]);
    wire.write(&result(&initialize[0]["id"], initialize_result("2025-11-25")));
    let again = wire.sent();
    assert_eq!(again.len(), 11, "each call once more");
    for message in &again[1..] {
        assert!(message.get("params").is_none(), "written for the legacy era");
        wire.write(&error(&message["id"], -32602));
    }
    assert!(wire.sent().is_empty(), "never twice");
    assert_eq!(replies(&wire.events()).len(), 10);
}

#[test]
fn a_modern_verdict_that_is_true_survives_an_error() {
    let mut config = config();
    config.prior = Some(Prior::new(Revision::LATEST));
    let mut wire = Wire::new(config);
    wire.call("tools/call");
    let sent = wire.sent();
    wire.write(&error(&sent[0]["id"], -32602));
    let probe = wire.sent();
    wire.write(&result(&probe[0]["id"], discover_result()));
    let again = wire.sent();
    assert_eq!(methods(&again), ["tools/call"]);
    wire.write(&error(&again[0]["id"], -32602));
    assert_eq!(only_error(&wire.events()).rpc_code().unwrap().0, -32602);
    // From now on an error is an error.
    wire.call("tools/call");
    let sent = wire.sent();
    wire.write(&error(&sent[0]["id"], -32602));
    assert!(wire.sent().is_empty());
    assert_eq!(only_error(&wire.events()).rpc_code().unwrap().0, -32602);
}

#[test]
fn a_confirmed_verdict_and_a_real_error_ask_nothing() {
    let mut config = config();
    config.prior = Some(Prior::new(Revision::LATEST));
    let mut wire = Wire::new(config);
    wire.call("tools/list");
    wire.call("tools/list");
    let sent = wire.sent();
    wire.write(&error(&sent[0]["id"], -32603));
    wire.write(&result(&sent[1]["id"], tools()));
    assert!(wire.sent().is_empty());
    assert_eq!(replies(&wire.events()).len(), 2);
}

#[test]
fn a_legacy_verdict_that_proves_wrong_is_asked_again_once() {
    let mut config = config();
    config.prior = Some(Prior::new(Revision::V2025_06_18));
    let mut wire = Wire::new(config);
    wire.call("tools/list");
    let initialize = wire.sent();
    wire.write(&error(&initialize[0]["id"], -32022));
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    wire.write(&result(&probe[0]["id"], discover_result()));
    assert_eq!(methods(&wire.sent()), ["tools/list"]);
}

#[test]
fn a_hundred_calls_need_one_handshake_and_keep_their_order() {
    let mut wire = Wire::new(config());
    let calls: Vec<_> = (0..100).map(|_| wire.call("tools/list")).collect();
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    wire.write(&error(&probe[0]["id"], -32601));
    let initialize = wire.sent();
    assert_eq!(methods(&initialize), ["initialize"]);
    wire.write(&result(&initialize[0]["id"], initialize_result("2025-11-25")));
    let sent = wire.sent();
    assert_eq!(sent[0]["method"], "notifications/initialized");
    assert_eq!(sent.len(), 101);
    for message in &sent[1..] {
        wire.write(&result(&message["id"], tools()));
    }
    let answered: Vec<_> = replies(&wire.events()).into_iter().map(|(call, _)| call).collect();
    assert_eq!(answered, calls);
}

#[test]
fn a_failed_handshake_fails_all_and_the_next_call_tries_again() {
    let mut wire = Wire::new(config());
    for _ in 0..100 {
        wire.call("tools/list");
    }
    let probe = wire.sent();
    wire.write(&error(&probe[0]["id"], -32601));
    let initialize = wire.sent();
    wire.write(&error(&initialize[0]["id"], -32603));
    let events = wire.events();
    let replies = replies(&events);
    assert_eq!(replies.len(), 100);
    assert!(replies.iter().all(|(_, outcome)| *outcome == replies[0].1));
    assert!(events.iter().any(|event| matches!(event, ClientEvent::NotReady(_))));
    assert!(wire.sent().is_empty());
    let call = wire.call("tools/list");
    let probe = wire.sent();
    assert_eq!(methods(&probe), ["server/discover"]);
    wire.write(&result(&probe[0]["id"], discover_result()));
    let sent = wire.sent();
    wire.write(&result(&sent[0]["id"], tools()));
    assert_eq!(crate::support::replies(&wire.events())[0].0, call);
}

#[test]
fn a_held_call_has_its_own_deadline_in_every_phase() {
    let mut wire = Wire::new(config());
    let timeout = |seconds| CallOptions::new().with_timeout(secs(seconds));
    wire.call_with("tools/list", Params::NONE, timeout(5));
    wire.call_with("tools/list", Params::NONE, timeout(15));
    wire.call_with("tools/list", Params::NONE, timeout(20));
    wire.sent();
    wire.advance(5);
    let expected = |phase, seconds| CallError::Timeout {
        phase,
        after: secs(seconds),
    };
    assert_eq!(only_error(&wire.events()), expected(Phase::Probe, 5));
    wire.advance(15);
    let initialize = wire.sent();
    assert_eq!(methods(&initialize), ["initialize"]);
    assert_eq!(only_error(&wire.events()), expected(Phase::Initialize, 15));
    wire.advance(18);
    wire.write(&result(&initialize[0]["id"], initialize_result("2025-11-25")));
    assert_eq!(methods(&wire.sent()), ["notifications/initialized", "tools/list"]);
    wire.advance(20);
    let events = wire.events();
    assert_eq!(only_error(&events), expected(Phase::Request, 20));
    assert_eq!(methods(&wire.sent()), ["notifications/cancelled"]);
}

#[test]
fn initialize_times_out_without_a_cancellation() {
    let mut wire = Wire::new(config());
    wire.call("tools/list");
    let probe = wire.sent();
    wire.write(&error(&probe[0]["id"], -32601));
    wire.sent();
    wire.advance(30);
    assert!(wire.sent().is_empty(), "initialize is never cancelled");
    let expected = CallError::Timeout {
        phase: Phase::Initialize,
        after: secs(30),
    };
    assert_eq!(only_error(&wire.events()), expected);
    assert_eq!(wire.client.poll_timeout(), None);
}

#[test]
fn a_blocked_stream_does_not_send_an_initialize_that_timed_out() {
    let mut wire = Wire::new(config());
    wire.call_with("tools/list", Params::NONE, CallOptions::new().with_timeout(secs(300)));
    // Nothing is drained: the probe and then initialize wait in the outbox until their time is over.
    wire.advance(0);
    wire.advance(200);
    assert!(matches!(
        only_error(&wire.events()),
        CallError::Timeout {
            phase: Phase::Initialize,
            ..
        }
    ));
    assert!(wire.sent().is_empty());
    wire.call("tools/list");
    assert_eq!(methods(&wire.sent()), ["server/discover"]);
}

#[test]
fn cancelling_the_call_that_started_the_handshake_stops_no_other() {
    let mut wire = Wire::new(config());
    let first = wire.call("tools/list");
    let second = wire.call("tools/list");
    let probe = wire.sent();
    wire.client.client().cancel(first);
    wire.write(&result(&probe[0]["id"], discover_result()));
    let sent = wire.sent();
    assert_eq!(
        methods(&sent),
        ["tools/list"],
        "a held call that is cancelled is never sent"
    );
    wire.write(&result(&sent[0]["id"], tools()));
    assert_eq!(replies(&wire.events())[0].0, second);
}

#[test]
fn what_the_server_does_not_offer_is_refused_when_that_is_known() {
    let mut wire = Wire::new(config());
    wire.call("prompts/list");
    wire.call("logging/setLevel");
    let probe = wire.sent();
    wire.write(&result(&probe[0]["id"], discover_result()));
    assert!(wire.sent().is_empty());
    let errors: Vec<_> = replies(&wire.events())
        .into_iter()
        .map(|(_, outcome)| outcome.unwrap_err())
        .collect();
    assert!(matches!(errors[0], CallError::Refused(SendError::NotSupported { .. })));
    assert!(matches!(errors[1], CallError::Refused(SendError::OutOfEra { .. })));
    let refused = wire
        .client
        .client()
        .call("prompts/list", Params::NONE, CallOptions::default());
    assert!(matches!(refused, Err(SendError::NotSupported { .. })));
}

#[test]
fn notifications_wait_in_line_and_are_bounded() {
    let mut config = config();
    config.limits.outbox_bytes = 1_000;
    let mut wire = Wire::new(config);
    wire.call("tools/list");
    let mut taken = 0;
    while wire.client.client().notify("notifications/x", Params::NONE).is_ok() {
        taken += 1;
        assert!(taken < 1_000, "without an end");
    }
    wire.client
        .client()
        .notify("notifications/x", Params::NONE)
        .unwrap_err();
    let probe = wire.sent();
    wire.write(&result(&probe[0]["id"], discover_result()));
    let sent = wire.sent();
    assert_eq!(sent.len(), 1 + taken);
    assert_eq!(sent[0]["method"], "tools/list");
}

#[test]
fn the_stream_may_end_in_every_phase() {
    for phase in 0..4 {
        let mut wire = Wire::new(config());
        let call = wire.call("tools/list");
        if phase > 0 {
            let probe = wire.sent();
            if phase > 1 {
                wire.write(&error(&probe[0]["id"], -32601));
                let initialize = wire.sent();
                if phase > 2 {
                    wire.write(&result(&initialize[0]["id"], initialize_result("2025-11-25")));
                }
            }
        }
        wire.client.receive_eof(at(1));
        let events = wire.events();
        assert_eq!(
            replies(&events),
            [(call, Err(CallError::Closed(CloseReason::Peer)))],
            "{phase}"
        );
        assert!(matches!(events.last(), Some(ClientEvent::Closed(CloseReason::Peer))));
        assert!(wire.sent().is_empty(), "{phase}");
        assert_eq!(wire.client.poll_timeout(), None);
    }
}
