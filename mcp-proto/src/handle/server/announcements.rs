//! Notifications that wait until they can be sent.

use alloc::vec::Vec;

use crate::jsonrpc::Params;
use crate::limits::Limits;
use crate::method::MethodName;

/// Notifications that wait until they can be sent, each once: they only say that something has changed.
///
/// What there is no room for is dropped; the first one is always taken.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    waiting: Vec<(MethodName, Params)>,
    bytes: usize,
}

/// What one costs beside its text.
const OVERHEAD: usize = 64;

/// Most bytes for one peer: of small notifications about as many as [`Limits::notifications`] allows.
const MOST_BYTES: usize = 64 << 10;

impl Announcements {
    pub(super) fn push(&mut self, limits: &Limits, method: &MethodName, params: Params) {
        let text = params.as_raw().map_or(0, |params| params.as_str().len());
        let bytes = OVERHEAD
            .saturating_add(method.as_str().len())
            .saturating_add(text)
            .saturating_add(self.bytes);
        let announcement = (method.clone(), params);
        if self.waiting.len() < limits.notifications
            && (self.waiting.is_empty() || bytes <= limits.outbox_bytes.min(MOST_BYTES))
            && !self.waiting.contains(&announcement)
        {
            self.waiting.push(announcement);
            self.bytes = bytes;
        }
    }

    /// All of them, oldest first.
    pub(super) fn take(&mut self) -> Vec<(MethodName, Params)> {
        core::mem::take(self).waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::RawJson;
    use alloc::format;
    use alloc::string::String;

    fn pushed(limits: &Limits, all: &[(&str, String)]) -> usize {
        let mut announcements = Announcements::default();
        for (method, json) in all {
            let params = Params::from_raw(RawJson::parse(json.clone()).unwrap()).unwrap();
            announcements.push(limits, &MethodName::from(*method), params);
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
