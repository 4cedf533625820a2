//! The session of a legacy server.

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
        // Then no `Debug` of headers shows it, and no HTTP/2 table of headers keeps it.
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

/// The session that a client is in, if any. Each has a number, from the first: what names an earlier one is over.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: Option<SessionId>,
    number: u64,
}

impl Session {
    pub(super) fn id(&self) -> Option<&SessionId> {
        self.id.as_ref()
    }

    /// The number of the present one.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next one begins, without the id of the one before (2025-11-25, Session Management, 4).
    pub(super) fn next(&mut self) -> Option<SessionId> {
        // Also where there was none: what still comes for requests of before is not of this one.
        self.number += 1;
        self.id.take()
    }

    /// The server gives its id, or has none.
    pub(super) fn begun(&mut self, id: Option<SessionId>) {
        self.id = id;
    }

    /// It is not named any more.
    pub(super) fn take(&mut self) -> Option<SessionId> {
        self.id.take()
    }

    /// Whether it is the present one that has this number.
    pub(super) fn is_present(&self, number: Option<u64>) -> bool {
        number == Some(self.number) && self.id.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_visible_characters_only() {
        for (text, is_id) in [("a-1~", true), ("", false), ("a b", false), ("\t", false)] {
            let value = HeaderValue::from_str(text).unwrap();
            assert_eq!(SessionId::read(&value).is_some(), is_id, "{text:?}");
        }
    }

    #[test]
    fn what_names_an_earlier_session_is_over() {
        let mut session = Session::default();
        assert_eq!(session.next(), None);
        let id = SessionId::read(&HeaderValue::from_static("a"));
        session.begun(id.clone());
        assert!(session.is_present(Some(1)) && !session.is_present(None));
        assert_eq!(session.next(), id);
        assert!(!session.is_present(Some(1)) && !session.is_present(Some(2)));
    }
}
