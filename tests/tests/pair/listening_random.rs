//! Random troubles of those who listen over HTTP: whatever happens, and whenever, a change is heard, or it is told that
//! something may have been missed, or that nothing more will be heard.

use std::cell::Cell;
use std::time::Duration;

use mcp_proto::Revision;
use mcp_proto::client::{Change, ListenerId};
use mcp_proto::method::Method;
use mcp_proto::model::SubscriptionFilter;
use mcp_tests::network::{Conditions, Cuts, Rng};
use mcp_tests::pair::{Fate, HttpLink, Pair, PairLink, Setup};
use mcp_tests::seeds::each_seed;
use serde_json::json;

use crate::listening::changing;

const SEEDS: u64 = 300;
const ACTIONS: usize = 20;

/// What the resources begin with.
const URI: &str = "a:";

/// What was changed while it was listened to, and what of that was heard: the number of each, which is higher than those
/// before.
struct Log {
    listener: ListenerId,
    expected: Vec<usize>,
}

impl Log {
    /// Takes what was heard: all that was expected is settled by a word that something was missed, and each else by itself.
    fn take(&mut self, pair: &mut Pair<HttpLink>) {
        for change in pair.changes(self.listener) {
            match change {
                Change::Restored | Change::Lagged => self.expected.clear(),
                Change::Resource { uri } => {
                    let number: usize = uri[URI.len()..].parse().expect("a number");
                    self.expected.retain(|other| *other != number);
                }
                other => panic!("{other:?} was not asked for"),
            }
        }
    }
}

fn trouble(pair: &mut Pair<HttpLink>, rng: &mut Rng) {
    let now = pair.now();
    match rng.below(6) {
        0 => pair.link.break_all(now),
        1 => pair.kill_server(),
        2 => pair.link.server().machine.end_sessions(),
        _ => {
            let bytes = rng.below(700);
            let fate = *rng.pick(&[Fate::Broken(bytes), Fate::Truncated(bytes)]);
            pair.link.destine([fate]);
        }
    }
}

#[test]
fn no_change_is_lost_without_a_word() {
    let restored = Cell::new(0);
    each_seed(SEEDS, |seed| {
        let mut rng = Rng::new(seed);
        let revision = *rng.pick(&[Revision::V2025_03_26, Revision::V2025_11_25, Revision::V2026_07_28]);
        let latency = Duration::ZERO..=Duration::from_millis(*rng.pick(&[0, 1, 50]));
        let cuts = *rng.pick(&[Cuts::Whole, Cuts::Random]);
        let conditions = Conditions::CALM.with_latency(latency).with_cuts(cuts);
        let mut setup = changing(Setup::speaking(revision)).conditions(conditions).seed(seed);
        if rng.chance(50) {
            setup = setup.resumable();
        }
        let mut pair = setup.http();
        let uris: Vec<_> = (0..=ACTIONS).map(|number| format!("{URI}{number}")).collect();
        let filter = SubscriptionFilter::default().with_resource_subscriptions(uris);
        let mut log = Log {
            listener: pair.listen(filter),
            expected: Vec::new(),
        };
        pair.drive_for(Duration::from_secs(1));
        for number in 0..ACTIONS {
            if rng.chance(30) {
                trouble(&mut pair, &mut rng);
            }
            // Before it is granted nothing is promised.
            if pair.link.as_client().granted(log.listener).is_some() {
                log.expected.push(number);
            }
            pair.notify(
                Method::ResourceUpdatedNotification,
                json!({ "uri": format!("{URI}{number}") }),
            );
            pair.drive_for(Duration::from_millis(*rng.pick(&[0, 10, 3_000, 70_000])));
            log.take(&mut pair);
        }
        pair.drive_for(Duration::from_secs(300));
        log.take(&mut pair);
        if pair.link.as_client().listener_end(log.listener).is_none() {
            assert!(
                log.expected.is_empty(),
                "{:?} with seed {seed}, {revision}",
                log.expected
            );
            restored.set(restored.get() + 1);
            log.expected.push(ACTIONS);
            pair.notify(
                Method::ResourceUpdatedNotification,
                json!({ "uri": format!("{URI}{ACTIONS}") }),
            );
            // The stream may break off with it.
            pair.drive_for(Duration::from_secs(100));
            log.take(&mut pair);
            assert!(log.expected.is_empty(), "it hears, in the end: seed {seed}, {revision}");
        }
        pair.link.client().unlisten(log.listener);
        pair.drive_for(Duration::from_secs(300));
        pair.unlisten(log.listener);
        pair.settle();
        assert_eq!(pair.link.as_client().pending_calls(), 0, "seed {seed}");
    });
    assert!(restored.get() > SEEDS / 2, "{restored:?} of {SEEDS} listen to the end");
}
