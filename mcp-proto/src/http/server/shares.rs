//! Who holds how much of something that all share.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::holder::{Holder, Party};

/// Who holds how much of something that all share, and who holds most.
///
/// Fairness has two floors: of all parties (a principal, an address) the one that holds most, and of its connections the
/// one that holds most. So many connections from one address weigh no more than one, and one client behind a proxy no
/// more than another.
///
/// | so far | [`take`](Self::take) | [`give_back`](Self::give_back) | why |
/// |---|---|---|---|
/// | nobody | holds it, in a seat | no effect | |
/// | a holder | holds more, in the same seat | holds less; with the last it is forgotten, and its seat is free | the names of all who ever came would pile up |
///
/// Each change is logarithmic in the number of holders, and so is [`largest`](Self::largest).
#[derive(Debug, Default)]
pub(super) struct Shares {
    total: usize,
    places: BTreeMap<Holder, Seat>,
    seats: Vec<Option<Held>>,
    vacant: Vec<Seat>,
    parties: BTreeMap<Party, usize>,
    largest_parties: BTreeSet<(usize, Party)>,
    largest_holders: BTreeSet<(Party, usize, Seat)>,
}

#[derive(Debug)]
struct Held {
    holder: Holder,
    amount: usize,
}

/// Where a holder sits, while it holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat(usize);

impl Shares {
    /// Nobody holds anything.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// How much all hold together.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// How much a holder holds.
    pub(super) fn held(&self, seat: Seat) -> usize {
        self.seat(seat).map_or(0, |held| held.amount)
    }

    /// How much this holder holds, and how much its party.
    pub(super) fn holding(&self, holder: &Holder) -> (usize, usize) {
        let held = self.find(holder).map_or(0, |seat| self.held(seat));
        (held, self.parties.get(holder.party()).copied().unwrap_or(0))
    }

    /// The seat of a holder that holds something.
    pub(super) fn find(&self, holder: &Holder) -> Option<Seat> {
        self.places.get(holder).copied()
    }

    /// Somebody holds more.
    pub(super) fn take(&mut self, holder: &Holder, amount: usize) -> Seat {
        let seat = match self.places.get(holder) {
            Some(seat) => *seat,
            None => self.sit_down(holder),
        };
        self.change(seat, |held| held.saturating_add(amount));
        self.total = self.total.saturating_add(amount);
        seat
    }

    /// Somebody holds less.
    pub(super) fn give_back(&mut self, seat: Seat, amount: usize) {
        let amount = amount.min(self.held(seat));
        self.change(seat, |held| held - amount);
        self.total -= amount;
    }

    /// Of the party that holds most, the holder that holds most.
    pub(super) fn largest(&self) -> Option<Seat> {
        self.most().next()
    }

    /// The same, and all of that party that hold as much.
    pub(super) fn most(&self) -> impl Iterator<Item = Seat> {
        let party = self.largest_parties.last().map(|(_, party)| party);
        let holders = party.map(|party| {
            let all = (party.clone(), 0, Seat(0))..=(party.clone(), usize::MAX, Seat(usize::MAX));
            self.largest_holders.range(all).rev()
        });
        let mut holders = holders.into_iter().flatten().peekable();
        let most = holders.peek().map(|(_, amount, _)| *amount);
        holders
            .take_while(move |(_, amount, _)| Some(*amount) == most)
            .map(|(_, _, seat)| *seat)
    }

    /// Whether the holder that sits there has more than `other` would have with `more`: of all parties, or within their
    /// own.
    pub(super) fn exceeds(&self, seat: Seat, other: &Holder, more: usize) -> bool {
        self.seat(seat).is_some_and(|it| {
            let (its, others) = (self.holding(&it.holder), self.holding(other));
            match it.holder.party() == other.party() {
                true => its.0 > others.0.saturating_add(more),
                false => its.1 > others.1.saturating_add(more),
            }
        })
    }

    fn seat(&self, seat: Seat) -> Option<&Held> {
        self.seats.get(seat.0)?.as_ref()
    }

    fn sit_down(&mut self, holder: &Holder) -> Seat {
        let seat = self.vacant.pop().unwrap_or(Seat(self.seats.len()));
        let held = Held {
            holder: holder.clone(),
            amount: 0,
        };
        match self.seats.get_mut(seat.0) {
            Some(place) => *place = Some(held),
            None => self.seats.push(Some(held)),
        }
        self.places.insert(holder.clone(), seat);
        seat
    }

    fn change(&mut self, seat: Seat, to: impl FnOnce(usize) -> usize) {
        let Some(held) = self.seats.get_mut(seat.0).and_then(Option::as_mut) else {
            return;
        };
        let (before, party) = (held.amount, held.holder.party().clone());
        let after = to(before);
        held.amount = after;
        self.largest_holders.remove(&(party.clone(), before, seat));
        match after {
            0 => self.get_up(seat),
            _ => drop(self.largest_holders.insert((party.clone(), after, seat))),
        }
        let whole = self.parties.get(&party).copied().unwrap_or(0);
        self.largest_parties.remove(&(whole, party.clone()));
        match whole - before + after {
            0 => drop(self.parties.remove(&party)),
            whole => {
                self.parties.insert(party.clone(), whole);
                self.largest_parties.insert((whole, party));
            }
        }
    }

    fn get_up(&mut self, seat: Seat) {
        if let Some(held) = self.seats.get_mut(seat.0).and_then(Option::take) {
            self.places.remove(&held.holder);
            self.vacant.push(seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::{Principal, Remote};

    fn at(address: u8, connection: u64) -> Holder {
        let address = ([10, 0, 0, address], 1).into();
        Holder::new(None, Remote::new(Some(address), Some(connection)))
    }

    #[test]
    fn of_the_party_that_holds_most_the_connection_that_holds_most() {
        let mut shares = Shares::new();
        let alone = shares.take(&at(1, 1), 5);
        assert_eq!(shares.largest(), Some(alone));
        let [first, second] = [(2, 3), (3, 4)].map(|(connection, amount)| shares.take(&at(2, connection), amount));
        assert_eq!(shares.largest(), Some(second), "together they hold seven");
        assert!(shares.exceeds(second, &at(2, 9), 3) && !shares.exceeds(second, &at(2, 9), 4));
        assert!(shares.exceeds(first, &at(1, 9), 1) && !shares.exceeds(first, &at(1, 9), 2));
        let alice = shares.take(&Holder::new(Some(&Principal::new("alice")), Remote::UNKNOWN), 8);
        assert_eq!((shares.largest(), shares.total()), (Some(alice), 20));
        shares.give_back(alice, 9);
        assert_eq!((shares.largest(), shares.total()), (Some(second), 12));
    }

    #[test]
    fn nothing_is_left_of_who_holds_nothing() {
        let mut shares = Shares::new();
        for round in 0..3 {
            let seats: Vec<Seat> = (0..9)
                .map(|who| shares.take(&at(who % 3, round + u64::from(who)), 2))
                .collect();
            assert_eq!(shares.total(), 18);
            for seat in seats {
                shares.give_back(seat, 1);
                shares.give_back(seat, 1);
                shares.give_back(seat, 1);
            }
            assert!(shares.places.is_empty() && shares.parties.is_empty());
            assert!(shares.largest_holders.is_empty() && shares.largest_parties.is_empty());
            assert_eq!((shares.total(), shares.seats.len()), (0, 9));
        }
    }
}
