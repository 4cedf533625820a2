use super::*;
use crate::http::server::Remote;

const MINUTE: Duration = Duration::from_secs(60);
const START: Time = Time::ORIGIN;

fn table(most: usize, per_principal: usize) -> SessionTable<u32> {
    SessionTable::new(&Limits {
        sessions: most,
        sessions_per_principal: per_principal,
        session_idle: 10 * MINUTE,
        streams_per_session: 3,
        ..Limits::default()
    })
}

fn id(byte: u8) -> SessionId {
    // Six bits of each byte count.
    let mut random = [byte; 32];
    random[0] = byte >> 6;
    SessionId::from_random(random)
}

fn of(principal: &Principal) -> Holder {
    Holder::new(Some(principal), Remote::UNKNOWN)
}

fn nobody() -> Holder {
    Holder::new(None, Remote::UNKNOWN)
}

fn at(address: u8, connection: u64) -> Holder {
    let address = ([10, 0, 0, address], 1).into();
    Holder::new(None, Remote::new(Some(address), Some(connection)))
}

/// A session that was made and left.
fn made(table: &mut SessionTable<u32>, now: Time, byte: u8) -> SessionId {
    let (visit, lost) = table.create(now, id(byte), &nobody(), u32::from(byte)).unwrap();
    assert_eq!(lost, None);
    table.leave(now, visit);
    id(byte)
}

fn nothing_is_left(table: &SessionTable<u32>) -> bool {
    table.places.is_empty()
        && table.iter().next().is_none()
        && table.checks.is_empty()
        && table.order.is_empty()
        && table.shares.total() == 0
}

#[test]
fn a_place_that_is_vacant_is_not_shown_as_a_session() {
    let mut table = table(9, 9);
    for byte in [1, 2] {
        made(&mut table, START, byte);
    }
    table.remove(&id(1), None).unwrap();
    assert_eq!(alloc::format!("{table:?}"), "SessionTable { len: 1, .. }");
}

#[test]
fn an_idle_session_expires_exactly_then() {
    let mut table = table(9, 9);
    let first = made(&mut table, START, 1);
    made(&mut table, START + MINUTE, 2);
    assert_eq!(table.poll_timeout(), Some(START + 10 * MINUTE));
    let visit = table.enter(&first, None).unwrap().0;
    table.leave(START + 5 * MINUTE, visit);
    assert_eq!(table.handle_timeout(START + 10 * MINUTE), [0_u32; 0]);
    assert_eq!(table.poll_timeout(), Some(START + 11 * MINUTE));
    assert_eq!(table.handle_timeout(START + 11 * MINUTE), [2]);
    assert_eq!(table.poll_timeout(), Some(START + 15 * MINUTE));
    assert_eq!(table.handle_timeout(START + 15 * MINUTE), [1]);
    assert_eq!(table.enter(&first, None), Err(Refusal::SessionNotFound));
    assert!(nothing_is_left(&table) && table.poll_timeout().is_none());
}

#[test]
fn a_session_in_use_does_not_expire() {
    let mut table = table(9, 9);
    let request = made(&mut table, START, 1);
    let stream = made(&mut table, START, 2);
    let request = table.enter(&request, None).unwrap().0;
    let stream = table.enter(&stream, None).unwrap().0;
    let mut now = START;
    for _ in 0..20 {
        now = table.poll_timeout().unwrap().max(now + MINUTE);
        assert_eq!(table.handle_timeout(now), [0_u32; 0]);
    }
    table.leave(now, request);
    table.leave(now, stream);
    assert_eq!(table.handle_timeout(now + 9 * MINUTE), [0_u32; 0]);
    let mut ended = table.handle_timeout(now + 10 * MINUTE);
    ended.sort_unstable();
    assert_eq!(ended, [1, 2]);
    assert!(nothing_is_left(&table));
}

#[test]
fn an_idle_time_of_zero_neither_spins_nor_ends_what_is_in_use() {
    let mut table = SessionTable::new(&Limits {
        session_idle: Duration::ZERO,
        ..Limits::default()
    });
    let (visit, _) = table.create(START, id(1), &nobody(), ()).unwrap();
    let now = table.poll_timeout().unwrap();
    assert!(table.handle_timeout(now).is_empty());
    table.leave(now, visit);
    let now = table.poll_timeout().unwrap();
    assert_eq!(table.handle_timeout(now).len(), 1);
}

#[test]
fn the_table_is_bounded() {
    let mut table = table(2, 9);
    made(&mut table, START, 1);
    let second = made(&mut table, START, 2);
    let [first, second] = [id(1), second].map(|id| table.enter(&id, None).unwrap().0);
    assert_eq!(
        table.create(START, id(3), &nobody(), 3),
        Err(Refusal::Busy),
        "all are in use"
    );
    table.leave(START, first);
    table.leave(START, second);
    assert_eq!(table.remove(&id(2), None), Ok(2));
    made(&mut table, START, 3);
    assert_eq!(table.len(), 2);
    assert_eq!(table.checks.len(), 2);
}

#[test]
fn a_principal_is_bounded_and_the_others_are_not() {
    let mut table = table(99, 2);
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let _ = table.create(START, id(1), &of(&alice), 1).unwrap();
    let _ = table.create(START, id(2), &of(&alice), 2).unwrap();
    assert_eq!(
        table.create(START, id(3), &of(&alice), 3),
        Err(Refusal::TooManyRequests)
    );
    let _ = table.create(START, id(3), &of(&bob), 3).unwrap();
    for byte in 4..20 {
        made(&mut table, START, byte);
    }
    table.remove(&id(1), Some(&alice)).unwrap();
    let _ = table.create(START, id(1), &of(&alice), 1).unwrap();
    table.clear();
    assert!(nothing_is_left(&table));
}

#[test]
fn a_session_of_another_principal_does_not_exist() {
    let mut table = table(9, 9);
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let _ = table.create(START, id(1), &of(&alice), 1).unwrap();
    made(&mut table, START, 2);
    for (which, who) in [
        (1, Some(&bob)),
        (1, None),
        (2, Some(&alice)),
        (3, None),
        (3, Some(&alice)),
    ] {
        assert_eq!(table.enter(&id(which), who), Err(Refusal::SessionNotFound));
        assert_eq!(table.remove(&id(which), who), Err(Refusal::SessionNotFound));
        assert_eq!(table.get(&id(which), who), None);
    }
    let entered = table.enter(&id(1), Some(&Principal::new("alice")));
    assert_eq!(entered.unwrap().1, &1);
}

#[test]
fn exchanges_of_a_session_are_bounded() {
    let mut table = table(9, 9);
    let one = made(&mut table, START, 1);
    let [stream, first, second] = [(); 3].map(|()| table.enter(&one, None).unwrap().0);
    assert_eq!(table.enter(&one, None), Err(Refusal::TooManyRequests));
    table.leave(START, first);
    assert!(table.enter(&one, None).is_ok());
    table.leave(START, stream);
    let _ = table.enter(&one, None).unwrap();
    assert_eq!(table.enter(&one, None), Err(Refusal::TooManyRequests));
    table.leave(START, second);
    assert!(table.enter(&one, None).is_ok());
}

#[test]
fn a_session_that_ended_is_unknown_and_late_exchanges_are_ignored() {
    let mut table = table(9, 9);
    let one = made(&mut table, START, 1);
    let visit = table.enter(&one, None).unwrap().0;
    let stream = table.enter(&one, None).unwrap().0;
    assert_eq!(table.remove(&one, None), Ok(1));
    assert_eq!(table.remove(&one, None), Err(Refusal::SessionNotFound));
    table.leave(START, visit);
    assert!(nothing_is_left(&table));
    // The name is not bound to the old record.
    made(&mut table, START, 1);
    let others = [(); 3].map(|()| table.enter(&one, None).unwrap().0);
    // Nor is its place to those who visited what was there before.
    table.leave(START, stream);
    assert_eq!(table.enter(&one, None), Err(Refusal::TooManyRequests));
    assert_eq!((table.len(), others.len()), (1, 3));
}

#[test]
fn the_table_keeps_its_books_in_any_order_of_calls() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let alice = Principal::new("alice");
    let mut table = table(4, 2);
    let mut now = START;
    let mut visits = Vec::new();
    for _ in 0..20_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let which = id((seed >> 8) as u8 % 6);
        let who = (seed & 64 != 0).then_some(&alice);
        match seed % 8 {
            0 | 1 => visits.extend(
                table
                    .create(now, which, &Holder::new(who, Remote::UNKNOWN), 0)
                    .map(|(visit, _)| visit),
            ),
            2 | 4 => visits.extend(table.enter(&which, who).map(|(visit, _)| visit)),
            3 | 5 if !visits.is_empty() => {
                let at = (seed >> 16) as usize % visits.len();
                table.leave(now, visits.swap_remove(at));
            }
            3 | 5 => {}
            6 => drop(table.remove(&which, who)),
            _ => now = now + MINUTE,
        }
        drop(table.handle_timeout(now));
        assert!(table.len() <= 4);
        assert_eq!(table.checks.len(), table.len());
        assert_eq!(table.iter().count(), table.len());
        let of_alice = table
            .records
            .iter()
            .flatten()
            .filter(|record| record.principal.is_some())
            .count();
        assert_eq!(table.shares.holding(&of(&alice)).0, of_alice);
        assert_eq!((table.shares.total(), table.order.len()), (table.len(), table.len()));
        assert!(table.poll_timeout().is_none_or(|due| due > now));
    }
}

/// What is lost for another session of this holder.
fn lost(table: &mut SessionTable<u32>, now: Time, byte: u8, holder: &Holder) -> Result<Option<u32>, Refusal> {
    let (visit, lost) = table.create(now, id(byte), holder, u32::from(byte))?;
    table.leave(now, visit);
    Ok(lost)
}

#[test]
fn who_fills_the_table_loses_what_fills_it_and_nobody_else_is_refused() {
    let mut table = table(100, 99);
    let alice = Principal::new("alice");
    for (byte, holder) in [(1, at(1, 1)), (2, of(&alice))] {
        assert_eq!(lost(&mut table, START, byte, &holder), Ok(None));
    }
    for byte in 3..101 {
        assert_eq!(lost(&mut table, START + MINUTE, byte, &at(2, 1)), Ok(None));
    }
    let now = START + 2 * MINUTE;
    // Whoever comes has its first: from elsewhere, with a principal, and over another connection from there.
    assert_eq!(lost(&mut table, now, 101, &at(3, 1)), Ok(Some(3)));
    assert_eq!(lost(&mut table, now, 102, &of(&Principal::new("bob"))), Ok(Some(4)));
    assert_eq!(lost(&mut table, now, 103, &at(2, 2)), Ok(Some(5)));
    // Who goes on filling loses its own, and nobody else anything.
    for byte in 104..200 {
        let lost = lost(&mut table, now, byte, &at(2, 1)).unwrap();
        assert!(
            lost.is_some_and(|lost| (6..104 + 96).contains(&lost) && !(101..104).contains(&lost)),
            "{lost:?}"
        );
    }
    for (byte, principal) in [(1, None), (2, Some(&alice)), (101, None), (103, None)] {
        assert!(table.get(&id(byte), principal).is_some(), "{byte}");
    }
    assert_eq!(table.len(), 100);
}

#[test]
fn of_its_own_what_was_never_used_is_lost_first_and_then_the_longest_idle() {
    let mut table = table(4, 9);
    let used = |table: &mut SessionTable<u32>, now: Time, byte: u8, times: usize| {
        for _ in 0..times {
            let visit = table.enter(&id(byte), None).unwrap().0;
            table.leave(now, visit);
        }
    };
    for byte in 1..5 {
        made(&mut table, START + u32::from(byte) * MINUTE, byte);
    }
    used(&mut table, START + 6 * MINUTE, 1, 2);
    used(&mut table, START + 5 * MINUTE, 2, 2);
    // It has completed its handshake, and that is no use.
    used(&mut table, START + 7 * MINUTE, 3, 1);
    let stream = table.enter(&id(4), None).unwrap().0;
    let now = START + 8 * MINUTE;
    assert_eq!(lost(&mut table, now, 5, &nobody()), Ok(Some(3)));
    used(&mut table, now, 5, 2);
    assert_eq!(lost(&mut table, now, 6, &nobody()), Ok(Some(2)));
    used(&mut table, now, 6, 2);
    assert_eq!(lost(&mut table, now, 7, &nobody()), Ok(Some(1)));
    // What was looked at while it was in use is idle again.
    table.leave(now, stream);
    used(&mut table, START + 9 * MINUTE, 7, 2);
    used(&mut table, START + 7 * MINUTE, 4, 2);
    let _visits = [5, 6, 7].map(|byte| table.enter(&id(byte), None).unwrap().0);
    assert_eq!(lost(&mut table, now, 8, &nobody()), Ok(Some(4)));
    let _visit = table.enter(&id(8), None).unwrap().0;
    assert_eq!(
        lost(&mut table, now, 9, &nobody()),
        Err(Refusal::Busy),
        "all are in use, and its own"
    );
    let lost = lost(&mut table, now, 9, &at(1, 1));
    assert!(matches!(lost, Ok(Some(_))), "another has none: {lost:?}");
}

#[test]
fn each_session_over_a_connection_of_its_own_is_no_way_around() {
    let mut table = table(100, 9);
    assert_eq!(lost(&mut table, START, 0, &at(1, 1_000)), Ok(None));
    for _ in 0..2 {
        let visit = table.enter(&id(0), None).unwrap().0;
        table.leave(START, visit);
    }
    let now = START + MINUTE;
    for connection in 1..250 {
        let lost = lost(&mut table, now, connection, &at(1, u64::from(connection)));
        assert!(lost.is_ok_and(|lost| lost != Some(0)), "{connection}");
    }
}

#[test]
fn what_was_in_use_when_it_was_looked_at_is_idle_again_once_it_is_left() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(Principal::new);
    let mut table = table(3, 9);
    let minute = |minutes| START + minutes * MINUTE;
    for byte in 1..=3_u8 {
        let (visit, _) = table.create(START, id(byte), &of(&alice), u32::from(byte)).unwrap();
        table.leave(START, visit);
        for _ in 0..2 {
            let visit = table.enter(&id(byte), Some(&alice)).unwrap().0;
            table.leave(minute(u32::from(byte)), visit);
        }
    }
    let lost = |table: &mut SessionTable<u32>, byte, holder: &Principal| {
        let (visit, lost) = table.create(minute(4), id(byte), &of(holder), 9).unwrap();
        table.leave(minute(4), visit);
        lost
    };
    let first = table.enter(&id(1), Some(&alice)).unwrap().0;
    assert_eq!(lost(&mut table, 8, &bob), Some(2), "the first is in use");
    table.leave(minute(5), first);
    let third = table.enter(&id(3), Some(&alice)).unwrap().0;
    table.leave(minute(6), third);
    assert_eq!(lost(&mut table, 9, &carol), Some(1), "the longest idle");
    assert!(!table.is_empty());
}
