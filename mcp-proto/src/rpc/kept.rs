//! How much a machine keeps.

use core::ops::Add;

/// How much a machine keeps at present, in all of its tables and queues together.
///
/// It follows what is in progress, at every moment; where nothing is in progress and everything was polled, nothing is
/// kept. Whatever remains then would grow as long as the connection lasts: the simulations of this crate see to it that
/// there is none, and so can a test of a driver. What is known of the other side (its facts, headers of its tools, a
/// list of tools that is still good) is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// How many entries there are. One thing may have several: a call that waits is in the table of calls and in that of
    /// deadlines.
    pub entries: usize,
    /// About how many bytes of messages there are, whole or in part.
    pub bytes: usize,
}

impl Kept {
    pub(crate) fn new(entries: usize, bytes: usize) -> Self {
        Self { entries, bytes }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Add for Kept {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_or_a_byte_is_not_nothing() {
        assert!(Kept::default().is_empty());
        assert!(!Kept::new(1, 0).is_empty() && !Kept::new(0, 1).is_empty());
    }
}
