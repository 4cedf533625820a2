//! Streams of POSTs that nobody reads, within the bytes that all of them may have queued.

use super::stateless::call;
use super::*;
use crate::http::server::{Holder, Remote, Resumption};

const TOTAL: usize = 1 << 20;
/// What a stream may have queued without being counted.
const SMALL: usize = 16 << 10;

fn world(config: HttpConfig) -> World {
    World::with(config, Limits::default().with_unread_bytes(TOTAL), &Revision::ALL)
}

fn at(address: u8) -> Holder {
    Holder::new(None, Remote::new(Some(([10, 0, 0, address], 1).into()), Some(1)))
}

impl World {
    /// A stream whose head is read by whoever is there, and nothing more.
    fn unread(&mut self, request: Request<Bytes>, address: u8) -> Exchange {
        let mut open = self.send(request);
        assert_eq!(open.head(self.now).expect("a stream").status, 200);
        let Open::Exchange(exchange) = open else {
            panic!("an exchange")
        };
        exchange.read_by(&at(address));
        exchange
    }
}

fn queued(exchange: &Exchange) -> usize {
    let line = exchange.line();
    line.map_or(0, |line| line.with(|exchange| exchange.queued_bytes()))
}

/// Has the handler answer, and takes nothing of what it says. A large answer is written in a poll of its own.
fn work(exchange: &mut Exchange, now: Time) {
    for _ in 0..2 {
        assert!(exchange.poll(&mut noop(), now, |_| None::<()>).is_pending());
    }
}

/// What there is of the body of a stream, and whether all of it was.
fn read(exchange: &mut Exchange, now: Time) -> (String, bool) {
    let mut body = Vec::new();
    while let Poll::Ready(Some(bytes)) = exchange.poll_frame(&mut noop(), now) {
        body.extend_from_slice(&bytes);
    }
    let is_whole = !exchange.is_cut_off() && exchange.poll_frame(&mut noop(), now).is_ready();
    (String::from_utf8(body).unwrap(), is_whole)
}

#[test]
fn streams_of_requests_that_nobody_reads_are_bounded_together() {
    let mut world = world(HttpConfig::default());
    let mut attack: Vec<_> = (0..50).map(|_| world.unread(call("flood"), 1)).collect();
    let all: usize = attack.iter().map(queued).sum();
    assert!((TOTAL / 2..TOTAL + attack.len() * SMALL).contains(&all), "{all}");
    let lost = attack.iter().filter(|exchange| exchange.is_cut_off()).count();
    assert!((30..50).contains(&lost), "{lost}");
    // Whoever holds little, and reads, is not among them.
    let mut honest = world.unread(call("flood"), 2);
    let (body, is_whole) = read(&mut honest, world.now);
    assert!(is_whole && body.len() > 100_000, "{}", body.len());
    // Nobody takes what was lost for all there is; of the others nothing is missing.
    for exchange in &mut attack {
        let is_cut_off = exchange.is_cut_off();
        let (body, is_whole) = read(exchange, world.now);
        assert_eq!((is_whole, body.is_empty()), (!is_cut_off, is_cut_off));
        assert_eq!(queued(exchange), 0);
    }
    // There is room again.
    let again = world.unread(call("flood"), 1);
    assert!(!again.is_cut_off() && queued(&again) > 100_000);
}

#[test]
fn an_answer_on_a_stream_counts_when_it_is_given() {
    let mut world = world(HttpConfig::default());
    let mut attack: Vec<_> = (0..10)
        .map(|_| world.unread(call("talk and answer at length"), 1))
        .collect();
    assert!(attack.iter().all(|exchange| !exchange.is_cut_off()));
    world.open_gate();
    attack.iter_mut().for_each(|exchange| work(exchange, world.now));
    let all: usize = attack.iter().map(queued).sum();
    assert!((LONG..=TOTAL).contains(&all), "{all}");
    let whole = attack.iter().filter(|exchange| !exchange.is_cut_off()).count();
    assert!((1..10).contains(&whole), "{whole}");
    assert_eq!(world.running(), 0);
}

#[test]
fn the_handler_of_a_modern_request_is_cancelled_with_its_lost_stream() {
    let mut world = world(HttpConfig::default());
    let lost = world.unread(call("talk and wait"), 1);
    let line = lost.line().unwrap();
    // Said by a task beside: it is lost at once, and not when somebody polls it.
    assert_eq!(line.notify(alloc::vec![b'1'; TOTAL]), Ok(()));
    assert!(lost.is_cut_off() && line.is_cancelled());
    assert_eq!((queued(&lost), world.running()), (0, 1));
    drop(lost);
    assert_eq!(world.running(), 0);
}

/// A stream of a session that can be resumed, and the request that goes on with it.
fn resumable(world: &mut World) -> (Exchange, Request<Bytes>) {
    let client = world.session("2025-11-25");
    let mut exchange = world.unread(client.tool(1, "talk and answer at length"), 1);
    let Poll::Ready(Some(events)) = exchange.poll_frame(&mut noop(), world.now) else {
        panic!("events")
    };
    let events = String::from_utf8(events.to_vec()).unwrap();
    let id = events.lines().find_map(|line| line.strip_prefix("id: "));
    let mut headers = client.headers().to_vec();
    headers.push(("last-event-id", id.expect("an id")));
    (exchange, request("GET", &headers, ""))
}

#[test]
fn a_legacy_request_whose_stream_is_lost_runs_on_and_is_read_elsewhere() {
    let mut world = world(HttpConfig::default().resumable(Resumption::default()));
    let (mut lost, resume) = resumable(&mut world);
    let large = || Bytes::from(alloc::vec![0; TOTAL / 4]);
    let others: Vec<_> = (0..3).map(|_| world.endpoint.unread(at(1), large())).collect();
    world.open_gate();
    work(&mut lost, world.now);
    assert!(lost.is_cut_off(), "{}", queued(&lost));
    drop((lost, others));
    world.keep();
    let mut resumed = world.unread(resume, 1);
    let (body, is_whole) = read(&mut resumed, world.now);
    assert!(is_whole && body.contains(r#""long":"xxx"#), "{}", body.len());
}

#[test]
fn a_stream_that_goes_on_elsewhere_counts_for_who_reads_it_there() {
    let mut world = world(HttpConfig::default().resumable(Resumption::default()));
    let (mut first, resume) = resumable(&mut world);
    let mut second = world.unread(resume, 2);
    world.open_gate();
    work(&mut first, world.now);
    assert!(queued(&second) > LONG, "{}", queued(&second));
    // It counts: there is no room for somebody who holds three times as much.
    let large = || Bytes::from(alloc::vec![0; TOTAL - TOTAL / 8]);
    assert_eq!(world.endpoint.unread(at(3), large()).take(), Some(Err(CutOff)));
    drop(first);
    let (body, is_whole) = read(&mut second, world.now);
    assert!(is_whole && body.contains(r#""long":"xxx"#), "{}", body.len());
    assert!(matches!(world.endpoint.unread(at(3), large()).take(), Some(Ok(_))));
}
