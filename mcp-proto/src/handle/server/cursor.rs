//! Where a page of a list starts.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// What a cursor of ours begins with, as a cursor of a handler does not.
const MARK: &[u8] = b"mcp\x01";

/// The entry after which a page starts: its name, and its number where the entry is gone by then.
///
/// Neither is an index, which would skip or repeat entries when the list changes between two pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) number: u64,
    pub(super) name: String,
}

impl Cursor {
    /// As it is given to clients, for whom it is opaque (Pagination: clients MUST NOT make assumptions).
    pub(super) fn encode(&self, list: &str) -> String {
        let mut bytes = Vec::from(MARK);
        bytes.extend_from_slice(list.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list; `None` where it is none.
    pub(super) fn decode(list: &str, text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let rest = bytes.strip_prefix(MARK)?.strip_prefix(list.as_bytes())?;
        let (number, name) = rest.strip_prefix(b"\0")?.split_first_chunk::<8>()?;
        Some(Self {
            number: u64::from_be_bytes(*number),
            name: String::from_utf8(name.to_vec()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_by_its_own_list() {
        let cursor = Cursor {
            number: 7,
            name: "häuser".into(),
        };
        let text = cursor.encode("tools");
        assert_eq!(Cursor::decode("tools", &text), Some(cursor));
        assert_eq!(Cursor::decode("prompts", &text), None);
        for text in ["", "x", "bWNwAQ", &text[1..], "\u{0}"] {
            assert_eq!(Cursor::decode("tools", text), None, "{text}");
        }
    }
}
