//! Random schedules: whatever happens, and whenever, every call is settled once, by its own answer, and everything
//! comes to rest.

use std::time::Duration;

use mcp_proto::client::Mode;
use mcp_proto::jsonrpc::Params;
use mcp_proto::method::Method;
use mcp_proto::rpc::{CallError, CallId, CallOptions, Phase, SendError};
use mcp_proto::{Limits, Revision, Time};
use mcp_tests::network::{Conditions, Rng};
use mcp_tests::pair::{HttpLink, Link, Pair, Setup, StreamLink};
use mcp_tests::seeds::each_seed;
use serde_json::json;

/// How many schedules there are for each link.
const SEEDS: u64 = 1000;
/// How many things happen in each.
const ACTIONS: usize = 14;
/// The outbox of both sides, where it is small.
const SMALL: usize = 700;

/// A call that was made, and what is expected of it.
struct Made {
    call: CallId,
    deadline: Time,
    /// The text of its result; `None` where it gets none.
    text: Option<String>,
    /// Whether its answer has enough time where nothing is held up.
    has_time: bool,
}

/// What a network does to those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Luck {
    /// Everything arrives, and soon.
    Prompt,
    /// Everything arrives in the end.
    Safe,
    /// Things get lost.
    Bad,
}

/// How long a handshake and a call take at most, where nothing is held up.
const PROMPT: Duration = Duration::from_secs(4);

#[test]
fn schedules_on_streams() {
    each_seed(SEEDS, |seed| {
        let mut rng = Rng::new(seed);
        let (setup, luck) = setup(&mut rng, &Revision::ALL);
        let mut pair = setup.stream();
        let is_cut = rng.chance(30);
        if is_cut {
            let bytes = rng.below(4000);
            match rng.chance(50) {
                true => pair.link.up().cut_after(bytes),
                false => pair.link.down().cut_after(bytes),
            }
        }
        play(&mut pair, &mut rng, if is_cut { Luck::Bad } else { luck }, ask);
        assert!(pair.link.is_finished());
        assert_eq!(pair.link.desk().in_progress(), 0, "requests that nobody waits for");
        for (call, outcomes) in pair.link.asked() {
            assert_eq!(outcomes.len(), 1, "answers to {call:?} of the server");
        }
    });
}

/// The server asks as well, where the era has that.
fn ask(pair: &mut Pair<StreamLink>, _: &mut Rng) {
    match pair.link.ask(Method::Ping, Params::NONE) {
        Ok(_) | Err(SendError::Blocked(_) | SendError::Closed(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn schedules_over_http() {
    each_seed(SEEDS, |seed| {
        let mut rng = Rng::new(seed);
        let (mut setup, mut luck) = setup(&mut rng, &Revision::ALL[1..]);
        setup.conditions.failures = *rng.pick(&[0, 0, 5, 40]);
        if setup.conditions.failures > 0 || rng.chance(40) {
            luck = Luck::Bad;
        }
        let mut pair = setup.http();
        play(&mut pair, &mut rng, luck, |pair, rng| {
            if luck == Luck::Bad {
                trouble(pair, rng);
            }
        });
        // A session whose DELETE was lost is still there, with what is in progress in it.
        pair.link.server().forget_sessions();
        pair.settle();
        assert_eq!(pair.link.server().exchanges(), 0);
        assert_eq!(pair.link.desk().in_progress(), 0, "requests that nobody waits for");
    });
}

fn trouble(pair: &mut Pair<HttpLink>, rng: &mut Rng) {
    match rng.below(2) {
        0 => pair.link.server().forget_sessions(),
        _ => {
            let now = pair.now();
            pair.link.break_all(now);
        }
    }
}

fn setup(rng: &mut Rng, revisions: &[Revision]) -> (Setup, Luck) {
    let revision = *rng.pick(revisions);
    let mode = match revision.has_initialize() {
        true => *rng.pick(&[Mode::Auto, Mode::Legacy(revision)]),
        false => *rng.pick(&[Mode::Auto, Mode::Modern]),
    };
    let mut setup = Setup::new(mode).conditions(Conditions::rough(rng)).seed(rng.bits());
    if rng.chance(30) {
        setup = setup.limits(&Limits {
            outbox_bytes: SMALL,
            ..Limits::default()
        });
    }
    if rng.chance(50) {
        setup = setup.serving(&[revision]);
    }
    let luck = if setup.conditions.stalls == 0 {
        Luck::Prompt
    } else {
        Luck::Safe
    };
    (setup, luck)
}

/// Does things in no particular order, and looks whether everything is as it should be afterwards.
fn play<L: Link>(pair: &mut Pair<L>, rng: &mut Rng, luck: Luck, mut mischief: impl FnMut(&mut Pair<L>, &mut Rng)) {
    let mut made: Vec<Made> = Vec::new();
    for n in 0..ACTIONS {
        match rng.below(8) {
            0..4 => made.extend(call(pair, rng, n)),
            4 if !made.is_empty() => pair.cancel(rng.pick(&made).call),
            5 => pair.settle(),
            6 => mischief(pair, rng),
            _ => pair.drive_for(rng.duration(&(Duration::ZERO..=Duration::from_secs(3)))),
        }
        assert!(
            pair.link.as_client().pending_calls() <= made.len() + 1,
            "calls, and a handshake"
        );
    }
    pair.drive_bounded(50_000).expect("it comes to rest");
    pair.record.check();
    made.iter()
        .filter(|made| pair.record.is_settled(made.call))
        .for_each(|made| check(pair, made, luck));
    pair.close();
    pair.drive_bounded(50_000).expect("it comes to rest");
    check_rest(pair, luck);
}

fn call<L: Link>(pair: &mut Pair<L>, rng: &mut Rng, n: usize) -> Option<Made> {
    let timeout = rng.duration(&(Duration::from_secs(1)..=Duration::from_secs(40)));
    let options = CallOptions {
        timeout: Some(timeout),
        max_timeout: Some(timeout),
        progress: rng.chance(50),
        ..CallOptions::default()
    };
    let text = format!("{n} {}", "x".repeat(rng.below(400)));
    let ms = rng.below(5000) as u64;
    let (name, arguments, text) = match rng.below(6) {
        0 => ("fail", json!({}), None),
        1 => ("mute", json!({}), None),
        2 => ("steps", json!({ "steps": rng.below(6) }), Some("done".into())),
        3 => ("slow", json!({ "text": text, "ms": ms }), Some(text)),
        _ => ("echo", json!({ "text": text }), Some(text)),
    };
    let params = json!({ "name": name, "arguments": arguments });
    match pair.try_call("tools/call", params, options) {
        Ok(call) => {
            // The deadline counts from the next drain, which is now.
            pair.settle();
            let deadline = pair.now() + timeout;
            let has_time = text.is_some() && timeout > PROMPT + Duration::from_millis(ms);
            Some(Made {
                call,
                deadline,
                text,
                has_time,
            })
        }
        Err(SendError::Blocked(_) | SendError::Closed(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A call has its own answer, by its own deadline, or an error that says what happened.
fn check<L: Link>(pair: &Pair<L>, made: &Made, luck: Luck) {
    let settled = pair.record.settled_at(made.call);
    assert!(
        settled <= made.deadline,
        "{:?} was settled after its deadline",
        made.call
    );
    match (pair.outcome(made.call), &made.text) {
        (Ok(_), Some(text)) => assert_eq!(pair.text(made.call), *text, "the answer to another call"),
        (Ok(result), None) => panic!("{result:?}, where an error was due"),
        (Err(CallError::Rpc(error)), None) => assert!(error.message.contains("broken"), "{error}"),
        (Err(CallError::Timeout { phase, .. }), _) => {
            assert!(
                *phase != Phase::Request || settled == made.deadline,
                "{phase}, before its time"
            );
            assert!(
                !(luck == Luck::Prompt && made.has_time),
                "{:?} had the time for its answer",
                made.call
            );
        }
        (Err(error), _) => assert!(
            luck == Luck::Bad,
            "nothing was wrong, but {:?} failed: {error}",
            made.call
        ),
    }
}

fn check_rest<L: Link>(pair: &Pair<L>, luck: Luck) {
    pair.record.check();
    let client = pair.link.as_client();
    assert_eq!(client.pending_calls(), 0);
    assert!(client.closed().is_some() && pair.record.closed.is_some());
    // The beginning of a line, where the stream was cut, is answered as what it is: no message.
    assert!(client.counters().unknown_replies <= 1);
    assert!(luck == Luck::Bad || client.counters().junk == 0);
    assert_eq!(client.counters().stray_cancellations, 0);
}
