use super::*;

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
    SessionId::from_random([byte; 32])
}

/// A session that was made and left.
fn made(table: &mut SessionTable<u32>, now: Time, byte: u8) -> SessionId {
    let visit = table.create(now, id(byte), None, u32::from(byte)).unwrap();
    table.leave(now, visit);
    id(byte)
}

fn nothing_is_left(table: &SessionTable<u32>) -> bool {
    table.places.is_empty()
        && table.iter().next().is_none()
        && table.checks.is_empty()
        && table.per_principal.is_empty()
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
    let visit = table.create(START, id(1), None, ()).unwrap();
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
    assert_eq!(table.create(START, id(3), None, 3), Err(Refusal::Busy));
    assert_eq!(table.remove(&second, None), Ok(2));
    made(&mut table, START, 3);
    assert_eq!(table.len(), 2);
    assert_eq!(table.checks.len(), 2);
}

#[test]
fn a_principal_is_bounded_and_the_others_are_not() {
    let mut table = table(99, 2);
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let _ = table.create(START, id(1), Some(&alice), 1).unwrap();
    let _ = table.create(START, id(2), Some(&alice), 2).unwrap();
    assert_eq!(
        table.create(START, id(3), Some(&alice), 3),
        Err(Refusal::TooManyRequests)
    );
    let _ = table.create(START, id(3), Some(&bob), 3).unwrap();
    for byte in 4..20 {
        made(&mut table, START, byte);
    }
    table.remove(&id(1), Some(&alice)).unwrap();
    let _ = table.create(START, id(1), Some(&alice), 1).unwrap();
    table.clear();
    assert!(nothing_is_left(&table));
}

#[test]
fn a_session_of_another_principal_does_not_exist() {
    let mut table = table(9, 9);
    let (alice, bob) = (Principal::new("alice"), Principal::new("bob"));
    let _ = table.create(START, id(1), Some(&alice), 1).unwrap();
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
            0 | 1 => visits.extend(table.create(now, which, who, 0)),
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
        assert_eq!(table.per_principal.get(&alice).copied().unwrap_or(0), of_alice);
        assert!(table.poll_timeout().is_none_or(|due| due > now));
    }
}
