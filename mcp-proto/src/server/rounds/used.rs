//! The states that were used, in memory.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

use super::redeem::{Redeem, Redemption, StateId};
use crate::time::UnixTime;

/// Remembers which states were used, until they expire: the store of a server on one node.
///
/// It holds so many and no more. Nothing is forgotten before its time to make room, or it could be used again: who finds no
/// room is refused ([`Redemption::Unavailable`]). And one principal may hold no more than is free yet, so that whoever makes
/// most rounds is refused first, and others find room still. Those who have no name count as one.
///
/// ```
/// use std::time::Duration;
///
/// use mcp_proto::UnixTime;
/// use mcp_proto::server::{Redeem, Redemption, StateId, UsedStates};
///
/// let now = UnixTime::since_epoch(Duration::from_secs(1_800_000_000));
/// let redeem = Redeem::new(StateId::new([1; 16]), now + Duration::from_secs(60));
/// let mut used = UsedStates::new(1_000);
/// assert_eq!(used.redeem(&redeem, now), Redemption::Redeemed);
/// assert_eq!(used.redeem(&redeem, now), Redemption::UsedBefore);
/// ```
#[derive(Debug)]
pub struct UsedStates {
    most: usize,
    holders: BTreeMap<StateId, Holder>,
    by_end: BTreeSet<(UnixTime, StateId)>,
    /// How many each holds, those who hold any.
    held: BTreeMap<Holder, usize>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Holder(Option<Arc<[u8]>>);

/// A principal may be a secret.
impl core::fmt::Debug for Holder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Holder(..)")
    }
}

impl UsedStates {
    /// One that holds at most so many. Each takes some 150 bytes.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            holders: BTreeMap::new(),
            by_end: BTreeSet::new(),
            held: BTreeMap::new(),
        }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.holders.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }

    /// Redeems a state; those that have expired `now` are forgotten first.
    pub fn redeem(&mut self, redeem: &Redeem, now: UnixTime) -> Redemption {
        self.forget(now);
        // What is over is good for no use, and nobody would remember this one.
        if redeem.until <= now || self.holders.contains_key(&redeem.id) {
            return Redemption::UsedBefore;
        }
        let holder = Holder(redeem.principal.clone());
        let (holder, held) = match self.held.get_key_value(&holder) {
            // The bytes of a name are held once.
            Some((known, held)) => (known.clone(), *held),
            None => (holder, 0),
        };
        if held >= self.most.saturating_sub(self.len()) {
            return Redemption::Unavailable;
        }
        self.held.insert(holder.clone(), held + 1);
        self.holders.insert(redeem.id, holder);
        self.by_end.insert((redeem.until, redeem.id));
        Redemption::Redeemed
    }

    fn forget(&mut self, now: UnixTime) {
        while let Some((_, id)) = self.by_end.first().filter(|(end, _)| *end <= now).copied() {
            self.by_end.pop_first();
            let Some(holder) = self.holders.remove(&id) else {
                continue;
            };
            if let Some(held) = self.held.get_mut(&holder) {
                *held -= 1;
                if *held == 0 {
                    self.held.remove(&holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    const NOW: UnixTime = UnixTime::since_epoch(Duration::from_secs(1_000));

    fn redeem(id: u8, seconds: u64) -> Redeem {
        Redeem::new(StateId::new([id; 16]), NOW + Duration::from_secs(seconds))
    }

    #[test]
    fn a_state_is_redeemed_once_until_it_is_over() {
        let mut used = UsedStates::new(10);
        assert_eq!(used.redeem(&redeem(1, 5), NOW), Redemption::Redeemed);
        assert_eq!(used.redeem(&redeem(2, 9), NOW), Redemption::Redeemed);
        for seconds in [0, 4, 5, 6] {
            let now = NOW + Duration::from_secs(seconds);
            assert_eq!(used.redeem(&redeem(1, 5), now), Redemption::UsedBefore, "{seconds}");
        }
        assert_eq!(used.len(), 1, "what is over takes no room");
        used.forget(NOW + Duration::from_secs(9));
        assert!(used.is_empty() && used.held.is_empty() && used.by_end.is_empty());
    }

    #[test]
    fn who_holds_most_is_refused_and_others_find_room() {
        let mut used = UsedStates::new(8);
        let of = |name: &[u8], id| redeem(id, 5).with_principal(name);
        for id in 0..4 {
            assert_eq!(used.redeem(&of(b"greedy", id), NOW), Redemption::Redeemed, "{id}");
        }
        assert_eq!(used.redeem(&of(b"greedy", 4), NOW), Redemption::Unavailable);
        assert_eq!(used.redeem(&of(b"other", 4), NOW), Redemption::Redeemed);
        assert_eq!(
            used.redeem(&redeem(5, 5), NOW),
            Redemption::Redeemed,
            "nobody is another one"
        );
        assert_eq!(
            used.redeem(&of(b"greedy", 0), NOW),
            Redemption::UsedBefore,
            "nothing was forgotten"
        );
        let later = NOW + Duration::from_secs(5);
        let again = Redeem::new(StateId::new([9; 16]), later + Duration::from_secs(1)).with_principal(&b"greedy"[..]);
        assert_eq!(used.redeem(&again, later), Redemption::Redeemed);
        assert_eq!(UsedStates::new(0).redeem(&redeem(1, 5), NOW), Redemption::Unavailable);
    }

    #[test]
    fn no_name_is_shown() {
        let mut used = UsedStates::new(8);
        let redeem = redeem(1, 5).with_principal(&b"secret"[..]);
        used.redeem(&redeem, NOW);
        let secret = alloc::format!("{:?}", &b"secret"[..]);
        assert!(!alloc::format!("{used:?} {redeem:?}").contains(&secret));
    }
}
