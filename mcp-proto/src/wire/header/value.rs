//! Any text as a header value, and back (2026-07-28, basic/transports/streamable-http, "Value Encoding").

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use base64::Engine;
// It accepts nothing but what it writes: no foreign characters, no missing or superfluous padding, no bits set in it.
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Why a header value cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderValueError {
    /// It contains something else than visible ASCII characters, spaces and tabs.
    InvalidCharacter,
    /// It is marked as Base64 and is not: foreign characters, wrong padding, or not the canonical form.
    InvalidBase64,
    /// It is Base64 of something that is not UTF-8.
    InvalidUtf8,
}

impl fmt::Display for HeaderValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidCharacter => "invalid character",
            Self::InvalidBase64 => "invalid Base64",
            Self::InvalidUtf8 => "not UTF-8",
        })
    }
}

impl core::error::Error for HeaderValueError {}

/// The header value that stands for `text`; [`decode_value`] gives exactly `text` back.
///
/// The value consists of the bytes 0x20 to 0x7E without blanks at the edges, whatever the text, so it cannot end its
/// header early. Plain texts come back as they are; others, and those that look encoded already, as
/// `=?base64?…?=`. A tab is encoded too: it would be allowed inside a value, but not everything on the way keeps it.
///
/// ```
/// use mcp_proto::wire::header::encode_value;
///
/// assert_eq!(encode_value("us-west1"), "us-west1");
/// assert_eq!(encode_value("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
/// ```
#[must_use]
pub fn encode_value(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let blank_edge = text.starts_with(' ') || text.ends_with(' ');
    // The pattern as the specification words it, where the prefix and the suffix may share their question mark.
    let looks_encoded = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    if plain && !blank_edge && !looks_encoded {
        return Cow::Borrowed(text);
    }
    let mut value = String::with_capacity(PREFIX.len() + text.len().div_ceil(3) * 4 + SUFFIX.len());
    value.push_str(PREFIX);
    STANDARD.encode_string(text, &mut value);
    value.push_str(SUFFIX);
    Cow::Owned(value)
}

/// The text that a header value stands for. Blanks around the value are no part of it (RFC 9110, 5.5).
///
/// A value without both markers, in exactly their spelling, is literal.
///
/// # Errors
///
/// See [`HeaderValueError`]; a server rejects the request then.
pub fn decode_value(value: &[u8]) -> Result<Cow<'_, str>, HeaderValueError> {
    let value = trim(value);
    // Here the two share nothing: `=?base64?=` alone is literal.
    let inner = value
        .strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    if let Some(inner) = inner {
        let bytes = STANDARD.decode(inner).map_err(|_| HeaderValueError::InvalidBase64)?;
        return String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|_| HeaderValueError::InvalidUtf8);
    }
    decode_literal(value).map(Cow::Borrowed)
}

/// Whether a header value stands for `text` at first sight, as nearly every right one does: visible ASCII that is the
/// text itself. Where not, it is to be decoded.
pub(super) fn is_plainly(value: &[u8], text: &str) -> bool {
    // What begins like this may be encoded.
    value == text.as_bytes() && value.iter().all(|byte| matches!(byte, b'!'..=b'~')) && value.first() != Some(&b'=')
}

/// The text of a header value that is never encoded.
pub(super) fn decode_literal(value: &[u8]) -> Result<&str, HeaderValueError> {
    let value = trim(value);
    if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return Err(HeaderValueError::InvalidCharacter);
    }
    core::str::from_utf8(value).map_err(|_| HeaderValueError::InvalidCharacter)
}

/// Without the optional white space around it.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn vectors_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(STANDARD.encode(plain), encoded);
            assert_eq!(STANDARD.decode(encoded).as_deref(), Ok(plain.as_bytes()));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(STANDARD.decode(STANDARD.encode(&all)), Ok(all));
    }

    #[test]
    fn only_the_canonical_text_is_accepted() {
        for bad in [
            "Z", "Zg", "Zg=", "Zg===", "Zm9vZg", "=", "==", "====", "A===", "=AAA", "Zg==Zg==", "Zm=v", "Zh==", "Zm9=",
            "Zm8 ", "Zm\n8", "Zm8-", "Zm8_", "Zm8=\n", "Z!==",
        ] {
            let value = format!("{PREFIX}{bad}{SUFFIX}");
            assert_eq!(
                decode_value(value.as_bytes()),
                Err(HeaderValueError::InvalidBase64),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn examples_of_the_specification() {
        for (text, value) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("", ""),
            ("inner blank", "inner blank"),
            ("a\tb", "=?base64?YQli?="),
            ("a\x7F", "=?base64?YX8=?="),
            ("=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="),
            ("=?base64?open", "=?base64?open"),
            ("=?BASE64?eA==?=", "=?BASE64?eA==?="),
        ] {
            assert_eq!(encode_value(text), value, "{text:?}");
            assert_eq!(decode_value(value.as_bytes()).unwrap(), text, "{value:?}");
        }
    }

    #[test]
    fn values_of_others() {
        for (value, text) in [
            ("  us-west1\t ", "us-west1"),
            (" \t ", ""),
            ("a\tb", "a\tb"),
            (" =?base64?SGVsbG8=?= ", "Hello"),
            ("=?base64??=", ""),
            ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
            ("=?base64?=", "=?base64?="),
            ("SGVsbG8=?=", "SGVsbG8=?="),
            ("x=?base64?SGVsbG8=?=", "x=?base64?SGVsbG8=?="),
            ("=?Base64?SGVsbG8=?=", "=?Base64?SGVsbG8=?="),
        ] {
            assert_eq!(decode_value(value.as_bytes()).unwrap(), text, "{value:?}");
        }
    }

    #[test]
    fn invalid_values() {
        use HeaderValueError::{InvalidBase64, InvalidCharacter, InvalidUtf8};
        for (value, error) in [
            (&b"=?base64?SGVsbG8?="[..], InvalidBase64),
            (b"=?base64?SGVs!!!bG8=?=", InvalidBase64),
            (b"=?base64? SGVsbG8=?=", InvalidBase64),
            (b"=?base64?Zh==?=", InvalidBase64),
            (b"=?base64?\xFF?=", InvalidBase64),
            (b"=?base64?/w==?=", InvalidUtf8),
            (b"a\nb", InvalidCharacter),
            (b"a\r", InvalidCharacter),
            (b"\0", InvalidCharacter),
            (b"\x7F", InvalidCharacter),
            ("ä".as_bytes(), InvalidCharacter),
            (b"\xFF", InvalidCharacter),
        ] {
            assert_eq!(decode_value(value), Err(error), "{value:?}");
        }
    }

    proptest! {
        #![proptest_config(crate::wire::cuts::repeatable())]

        #[test]
        fn every_text_survives_in_a_safe_value(text in any::<String>(), inner in "[ -~]{0,8}") {
            for text in [text, inner.clone(), format!("{PREFIX}{inner}{SUFFIX}"), format!(" {inner}"), format!("{inner}\t")] {
                let value = encode_value(&text);
                prop_assert!(value.bytes().all(|byte| (0x20..=0x7E).contains(&byte)));
                prop_assert_eq!(value.trim(), &*value);
                prop_assert_eq!(&decode_value(value.as_bytes()).unwrap(), &text);
            }
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in any::<alloc::vec::Vec<u8>>()) {
            if let Ok(text) = decode_value(&bytes) {
                let value = encode_value(&text);
                prop_assert_eq!(&decode_value(value.as_bytes()).unwrap(), &text);
            }
        }
    }
}
