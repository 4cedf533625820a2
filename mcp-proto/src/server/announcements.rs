//! What a server tells all its clients, and what of it waits until a client can be told.

use alloc::vec::Vec;

use super::ServerConfig;
use crate::jsonrpc::Params;
use crate::limits::Limits;
use crate::method::{Kind, Method, MethodName, Side};
use crate::revision::Revision;
use crate::rpc::SendError;

/// A notification for everyone whom it concerns: a list that has changed, a resource that was updated. Made once, and
/// handed to each session and subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub(crate) method: MethodName,
    pub(crate) params: Params,
}

impl Announcement {
    /// An announcement of a server.
    ///
    /// # Errors
    /// [`SendError::OutOfEra`] where the method is not a notification of servers, [`SendError::Reserved`] where it is
    /// about one request or the protocol itself, [`SendError::NotSupported`] where its capability was not declared.
    pub fn new(config: &ServerConfig, method: impl Into<MethodName>, params: Params) -> Result<Self, SendError> {
        let method = method.into();
        // The application's own: what it means to which revision only the application knows.
        let Some(known) = method.known() else {
            return Ok(Self { method, params });
        };
        let is_ours = |revision: &Revision| known.is_sent_by(Side::Server, *revision);
        if known.kind() != Kind::Notification || !Revision::ALL.iter().any(is_ours) {
            let revision = Revision::LATEST;
            return Err(SendError::OutOfEra { method, revision });
        }
        if is_reserved(known) {
            return Err(SendError::Reserved { method });
        }
        match config.allows(known) {
            true => Ok(Self { method, params }),
            false => Err(SendError::NotSupported { method }),
        }
    }

    /// What has happened.
    pub fn method(&self) -> &MethodName {
        &self.method
    }

    /// With what.
    pub fn params(&self) -> &Params {
        &self.params
    }

    fn bytes(&self) -> usize {
        let text = self.params.as_raw().map_or(0, |params| params.as_str().len());
        OVERHEAD.saturating_add(self.method.as_str().len()).saturating_add(text)
    }
}

/// Whether a notification of servers is about a request or the protocol itself, so that nobody else is to send it.
pub(crate) fn is_reserved(method: Method) -> bool {
    matches!(
        method,
        Method::ProgressNotification | Method::CancelledNotification | Method::SubscriptionsAcknowledgedNotification
    )
}

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
        let bytes = self.bytes.saturating_add(announcement.bytes());
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
