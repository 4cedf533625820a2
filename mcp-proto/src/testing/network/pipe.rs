//! One direction of a byte stream.

use alloc::collections::VecDeque;

use crate::Time;
use bytes::{Bytes, BytesMut};

use super::conditions::{Conditions, Cuts};
use super::rng::Rng;

/// One direction of a byte stream: bytes arrive late and in other pieces than they were written in, but all of them
/// and in their order, until the stream ends.
#[derive(Debug)]
pub struct Pipe {
    conditions: Conditions,
    rng: Rng,
    on_the_way: VecDeque<(Time, Bytes)>,
    /// When the last piece arrives: none overtakes it.
    last: Time,
    /// How many more bytes arrive before the stream breaks.
    budget: Option<usize>,
    end: End,
    delivered: usize,
}

/// What comes out of a [`Pipe`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// Some bytes.
    Bytes(Bytes),
    /// The end. Comes once.
    Eof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// Comes then, after everything on the way.
    At(Time),
    Reported,
}

impl Pipe {
    /// An open pipe.
    pub fn new(conditions: &Conditions, rng: Rng) -> Self {
        Self {
            conditions: conditions.clone(),
            rng,
            on_the_way: VecDeque::new(),
            last: Time::ORIGIN,
            budget: None,
            end: End::Open,
            delivered: 0,
        }
    }

    /// How many bytes have arrived.
    pub fn delivered(&self) -> usize {
        self.delivered
    }

    /// Whether the end was written, or has come by force.
    pub fn is_ended(&self) -> bool {
        self.end != End::Open
    }

    /// Whether the bytes are used up after which the stream breaks.
    pub fn is_broken(&self) -> bool {
        self.budget == Some(0)
    }

    /// Sends bytes. They are lost where the pipe has ended.
    pub fn write(&mut self, now: Time, mut bytes: Bytes) {
        if self.end != End::Open || self.is_broken() {
            return;
        }
        while !bytes.is_empty() {
            let piece = bytes.split_to(self.conditions.cuts.piece(bytes.len(), &mut self.rng));
            let arrival = self.arrival(now);
            self.on_the_way.push_back((arrival, piece));
        }
    }

    /// Ends the stream behind what is on the way.
    pub fn close(&mut self, now: Time) {
        if self.end == End::Open {
            let arrival = self.arrival(now);
            self.end = End::At(arrival);
        }
    }

    /// Ends the stream at once; what is on the way is lost.
    pub fn cut(&mut self, now: Time) {
        self.on_the_way.clear();
        if self.end != End::Reported {
            self.end = End::At(now);
        }
    }

    /// Ends the stream once `bytes` have arrived in all.
    pub fn cut_after(&mut self, bytes: usize) {
        self.budget = Some(bytes.saturating_sub(self.delivered));
    }

    /// When there is something to [`poll`](Self::poll).
    pub fn next_arrival(&self) -> Option<Time> {
        match (self.end, self.on_the_way.front()) {
            (End::Reported, _) => None,
            _ if self.is_broken() => Some(Time::ORIGIN),
            (_, Some((arrival, _))) => Some(*arrival),
            (End::At(arrival), None) => Some(arrival),
            (End::Open, None) => None,
        }
    }

    /// The next thing that has arrived.
    pub fn poll(&mut self, now: Time) -> Option<Arrival> {
        if self.next_arrival()? > now {
            return None;
        }
        match self.on_the_way.pop_front().filter(|_| !self.is_broken()) {
            Some((_, piece)) => Some(Arrival::Bytes(self.take(now, piece))),
            None => {
                self.on_the_way.clear();
                self.end = End::Reported;
                Some(Arrival::Eof)
            }
        }
    }

    fn take(&mut self, now: Time, mut piece: Bytes) -> Bytes {
        if self.conditions.cuts == Cuts::Random && self.rng.chance(30) {
            let mut joined = BytesMut::from(&piece[..]);
            while let Some((arrival, _)) = self.on_the_way.front()
                && *arrival <= now
                && let Some((_, next)) = self.on_the_way.pop_front()
            {
                joined.extend_from_slice(&next);
            }
            piece = joined.freeze();
        }
        if let Some(budget) = &mut self.budget {
            piece.truncate(*budget);
            *budget -= piece.len();
        }
        self.delivered += piece.len();
        piece
    }

    fn arrival(&mut self, now: Time) -> Time {
        self.last = self.last.max(now + self.conditions.delay(&mut self.rng));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    fn drain(pipe: &mut Pipe) -> (Vec<u8>, usize, bool) {
        let (mut bytes, mut pieces, mut last) = (Vec::new(), 0, Time::ORIGIN);
        while let Some(arrival) = pipe.next_arrival() {
            assert!(arrival >= last || arrival == Time::ORIGIN, "nothing is overtaken");
            last = arrival;
            match pipe.poll(arrival) {
                Some(Arrival::Bytes(piece)) => {
                    bytes.extend_from_slice(&piece);
                    pieces += 1;
                }
                Some(Arrival::Eof) => return (bytes, pieces, true),
                None => panic!("what was announced has to be there"),
            }
        }
        (bytes, pieces, false)
    }

    fn sent(seed: u64, text: &[u8]) -> (Vec<u8>, usize, bool) {
        let mut rng = Rng::new(seed);
        let mut pipe = Pipe::new(&Conditions::rough(&mut rng), rng.fork());
        for millis in [0, 5] {
            pipe.write(
                Time::ORIGIN + Duration::from_millis(millis),
                Bytes::copy_from_slice(text),
            );
        }
        pipe.close(Time::ORIGIN + Duration::from_millis(6));
        pipe.write(Time::ORIGIN + Duration::from_millis(7), Bytes::from_static(b"lost"));
        drain(&mut pipe)
    }

    #[test]
    fn bytes_arrive_in_order_whatever_the_pieces() {
        let text: Vec<u8> = (0..=255).collect();
        for seed in 0..50 {
            let (bytes, pieces, eof) = sent(seed, &text);
            assert_eq!((bytes, eof), ([&text[..], &text[..]].concat(), true), "{seed}");
            assert_eq!(sent(seed, &text).1, pieces, "the seed alone decides");
        }
    }

    #[test]
    fn a_pipe_breaks_after_its_bytes() {
        for most in 0..=6 {
            let mut pipe = Pipe::new(&Conditions::CALM, Rng::new(0));
            pipe.cut_after(most);
            pipe.write(Time::ORIGIN, Bytes::from_static(b"abc"));
            pipe.write(Time::ORIGIN, Bytes::from_static(b"def"));
            let (bytes, _, eof) = drain(&mut pipe);
            assert_eq!((&bytes[..], eof), (&b"abcdef"[..most], true));
            pipe.write(Time::ORIGIN, Bytes::from_static(b"ghi"));
            assert_eq!(pipe.next_arrival(), None);
        }
    }

    #[test]
    fn a_cut_loses_what_is_on_the_way() {
        let mut pipe = Pipe::new(&Conditions::CALM, Rng::new(0));
        pipe.write(Time::ORIGIN, Bytes::from_static(b"abc"));
        pipe.cut(Time::ORIGIN);
        assert_eq!(pipe.poll(Time::ORIGIN), Some(Arrival::Eof));
        assert_eq!(pipe.poll(Time::ORIGIN), None);
    }
}
