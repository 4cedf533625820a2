//! What is kept, what is lost, and who never sees it.

use alloc::string::ToString;

use super::*;

const KEEP: Duration = Duration::from_secs(10);

fn scope(byte: u8) -> ReplayScope {
    ReplayScope::from_random([byte; 32])
}

fn stream(session: u8, count: u64) -> StreamKey {
    StreamKey::new(scope(session), count, false)
}

fn put(replay: &mut Replay, key: StreamKey, position: u64, text: &'static str) {
    replay.append(Recorded {
        id: key.event(position),
        event: Bytes::from_static(text.as_bytes()),
        is_last: text.ends_with('!'),
    });
}

fn replay_within(change: impl FnOnce(Limits) -> Limits) -> Replay {
    Replay::new(&change(Limits::default()), KEEP)
}

fn after(replay: &mut Replay, key: StreamKey, position: u64) -> Option<(alloc::string::String, u64, bool)> {
    let replayed = replay.replay(key.event(position))?;
    let text = alloc::string::String::from_utf8(replayed.events).unwrap();
    Some((text, replayed.lost, replayed.is_over))
}

fn is_empty(replay: &Replay) -> bool {
    let tables = replay.streams.len() + replay.oldest.len() + replay.sessions.len() + replay.by_bytes.len();
    tables + replay.until.len() + replay.bytes == 0
}

#[test]
fn an_id_says_whose_it_is_and_is_read_in_one_way() {
    let id = StreamKey::new(scope(255), 3, true).event(17);
    assert_eq!(id.to_string(), "ffffffffffffffff-7-17");
    assert_eq!(EventId::parse("ffffffffffffffff-7-17"), Some(id));
    assert!(id.stream.is_listener() && !stream(1, 3).is_listener());
    for other in [
        "",
        "7",
        "a-b",
        "ffffffffffffffff-7",
        "ffffffffffffffff-7-17-",
        "ffffffffffffffff-07-17",
        "FFFFFFFFFFFFFFFF-7-17",
        "+fffffffffffffff-7-17",
        "ffffffffffffffff-7-+17",
        "fffffffffffffffff-7-17",
        "ffffffffffffffff-7-99999999999999999999999",
    ] {
        assert_eq!(EventId::parse(other), None, "{other:?}");
    }
}

/// The session id and the scope are made of different bits: neither says anything of the other.
#[test]
fn a_scope_says_nothing_of_the_session_id() {
    assert_eq!(ReplayScope::from_random([0x3f; 32]), ReplayScope::from_random([0; 32]));
    assert_ne!(
        ReplayScope::from_random([0xff; 32]),
        ReplayScope::from_random([0x3f; 32])
    );
}

#[test]
fn what_came_after_an_event_is_replayed_and_nothing_of_another_stream() {
    let mut replay = replay_within(|limits| limits);
    let (mine, other, foreign) = (stream(0, 0), stream(0, 1), stream(64, 0));
    for key in [mine, other, foreign] {
        put(&mut replay, key, 0, "");
    }
    put(&mut replay, mine, 1, "a");
    put(&mut replay, other, 1, "x");
    put(&mut replay, foreign, 1, "y");
    put(&mut replay, mine, 2, "b!");
    assert_eq!(after(&mut replay, mine, 0), Some(("ab!".into(), 0, true)));
    assert_eq!(after(&mut replay, mine, 1), Some(("b!".into(), 0, true)));
    assert_eq!(after(&mut replay, mine, 2), Some(("".into(), 0, true)));
    assert_eq!(after(&mut replay, other, 0), Some(("x".into(), 0, false)));
    // Never sent, or of a stream that there is not.
    assert_eq!(after(&mut replay, mine, 3), None);
    assert_eq!(after(&mut replay, mine, u64::MAX), None);
    assert_eq!(after(&mut replay, stream(0, 9), 0), None);
    replay.forget(scope(0));
    assert_eq!(after(&mut replay, mine, 0), None);
    assert_eq!(after(&mut replay, foreign, 0), Some(("y".into(), 0, false)));
    replay.forget(scope(64));
    assert!(is_empty(&replay));
}

#[test]
fn the_oldest_events_of_a_stream_are_lost_and_the_gap_is_told() {
    let mut replay = replay_within(|limits| limits.with_replay_events(2));
    for (position, text) in ["", "a", "b", "c", "d!"].into_iter().enumerate() {
        put(&mut replay, stream(0, 0), position as u64, text);
    }
    assert_eq!(after(&mut replay, stream(0, 0), 0), Some(("cd!".into(), 2, true)));
    assert_eq!(after(&mut replay, stream(0, 0), 2), Some(("cd!".into(), 0, true)));
    let mut replay = replay_within(|limits| limits.with_replay_bytes(0));
    put(&mut replay, stream(0, 0), 0, "");
    put(&mut replay, stream(0, 0), 1, "a");
    assert_eq!(after(&mut replay, stream(0, 0), 0), Some(("".into(), 1, false)));
    put(&mut replay, stream(0, 0), 2, "b!");
    assert!(is_empty(&replay), "{replay:?}");
}

#[test]
fn the_oldest_of_the_session_and_of_the_largest_session_are_lost() {
    let mut replay = replay_within(|limits| limits.with_replay_session_bytes(OVERHEAD * 5));
    for (count, position) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        put(&mut replay, stream(0, count), position, "");
    }
    // Two streams, of which there is room for three events: that which came first is lost.
    assert_eq!(replay.streams[&stream(0, 0)].first, 1);
    assert_eq!(replay.streams[&stream(0, 1)].first, 0);
    let mut replay = replay_within(|limits| limits.with_replay_total_bytes(OVERHEAD * 7));
    put(&mut replay, stream(64, 0), 0, "");
    for position in 0..9 {
        put(&mut replay, stream(0, 0), position, "");
    }
    assert_eq!(
        replay.streams[&stream(64, 0)].events.len(),
        1,
        "who holds little loses nothing"
    );
    assert_eq!(replay.streams[&stream(0, 0)].events.len(), 4);
    assert_eq!(replay.bytes, OVERHEAD * 7);
}

#[test]
fn a_stream_that_nobody_reads_is_kept_for_a_while() {
    let at = |seconds| Time::ORIGIN + Duration::from_secs(seconds);
    let mut replay = replay_within(|limits| limits);
    let key = stream(0, 0);
    put(&mut replay, key, 0, "");
    assert_eq!(replay.poll_timeout(), None);
    replay.leave(key);
    replay.leave(key);
    assert_eq!(replay.poll_timeout(), Some(Time::ORIGIN), "it is to be told the time");
    replay.handle_timeout(at(5));
    assert_eq!(replay.poll_timeout(), Some(at(15)));
    put(&mut replay, key, 1, "a");
    // Read again, and left once more: its time begins anew.
    assert_eq!(after(&mut replay, key, 0), Some(("a".into(), 0, false)));
    replay.handle_timeout(at(99));
    replay.leave(key);
    replay.handle_timeout(at(100));
    replay.handle_timeout(at(109));
    assert!(replay.streams.contains_key(&key));
    replay.handle_timeout(at(110));
    assert!(is_empty(&replay));
    // Its handler may not know.
    put(&mut replay, key, 2, "late");
    assert!(is_empty(&replay) && after(&mut replay, key, 1).is_none());
}
