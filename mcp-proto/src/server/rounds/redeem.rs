//! State that is good for one use.

use alloc::sync::Arc;
use core::fmt;

use crate::time::UnixTime;

/// What tells a `requestState` from every other: the tag of its seal. It opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId([u8; 16]);

impl StateId {
    /// The id of these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

/// What a server asks of a store: to redeem a state that has come back to it, where it is good for one use.
///
/// The state was opened, and belongs to the request that it came with.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redeem {
    /// The state.
    pub id: StateId,
    /// How long a store has to remember it: from then on it is refused as expired, whether it was used or not.
    pub until: UnixTime,
    /// Who has carried it, where that is known: for a store that gives each a share. Not shown by `Debug`.
    pub principal: Option<Arc<[u8]>>,
}

impl Redeem {
    /// To redeem this state, for nobody in particular.
    pub const fn new(id: StateId, until: UnixTime) -> Self {
        let principal = None;
        Self { id, until, principal }
    }

    /// The same, carried by this principal.
    #[must_use]
    pub fn with_principal(mut self, principal: impl Into<Arc<[u8]>>) -> Self {
        self.principal = Some(principal.into());
        self
    }
}

impl fmt::Debug for Redeem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Redeem");
        debug.field("id", &self.id).field("until", &self.until);
        debug.finish_non_exhaustive()
    }
}

/// What a store says to [`Redeem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redemption {
    /// It is redeemed now, for the first time: of all who ask, one hears this.
    Redeemed,
    /// It was redeemed before.
    UsedBefore,
    /// It is not known: the store has no room, or cannot be reached. The request is refused, and may be made again.
    Unavailable,
}
