//! Who a session is, and whose.

use alloc::sync::Arc;
use core::fmt;

use http::HeaderValue;

/// The name of a legacy session: 32 visible characters with 192 random bits
/// (2025-11-25, Transports, Session Management, 1).
///
/// Knowing it is being its client: it is not shown by `Debug`, and there is no `Display`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 32]);

// 64 of them, so that six random bits choose one, and none is likelier than another.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl SessionId {
    /// A new id from bytes of a cryptographically secure source, six bits of each.
    pub fn from_random(random: [u8; 32]) -> Self {
        // The mask keeps it below 64; `get` leaves no path to a panic, and the default is never used.
        Self(random.map(|byte| ALPHABET.get(usize::from(byte & 63)).copied().unwrap_or(b'A')))
    }

    /// The id that a client sent. `None` where it cannot be one of ours.
    pub fn from_header(value: &HeaderValue) -> Option<Self> {
        // Any 32 bytes will do: which are ours the table knows, and answers 404 for all others alike.
        value.as_bytes().try_into().ok().map(Self)
    }

    /// The value of the header.
    pub fn to_header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_bytes(&self.0).unwrap_or(HeaderValue::from_static(""));
        // HTTP/2 then keeps it out of its compression table, and `Debug` of the headers does not show it.
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// On whose behalf a request is made, as whoever authenticated it knows: opaque bytes that are only compared.
///
/// An authentication layer puts one into the extensions of a request. A session belongs to the principal that
/// made it; with any other, or none, it does not exist. Not shown by `Debug`, since it may be a token.
///
/// ```
/// use mcp_proto::http::server::Principal;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Principal::new("user 7"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal(Arc<[u8]>);

impl Principal {
    /// The principal named by these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(Arc::from(bytes.as_ref()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Principal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn ids_are_visible_and_do_not_show() {
        for random in [
            [0; 32],
            [255; 32],
            core::array::from_fn(|at| (at as u8).wrapping_mul(9)),
        ] {
            let id = SessionId::from_random(random);
            let value = id.to_header();
            assert!(value.as_bytes().iter().all(|byte| (0x21..=0x7e).contains(byte)));
            assert_eq!(SessionId::from_header(&value), Some(id));
            assert_eq!(format!("{id:?} {value:?}"), "SessionId(..) Sensitive");
        }
        assert_eq!(SessionId::from_header(&HeaderValue::from_static("short")), None);
        assert_eq!(format!("{:?}", Principal::new("secret")), "Principal(..)");
    }
}
