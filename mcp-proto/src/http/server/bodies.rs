//! The large bodies that are under way, and which of them is lost when there are too many.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::holder::Holder;
use super::refusal::Refusal;
use super::shares::{Seat, Shares};
use crate::limits::Limits;

/// The large bodies that are under way: of requests within [`Limits::reading_bytes`] together, of responses within
/// [`Limits::unread_bytes`].
///
/// Where a piece does not fit, a body is lost: among the holders that hold about as much as any, the one that goes
/// slowly, or else the largest. A request is answered with [`Refusal::Overloaded`], a response is cut off; what it has
/// taken is free. Who holds most itself is refused.
///
/// | body | [`take`](Self::take) | lost for another | [`finish`](Self::finish) | why |
/// |---|---|---|---|---|
/// | being read | room, or `Overloaded` | [told](Self::poll_lost) once, its room is free | its room is free | its client is to hear of it at once, and not at its next piece |
/// | lost, finished | `Overloaded` | | no effect | whoever reads it may not have heard of it yet |
///
/// Methods are of four kinds. Getters: [`bytes`](Self::bytes), [`is_lost`](Self::is_lost). From the world:
/// [`begin`](Self::begin), [`take`](Self::take), [`give_back`](Self::give_back), [`finish`](Self::finish).
/// To the world: [`poll_lost`](Self::poll_lost).
#[derive(Debug)]
pub struct Bodies {
    most: usize,
    /// All that was ever taken: the clock by which a body is slow.
    passed: u64,
    shares: Shares,
    bodies: BTreeMap<BodyKey, Body>,
    lost: VecDeque<BodyKey>,
    last: u64,
}

#[derive(Debug)]
struct Body {
    holder: Holder,
    seat: Option<Seat>,
    taken: usize,
    begun: u64,
}

/// One of the large bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BodyKey(u64);

/// A body that gets less than a fifth of what comes, after this much, is slow.
const PATIENCE: u64 = 1 << 20;

/// What a body weighs when one is to be lost.
struct Weighed {
    key: BodyKey,
    seat: Option<Seat>,
    party: usize,
    held: usize,
    is_slow: bool,
    taken: usize,
}

impl Weighed {
    fn rank(&self) -> (bool, usize, usize) {
        (self.is_slow, self.held, self.taken)
    }
}

impl Bodies {
    /// None, and room for the requests of `limits`.
    pub fn of_requests(limits: &Limits) -> Self {
        Self::within(limits.reading_bytes)
    }

    /// None, and room for the responses of `limits`.
    pub fn of_responses(limits: &Limits) -> Self {
        Self::within(limits.unread_bytes)
    }

    fn within(most: usize) -> Self {
        Self {
            most,
            passed: 0,
            shares: Shares::new(),
            bodies: BTreeMap::new(),
            lost: VecDeque::new(),
            last: 0,
        }
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.shares.total()
    }

    /// Whether more than half of the room is taken.
    pub fn is_short(&self) -> bool {
        self.bytes() > self.most / 2
    }

    /// Whether this body was lost for another, or is finished.
    pub fn is_lost(&self, key: BodyKey) -> bool {
        !self.bodies.contains_key(&key)
    }

    /// A body becomes large.
    pub fn begin(&mut self, holder: Holder) -> BodyKey {
        self.last += 1;
        let (key, begun) = (BodyKey(self.last), self.passed);
        let body = Body {
            holder,
            seat: None,
            taken: 0,
            begun,
        };
        self.bodies.insert(key, body);
        key
    }

    /// Takes room for a piece.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] where there is none, and others do not hold more; the refusal is the response.
    pub fn take(&mut self, key: BodyKey, bytes: usize) -> Result<(), Refusal> {
        if self.is_lost(key) {
            return Err(Refusal::Overloaded);
        }
        self.passed = self.passed.saturating_add(bytes as u64);
        while self.shares.total().saturating_add(bytes) > self.most {
            let loser = self.loser(key, bytes).ok_or(Refusal::Overloaded)?;
            self.finish(loser);
            self.lost.push_back(loser);
        }
        if let Some(body) = self.bodies.get_mut(&key) {
            body.seat = Some(self.shares.take(&body.holder, bytes));
            body.taken += bytes;
        }
        Ok(())
    }

    /// A piece of a body is gone, and it goes on.
    pub fn give_back(&mut self, key: BodyKey, bytes: usize) {
        if let Some(body) = self.bodies.get_mut(&key)
            && let Some(seat) = body.seat
        {
            let bytes = bytes.min(body.taken);
            body.taken -= bytes;
            // A client that takes something is not slow.
            body.begun = self.passed;
            self.shares.give_back(seat, bytes);
            // With nothing left its holder has no seat.
            body.seat = body.seat.filter(|_| body.taken > 0);
        }
    }

    /// A body is read, or given up.
    pub fn finish(&mut self, key: BodyKey) {
        if let Some(body) = self.bodies.remove(&key)
            && let Some(seat) = body.seat
        {
            self.shares.give_back(seat, body.taken);
        }
    }

    /// The next body that was lost for another: it is to be answered with [`Refusal::Overloaded`].
    #[must_use]
    pub fn poll_lost(&mut self) -> Option<BodyKey> {
        self.lost.pop_front()
    }

    /// The body that is lost for a piece of another; `None` where that is to be refused. They are looked through, since
    /// how slow each is changes with every piece: there are not more than fit when all are small.
    fn loser(&self, asker: BodyKey, bytes: usize) -> Option<BodyKey> {
        let mut weighed = self.weigh(asker, bytes);
        // About as much, and not exactly: a body that comes in time is not lost because its last piece makes it the
        // largest by a little.
        let most = weighed.iter().map(|body| body.party).max()?;
        weighed.retain(|body| body.party >= most / 2);
        let most = weighed.iter().map(|body| body.held).max()?;
        weighed.retain(|body| body.held >= most / 2);
        let first = weighed.iter().max_by_key(|body| body.rank())?;
        let own = weighed.iter().find(|body| body.key == asker);
        let is_own = self.bodies.get(&asker).is_some_and(|body| {
            let seat = self.shares.find(&body.holder);
            seat.is_some() && seat == first.seat
        });
        match own {
            Some(own) if own.rank() >= first.rank() => None,
            // What its own client has begun, and is under way, is worth no less.
            Some(_) if is_own && !first.is_slow => None,
            _ => Some(first.key),
        }
    }

    fn weigh(&self, asker: BodyKey, bytes: usize) -> Vec<Weighed> {
        let asking = self.bodies.get(&asker).map(|body| &body.holder);
        let weigh = |(key, body): (&BodyKey, &Body)| {
            let (held, party) = self.shares.holding(&body.holder);
            let is_of = |same: bool| if same { bytes } else { 0 };
            let taken = body.taken + is_of(*key == asker);
            Weighed {
                key: *key,
                seat: body.seat,
                party: party + is_of(asking.is_some_and(|asking| asking.party() == body.holder.party())),
                held: held + is_of(asking == Some(&body.holder)),
                is_slow: (self.passed - body.begun) > PATIENCE.saturating_add(4 * taken as u64),
                taken,
            }
        };
        self.bodies.iter().map(weigh).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::Remote;
    use alloc::vec;

    const MIB: usize = 1 << 20;

    fn at(address: u8, connection: u64) -> Holder {
        let address = ([10, 0, 0, address], 1).into();
        Holder::new(None, Remote::new(Some(address), Some(connection)))
    }

    fn bodies(most: usize) -> Bodies {
        Bodies::of_requests(&Limits::default().with_reading_bytes(most))
    }

    fn lost(bodies: &mut Bodies) -> Vec<BodyKey> {
        core::iter::from_fn(|| bodies.poll_lost()).collect()
    }

    #[test]
    fn unfinished_large_bodies_lock_nobody_out() {
        let mut bodies = bodies(256 * MIB);
        let stalled: Vec<BodyKey> = (0..16).map(|number| bodies.begin(at(1, number))).collect();
        for _ in 0..16 {
            for key in &stalled {
                bodies.take(*key, MIB).unwrap();
            }
        }
        assert_eq!(bodies.bytes(), 256 * MIB);
        for holder in [at(2, 99), at(1, 99)] {
            let good = bodies.begin(holder);
            for _ in 0..16 {
                assert_eq!(bodies.take(good, MIB), Ok(()));
            }
            let lost = lost(&mut bodies);
            assert!(
                lost.len() <= 1 && lost.iter().all(|key| stalled.contains(key)),
                "{lost:?}"
            );
            assert!(lost.iter().all(|key| bodies.take(*key, 1) == Err(Refusal::Overloaded)));
            bodies.finish(good);
        }
    }

    #[test]
    fn what_trickles_is_lost_before_what_comes_in_time() {
        let mut bodies = bodies(4 * MIB);
        let slow = bodies.begin(at(1, 1));
        bodies.take(slow, MIB).unwrap();
        for number in 0..9 {
            let other = bodies.begin(at(2, number));
            bodies.take(other, MIB).unwrap();
            bodies.finish(other);
            bodies.take(slow, 1).unwrap();
        }
        let fast = bodies.begin(at(2, 99));
        bodies.take(fast, 2 * MIB).unwrap();
        // It would hold three times as much: the slow one is small beside it, and not lost for it.
        assert_eq!(bodies.take(fast, MIB), Err(Refusal::Overloaded));
        bodies.finish(fast);
        bodies.take(slow, MIB).unwrap();
        let fast = bodies.begin(at(2, 100));
        bodies.take(fast, 2 * MIB - 16).unwrap();
        assert_eq!((bodies.take(fast, 16), lost(&mut bodies)), (Ok(()), vec![slow]));
    }

    #[test]
    fn of_responses_the_slowest_reader_loses() {
        let limits = Limits::default().with_unread_bytes(100 * MIB);
        let mut bodies = Bodies::of_responses(&limits);
        let keys: Vec<BodyKey> = (0..6).map(|number| bodies.begin(at(1, number))).collect();
        for key in &keys {
            bodies.take(*key, 15 * MIB).unwrap();
        }
        // All but one take something.
        for key in keys.iter().filter(|key| **key != keys[3]) {
            bodies.give_back(*key, MIB);
        }
        assert_eq!(bodies.bytes(), 85 * MIB);
        let filler = bodies.begin(at(2, 1));
        for _ in 0..30 {
            bodies.take(filler, 2 * MIB).unwrap();
            bodies.give_back(filler, 2 * MIB);
            for key in keys.iter().filter(|key| **key != keys[3]) {
                bodies.give_back(*key, 1);
            }
        }
        let next = bodies.begin(at(1, 9));
        assert_eq!(bodies.take(next, 16 * MIB), Ok(()));
        assert_eq!(lost(&mut bodies), [keys[3]]);
        keys.iter().chain([&filler, &next]).for_each(|key| bodies.finish(*key));
        assert_eq!(bodies.bytes(), 0);
    }

    #[test]
    fn one_client_that_fills_it_is_refused_and_loses_nothing_under_way() {
        let mut bodies = bodies(100);
        let first = bodies.begin(at(1, 1));
        bodies.take(first, 80).unwrap();
        let second = bodies.begin(at(1, 1));
        assert_eq!(bodies.take(second, 21), Err(Refusal::Overloaded));
        assert_eq!(bodies.take(second, 20), Ok(()));
        assert!(lost(&mut bodies).is_empty());
        bodies.finish(first);
        assert_eq!(bodies.bytes(), 20);
        bodies.finish(second);
        assert_eq!((bodies.bytes(), bodies.is_lost(second)), (0, true));
    }

    #[test]
    fn it_is_short_with_more_than_half_of_the_room_taken() {
        let mut bodies = bodies(100);
        let key = bodies.begin(at(1, 1));
        for (bytes, is_short) in [(49, false), (1, false), (1, true)] {
            bodies.take(key, bytes).unwrap();
            assert_eq!(bodies.is_short(), is_short, "{}", bodies.bytes());
        }
    }

    #[test]
    fn what_is_given_back_twice_is_not_that_of_another_body() {
        let mut bodies = bodies(100);
        let [first, second] = [(); 2].map(|()| bodies.begin(at(1, 1)));
        bodies.take(first, 10).unwrap();
        bodies.take(second, 10).unwrap();
        bodies.give_back(first, 10);
        bodies.give_back(first, 10);
        assert_eq!(bodies.bytes(), 10);
        bodies.finish(first);
        assert_eq!(bodies.bytes(), 10);
    }

    /// Takes of the holders in turn, each with one body; what became of the last piece, and which holders lost one.
    fn taken(most: usize, pieces: &[(Holder, usize)]) -> (Result<(), Refusal>, Vec<Holder>) {
        let mut bodies = bodies(most);
        let mut keys: Vec<(Holder, BodyKey)> = Vec::new();
        let mut outcome = Ok(());
        for (holder, bytes) in pieces {
            let key = match keys.iter().find(|(other, _)| other == holder) {
                Some((_, key)) => *key,
                None => bodies.begin(holder.clone()),
            };
            keys.push((holder.clone(), key));
            outcome = bodies.take(key, *bytes);
        }
        let holder = |key| {
            keys.iter()
                .find(|(_, other)| *other == key)
                .map(|(holder, _)| holder.clone())
        };
        let lost = core::iter::from_fn(|| bodies.poll_lost()).filter_map(holder).collect();
        (outcome, lost)
    }

    #[test]
    fn the_largest_party_loses_and_of_its_connections_the_largest() {
        let refused = Err(Refusal::Overloaded);
        for (name, most, pieces, expected) in [
            (
                "who holds most loses for one that has begun as well",
                100,
                vec![(at(1, 1), 55), (at(2, 1), 40), (at(2, 1), 10)],
                (Ok(()), vec![at(1, 1)]),
            ),
            (
                "who would hold most with its first piece is refused",
                100,
                vec![(at(1, 1), 40), (at(2, 1), 70)],
                (refused.clone(), vec![]),
            ),
            (
                "the new piece counts for who asks and for nobody else",
                90,
                vec![(at(1, 1), 45), (at(2, 1), 20), (at(2, 1), 30)],
                (refused.clone(), vec![]),
            ),
            (
                "a slow one of a small party is not lost for a large party",
                14 * MIB,
                vec![
                    (at(2, 1), 2 * MIB),
                    (at(1, 1), 3 * MIB),
                    (at(1, 2), 3 * MIB),
                    (at(1, 3), 3 * MIB),
                    (at(1, 4), 3 * MIB),
                    (at(1, 4), MIB),
                ],
                (refused.clone(), vec![]),
            ),
            (
                "a slow and small connection is not lost for a large one of its party",
                9 * MIB,
                vec![(at(1, 2), MIB), (at(1, 1), 8 * MIB), (at(1, 1), MIB)],
                (refused, vec![]),
            ),
            (
                "a body that gets more than a fifth of what comes is not slow",
                11 * MIB,
                vec![
                    (at(2, 1), 3 * MIB),
                    (at(1, 1), 3 * MIB),
                    (at(1, 1), MIB),
                    (at(1, 1), 5 * MIB),
                ],
                (Err(Refusal::Overloaded), vec![]),
            ),
        ] {
            assert_eq!(taken(most, &pieces), expected, "{name}");
        }
    }
}
