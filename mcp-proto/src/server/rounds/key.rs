//! Keys that state is sealed with.

use core::fmt;

/// A key that the state of multi round-trip requests is sealed with: 32 bytes of a cryptographically secure source, the
/// same on every node that serves the same clients. Not shown by `Debug`.
///
/// ```
/// use mcp_proto::server::StateKey;
///
/// assert_eq!(format!("{:?}", StateKey::new([7; 32])), "StateKey(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StateKey([u8; 32]);

impl StateKey {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey(..)")
    }
}
