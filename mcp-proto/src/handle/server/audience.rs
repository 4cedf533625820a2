//! Who hears what concerns everyone.

use crate::server::Announcement;

/// The clients behind one transport, who hear what concerns everyone.
pub(crate) trait Audience: Send + Sync {
    /// Passes on a notification, or drops it where a client cannot take it. Never waits.
    fn announce(&self, announcement: &Announcement);
}
