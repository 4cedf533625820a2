//! The names of calls.

use core::fmt;

use crate::jsonrpc::Id;

/// A call of ours, scoped to its connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

impl CallId {
    /// The JSON-RPC id of the call, which is its progress token as well.
    pub(crate) fn to_id(self) -> Id {
        // Out of reach: no connection makes so many calls that two would share the last id.
        Id::from(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// Its serial number.
    #[cfg(any(feature = "http", feature = "handle"))]
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The call that could have this id.
    pub(super) fn of(id: &Id) -> Option<Self> {
        id.as_integer().and_then(|value| u64::try_from(value).ok()).map(Self)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}", self.0)
    }
}
