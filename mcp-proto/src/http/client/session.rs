//! The session id that a legacy server gave.

use core::fmt;

use http::HeaderValue;

/// A session id (2025-11-25, Transports, Session Management). It authorizes, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SessionId(HeaderValue);

impl SessionId {
    /// Takes the id from a header. `None` where it has other than visible ASCII characters, which it "MUST
    /// only contain" (1).
    pub(super) fn read(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let visible = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
        let mut value = value.clone();
        value.set_sensitive(true);
        visible.then_some(Self(value))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}
