use super::super::connector::Unanswered;
use super::super::payload::Payload;
use super::*;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;
use http::{Request, Response};

const IDLE: Duration = Duration::from_secs(10);
const HERE: &str = "http://here/";

/// A connection that bears as much as it says.
#[derive(Clone)]
struct Sender {
    capacity: Capacity,
    is_ready: Rc<Cell<bool>>,
    is_alive: Rc<Cell<bool>>,
}

impl Sender {
    fn new(allowed: usize) -> Self {
        let capacity = Capacity::unknown();
        capacity.set(allowed);
        let [is_ready, is_alive] = [(); 2].map(|()| Rc::new(Cell::new(true)));
        Self {
            capacity,
            is_ready,
            is_alive,
        }
    }
}

impl HttpSender for Sender {
    type Body = Payload;

    fn is_ready(&self) -> bool {
        self.is_ready.get()
    }

    fn is_alive(&self) -> bool {
        self.is_alive.get()
    }

    fn send(&mut self, _: Request<Payload>) -> BoxFuture<Result<Response<Payload>, Unanswered>> {
        unreachable!("the pool sends nothing")
    }
}

fn connected(pool: &mut Pool<Sender, u32>, key: OriginKey, sender: Sender, now: Time) -> ConnectionId {
    let connected = Connected {
        capacity: sender.capacity.clone(),
        sender,
        connection: Box::pin(core::future::pending()),
        version: Version::HTTP_11,
    };
    pool.connected(key, connected, now).0
}

fn at(seconds: u64) -> Time {
    Time::ORIGIN + Duration::from_secs(seconds)
}

fn pool(expected: usize) -> (Pool<Sender, u32>, OriginKey) {
    let mut pool = Pool::new(IDLE);
    let key = pool.origin(&Uri::from_static(HERE), |_| expected).unwrap();
    (pool, key)
}

/// How many connections are to be made.
fn attempts(pool: &mut Pool<Sender, u32>, key: OriginKey) -> usize {
    core::iter::from_fn(|| pool.attempt(key).map(|_| ())).count()
}

/// What goes out, and on which connection.
fn lent(pool: &mut Pool<Sender, u32>, key: OriginKey) -> Vec<(u32, ConnectionId)> {
    core::iter::from_fn(|| pool.lend(key, Time::ORIGIN).map(|loan| (loan.waited, loan.connection))).collect()
}

/// One more that waits. The connection that bears it.
fn borne(pool: &mut Pool<Sender, u32>, key: OriginKey) -> Option<ConnectionId> {
    pool.wait(key, 0);
    let loan = pool.lend(key, Time::ORIGIN).map(|loan| loan.connection);
    if loan.is_none() {
        pool.forsake(|_| true);
    }
    loan
}

#[test]
fn what_waits_has_a_connection_each_and_no_more() {
    let (mut pool, key) = pool(1);
    assert_eq!(attempts(&mut pool, key), 0);
    (1..=3).for_each(|what| pool.wait(key, what));
    assert_eq!((attempts(&mut pool, key), attempts(&mut pool, key)), (3, 0));
    assert!(lent(&mut pool, key).is_empty());
    let first = connected(&mut pool, key, Sender::new(1), at(0));
    assert_eq!(lent(&mut pool, key), [(1, first)]);
    // It is free again before the others are there: it serves the next, and one of the others is spare.
    pool.release(first, at(1), None);
    assert_eq!(lent(&mut pool, key), [(2, first)]);
    let second = connected(&mut pool, key, Sender::new(1), at(2));
    let third = connected(&mut pool, key, Sender::new(1), at(2));
    assert_eq!(lent(&mut pool, key), [(3, third)]);
    assert_eq!(borne(&mut pool, key), Some(second));
    assert_eq!(attempts(&mut pool, key), 0);
}

#[test]
fn a_connection_bears_what_it_can_and_another_is_made_for_the_rest() {
    let (mut pool, key) = pool(100);
    (0..300).for_each(|what| pool.wait(key, what));
    assert_eq!(attempts(&mut pool, key), 3);
    let first = connected(&mut pool, key, Sender::new(50), at(0));
    let out = lent(&mut pool, key);
    assert_eq!(out.len(), 50);
    assert!(out.iter().all(|(_, connection)| *connection == first));
    assert_eq!(
        attempts(&mut pool, key),
        3,
        "250 are left, 50 each, 2 were on their way"
    );
    (0..5).for_each(|_| _ = connected(&mut pool, key, Sender::new(50), at(0)));
    assert_eq!(lent(&mut pool, key).len(), 250);
    pool.wait(key, 300);
    assert_eq!((lent(&mut pool, key).len(), attempts(&mut pool, key)), (0, 1));
}

#[test]
fn a_server_that_allows_nothing_for_now_is_asked_on_further_connections() {
    let (mut pool, key) = pool(100);
    pool.wait(key, 1);
    assert_eq!(attempts(&mut pool, key), 1);
    connected(&mut pool, key, Sender::new(0), at(0));
    assert!(lent(&mut pool, key).is_empty());
    assert_eq!(attempts(&mut pool, key), 1);
}

#[test]
fn a_capacity_that_shrinks_is_kept_to() {
    let (mut pool, key) = pool(100);
    let sender = Sender::new(3);
    let id = connected(&mut pool, key, sender.clone(), at(0));
    assert_eq!((borne(&mut pool, key), borne(&mut pool, key)), (Some(id), Some(id)));
    sender.capacity.set(1);
    assert_eq!(borne(&mut pool, key), None);
    pool.release(id, at(0), None);
    assert_eq!(borne(&mut pool, key), None);
    pool.release(id, at(0), None);
    assert_eq!((borne(&mut pool, key), borne(&mut pool, key)), (Some(id), None));
}

#[test]
fn a_failed_attempt_fails_what_the_others_do_not_bear() {
    let (mut pool, key) = pool(2);
    (1..=5).for_each(|what| pool.wait(key, what));
    assert_eq!(attempts(&mut pool, key), 3);
    assert_eq!(pool.refused(key), [1]);
    assert_eq!(pool.refused(key), [2, 3]);
    assert_eq!(pool.forsake(|what| *what == 4), Some(4));
    assert_eq!(pool.forsake(|what| *what == 4), None);
    assert_eq!(pool.refused(key), [5]);
    assert!(pool.refused(key).is_empty());
    assert_eq!(attempts(&mut pool, key), 0);
}

#[test]
fn the_last_free_is_taken_first_and_none_that_is_closed_or_of_another_origin() {
    let (mut pool, here) = pool(1);
    let there = pool.origin(&Uri::from_static("https://here/"), |_| 1).unwrap();
    assert_eq!(pool.origin(&Uri::from_static("http://here/again"), |_| 1), Ok(here));
    let senders = [(); 3].map(|()| Sender::new(1));
    let ids = senders.clone().map(|sender| connected(&mut pool, here, sender, at(0)));
    ids.iter().for_each(|id| pool.settle(*id));
    senders[2].is_ready.set(false);
    assert_eq!(borne(&mut pool, there), None);
    assert_eq!(borne(&mut pool, here), Some(ids[1]));
    pool.remove(ids[0]);
    assert_eq!(borne(&mut pool, here), None);
    senders[1].is_ready.set(false);
    pool.release(ids[1], at(1), None);
    assert_eq!(borne(&mut pool, here), None);
    assert!(pool.connections.is_empty());
}

#[test]
fn a_connection_that_bears_all_it_can_is_not_taken_for_closed() {
    let (mut pool, key) = pool(1);
    let sender = Sender::new(1);
    let id = connected(&mut pool, key, sender.clone(), at(0));
    pool.settle(id);
    assert_eq!(borne(&mut pool, key), Some(id));
    sender.is_ready.set(false);
    assert_eq!(borne(&mut pool, key), None);
    sender.is_ready.set(true);
    pool.release(id, at(1), None);
    assert_eq!(borne(&mut pool, key), Some(id));
}

#[test]
fn a_connection_is_fresh_until_what_waited_had_its_turn() {
    let (mut pool, key) = pool(1);
    let sender = Sender::new(2);
    sender.is_ready.set(false);
    let id = connected(&mut pool, key, sender.clone(), at(0));
    pool.wait(key, 0);
    assert_eq!(pool.lend(key, Time::ORIGIN).map(|loan| loan.is_fresh), Some(true));
    sender.is_ready.set(true);
    pool.settle(id);
    pool.wait(key, 0);
    assert_eq!(pool.lend(key, Time::ORIGIN).map(|loan| loan.is_fresh), Some(false));
}

#[test]
fn a_connection_is_kept_for_its_time() {
    let (mut pool, key) = pool(1);
    assert_eq!(pool.deadline(), None);
    let first = connected(&mut pool, key, Sender::new(2), at(0));
    let second = connected(&mut pool, key, Sender::new(1), at(5));
    assert_eq!(pool.deadline(), Some(at(10)));
    pool.expire(at(9));
    assert_eq!(pool.connections.len(), 2);
    pool.expire(at(10));
    assert!(!pool.connections.contains_key(&first));
    assert_eq!(pool.deadline(), Some(at(15)));
    assert_eq!(borne(&mut pool, key), Some(second));
    pool.expire(at(15));
    assert_eq!(
        (pool.connections.len(), pool.deadline()),
        (1, None),
        "it bears something"
    );
    pool.release(second, at(20), None);
    assert_eq!(pool.deadline(), Some(at(30)));
    pool.expire(at(30));
    assert!(pool.connections.is_empty() && pool.deadline().is_none());
    assert_eq!(borne(&mut pool, key), None);
}

/// What goes out then.
fn lent_at(pool: &mut Pool<Sender, u32>, key: OriginKey, now: Time) -> Option<ConnectionId> {
    pool.wait(key, 0);
    let loan = pool.lend(key, now).map(|loan| loan.connection);
    pool.forsake(|_| true);
    loan
}

#[test]
fn a_connection_that_has_waited_is_looked_at_before_it_is_used() {
    let (mut pool, key) = pool(1);
    let sender = Sender::new(1);
    let id = connected(&mut pool, key, sender.clone(), at(0));
    pool.settle(id);
    sender.is_alive.set(false);
    assert_eq!(lent_at(&mut pool, key, at(0)), Some(id), "it was used just now");
    pool.release(id, at(0), None);
    assert_eq!(
        lent_at(&mut pool, key, at(1)),
        None,
        "the runtime has not noticed its end"
    );
    assert!(pool.connections.is_empty());
}

#[test]
fn a_connection_is_left_when_its_server_says() {
    let (mut pool, key) = pool(1);
    for (keep, idle, is_used) in [
        (None, 9, true),
        (Some(4), 3, true),
        (Some(4), 4, false),
        (Some(0), 1, false),
        (Some(99), 9, true),
    ] {
        let id = connected(&mut pool, key, Sender::new(1), at(0));
        pool.settle(id);
        assert_eq!(lent_at(&mut pool, key, at(0)), Some(id));
        pool.release(id, at(0), keep.map(Duration::from_secs));
        assert_eq!(pool.deadline(), Some(at(keep.unwrap_or(10).min(10))));
        assert_eq!(lent_at(&mut pool, key, at(idle)).is_some(), is_used, "{keep:?} {idle}");
        pool.remove(id);
        pool.expire(at(99));
        assert!(pool.connections.is_empty() && pool.deadline().is_none());
    }
}

#[test]
fn the_others_that_wait_are_gone_with_one_that_died_waiting() {
    let (mut pool, here) = pool(1);
    let there = pool.origin(&Uri::from_static("http://there/"), |_| 1).unwrap();
    let [idle, used] = [(); 2].map(|()| connected(&mut pool, here, Sender::new(1), at(0)));
    let other = connected(&mut pool, there, Sender::new(1), at(0));
    assert_eq!(borne(&mut pool, here), Some(used));
    pool.clear(here);
    assert!(!pool.connections.contains_key(&idle));
    assert!(pool.connections.contains_key(&used) && pool.connections.contains_key(&other));
}

#[test]
fn what_exceeds_the_limit_is_refused_and_nothing_waits() {
    let (mut pool, key) = pool(1);
    pool.limit(Some(2));
    (1..=4).for_each(|what| pool.wait(key, what));
    assert_eq!(attempts(&mut pool, key), 2);
    let refused: Vec<_> = core::iter::from_fn(|| pool.exceeding(key)).collect();
    assert_eq!(refused, [4, 3], "those that came last");
    // One that is being made counts as one that is there.
    let first = connected(&mut pool, key, Sender::new(1), at(0));
    assert_eq!(lent(&mut pool, key), [(1, first)]);
    pool.wait(key, 5);
    assert_eq!((attempts(&mut pool, key), pool.exceeding(key)), (0, Some(5)));
    let second = connected(&mut pool, key, Sender::new(1), at(0));
    assert_eq!(lent(&mut pool, key), [(2, second)]);
    // One that is free again bears the next, one that is gone makes room.
    pool.release(first, at(1), None);
    assert_eq!(borne(&mut pool, key), Some(first));
    pool.remove(second);
    pool.wait(key, 6);
    assert_eq!((attempts(&mut pool, key), pool.exceeding(key)), (1, None));
    // One that could not be made leaves its place.
    assert_eq!(pool.refused(key), [6]);
    pool.wait(key, 7);
    assert_eq!((attempts(&mut pool, key), pool.exceeding(key)), (1, None));
}

#[test]
fn an_unused_connection_makes_room_for_another_origin_and_one_in_use_does_not() {
    let (mut pool, here) = pool(1);
    pool.limit(Some(2));
    let there = pool.origin(&Uri::from_static("http://there/"), |_| 1).unwrap();
    let spare = connected(&mut pool, here, Sender::new(1), at(0));
    let kept = connected(&mut pool, here, Sender::new(1), at(1));
    assert_eq!(borne(&mut pool, here), Some(kept));
    pool.wait(there, 1);
    assert_eq!(attempts(&mut pool, there), 1);
    assert!(!pool.connections.contains_key(&spare), "it bore nothing");
    pool.wait(there, 2);
    assert_eq!((attempts(&mut pool, there), pool.exceeding(there)), (0, Some(2)));
    assert!(pool.connections.contains_key(&kept));
}

#[test]
fn a_limit_of_none_refuses_everything() {
    let (mut pool, key) = pool(1);
    pool.limit(Some(0));
    pool.wait(key, 1);
    assert_eq!((attempts(&mut pool, key), pool.exceeding(key)), (0, Some(1)));
}
