//! What is announced, while it waits until a client can be told.

use alloc::vec::Vec;

use super::announcement::Announcement;
use crate::limits::Limits;

/// Announcements that wait until they can be sent, each once: they only say that something has changed.
///
/// What there is no room for is dropped; the first one is always taken.
#[derive(Debug, Default)]
pub(crate) struct Announcements {
    waiting: Vec<Announcement>,
    bytes: usize,
}

/// What one costs beside its text.
const OVERHEAD: usize = 64;

/// Most bytes for one peer: of small notifications about as many as [`Limits::notifications`] allows.
const MOST_BYTES: usize = 64 << 10;

impl Announcements {
    pub(crate) fn push(&mut self, limits: &Limits, announcement: Announcement) {
        let bytes = self.bytes.saturating_add(bytes_of(&announcement));
        // The cheap bounds first: comparing with all that waits is the dearest.
        if self.waiting.len() < limits.notifications
            && (self.waiting.is_empty() || bytes <= limits.outbox_bytes.min(MOST_BYTES))
            && !self.waiting.contains(&announcement)
        {
            self.waiting.push(announcement);
            self.bytes = bytes;
        }
    }

    /// All of them, oldest first.
    pub(crate) fn take(&mut self) -> Vec<Announcement> {
        core::mem::take(self).waiting
    }

    #[cfg(feature = "http")]
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    #[cfg(feature = "http")]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn bytes_of(announcement: &Announcement) -> usize {
    let text = announcement.params.as_raw().map_or(0, |params| params.as_str().len());
    OVERHEAD
        .saturating_add(announcement.method.as_str().len())
        .saturating_add(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Params, RawJson};
    use crate::method::MethodName;
    use alloc::format;
    use alloc::string::String;

    fn pushed(limits: &Limits, all: &[(&str, String)]) -> usize {
        let mut announcements = Announcements::default();
        for (method, json) in all {
            let params = Params::from_raw(RawJson::parse(json.clone()).unwrap()).unwrap();
            let method = MethodName::from(*method);
            announcements.push(limits, Announcement { method, params });
        }
        announcements.take().len()
    }

    #[test]
    fn each_waits_once_within_both_bounds() {
        let limits = Limits {
            notifications: 10,
            ..Limits::default()
        };
        let named = |length: usize, number: usize| ("notifications/x", format!(r#"{{"a":"{number:length$}"}}"#));
        let many: Vec<_> = (0..20).map(|number| named(1, number % 5)).collect();
        assert_eq!(pushed(&limits, &many), 5);
        let many: Vec<_> = (0..20).map(|number| named(1, number)).collect();
        assert_eq!(pushed(&limits, &many), 10);
        let large: Vec<_> = (0..20).map(|number| named(20_000, number)).collect();
        assert_eq!(pushed(&limits, &large), 3);
        let limits = Limits {
            outbox_bytes: 25_000,
            ..limits
        };
        assert_eq!(pushed(&limits, &large), 1);
    }
}
