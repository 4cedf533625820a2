//! Headers that contradict the body.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use super::HeaderValueError;

/// Most characters of a value that are kept for the message.
const SHOWN: usize = 64;

/// Why the headers of a request do not fit its body.
///
/// A server answers with HTTP status 400 and JSON-RPC error -32020, `HeaderMismatch` (2026-07-28,
/// basic/transports/streamable-http, "Server Validation"). The `Display` text is meant for the error's message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderMismatch {
    /// The body has a value that the header must mirror, and there is no header.
    Missing {
        /// The name of the header.
        header: Cow<'static, str>,
    },
    /// There is a header, and the body has nothing that it could mirror.
    Unexpected {
        /// The name of the header.
        header: Cow<'static, str>,
    },
    /// The header occurs more than once, so that two readers might see two values.
    Duplicate {
        /// The name of the header.
        header: Cow<'static, str>,
    },
    /// The value of the header cannot be read.
    Invalid {
        /// The name of the header.
        header: Cow<'static, str>,
        /// What is wrong with it.
        reason: HeaderValueError,
    },
    /// Header and body say different things.
    Different {
        /// The name of the header.
        header: Cow<'static, str>,
        /// What the header says, decoded and shortened.
        value: String,
        /// What the body says, shortened.
        body: String,
    },
    /// The arguments in the body are no JSON text, or nested too deep, so that they cannot be compared.
    Arguments,
}

impl HeaderMismatch {
    pub(super) fn different(header: Cow<'static, str>, value: &str, body: &str) -> Self {
        Self::Different {
            header,
            value: shorten(value),
            body: shorten(body),
        }
    }
}

/// The beginning of a value, without control characters.
fn shorten(value: &str) -> String {
    let visible = |char: char| {
        if char.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            char
        }
    };
    let mut shown: String = value.chars().take(SHOWN).map(visible).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl fmt::Display for HeaderMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Header mismatch: ")?;
        match self {
            Self::Missing { header } => write!(f, "{header} header is missing"),
            Self::Unexpected { header } => write!(f, "{header} header has no counterpart in the body"),
            Self::Duplicate { header } => write!(f, "{header} header occurs more than once"),
            Self::Invalid { header, reason } => write!(f, "{header} header value is malformed: {reason}"),
            Self::Different { header, value, body } => {
                write!(f, "{header} header value '{value}' does not match body value '{body}'")
            }
            Self::Arguments => f.write_str("the arguments cannot be compared with the headers"),
        }
    }
}

impl core::error::Error for HeaderMismatch {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn texts() {
        let mismatch = HeaderMismatch::different("Mcp-Name".into(), "foo", "bar");
        assert_eq!(
            mismatch.to_string(),
            "Header mismatch: Mcp-Name header value 'foo' does not match body value 'bar'"
        );
        let long = HeaderMismatch::different("Mcp-Name".into(), &"ä".repeat(1_000_000), "a\r\nb");
        assert_eq!(
            long.to_string(),
            "Header mismatch: Mcp-Name header value '".to_string()
                + &"ä".repeat(64)
                + "…' does not match body value 'a\u{FFFD}\u{FFFD}b'"
        );
    }
}
