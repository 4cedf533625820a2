//! The standard headers against the body (2026-07-28, basic/transports/streamable-http, "Server Validation").
//!
//! Headers come as all the raw values of their name, so that a header that occurs twice is seen. Nothing is allocated
//! while header and body agree, unless a value is encoded.

use alloc::borrow::Cow;

use super::HeaderMismatch;
use super::value::{decode_literal, decode_value, is_plainly};

const METHOD: &str = "Mcp-Method";
const NAME: &str = "Mcp-Name";
const PROTOCOL_VERSION: &str = "MCP-Protocol-Version";

/// Compares `Mcp-Method` and `Mcp-Name` with the body: [`check_method`], then [`check_name`].
///
/// # Errors
///
/// The first mismatch.
pub fn check_standard<'a>(
    method_values: impl IntoIterator<Item = &'a [u8]>,
    name_values: impl IntoIterator<Item = &'a [u8]>,
    method: &str,
    name: Option<&str>,
) -> Result<(), HeaderMismatch> {
    check_method(method_values, method)?;
    check_name(name_values, name)
}

/// Compares `Mcp-Method` with the body's `method`. The header is required, is never encoded, and its value is
/// case-sensitive.
///
/// # Errors
///
/// The header is missing, duplicated, malformed or different.
pub fn check_method<'a>(values: impl IntoIterator<Item = &'a [u8]>, method: &str) -> Result<(), HeaderMismatch> {
    check_literal(METHOD, values, method)
}

/// Compares `MCP-Protocol-Version` with the version in the body's `_meta`. The header is required and never encoded.
///
/// # Errors
///
/// The header is missing, duplicated, malformed or different.
pub fn check_protocol_version<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
    version: &str,
) -> Result<(), HeaderMismatch> {
    check_literal(PROTOCOL_VERSION, values, version)
}

/// Compares `Mcp-Name` with what the body names: `params.name` or `params.uri`. With `None`, for a method that has
/// no such field, the header is not looked at: what it would mirror is not defined.
///
/// # Errors
///
/// The header is missing, duplicated, malformed or different.
pub fn check_name<'a>(values: impl IntoIterator<Item = &'a [u8]>, name: Option<&str>) -> Result<(), HeaderMismatch> {
    let Some(name) = name else { return Ok(()) };
    let header = || Cow::Borrowed(NAME);
    let value = only(header, values)?.ok_or_else(|| HeaderMismatch::Missing { header: header() })?;
    if is_plainly(value, name) {
        return Ok(());
    }
    match decode_value(value) {
        Ok(value) if value == name => Ok(()),
        Ok(value) => Err(HeaderMismatch::different(header(), &value, name)),
        Err(reason) => Err(HeaderMismatch::Invalid {
            header: header(),
            reason,
        }),
    }
}

fn check_literal<'a>(
    name: &'static str,
    values: impl IntoIterator<Item = &'a [u8]>,
    body: &str,
) -> Result<(), HeaderMismatch> {
    let header = || Cow::Borrowed(name);
    let value = only(header, values)?.ok_or_else(|| HeaderMismatch::Missing { header: header() })?;
    if is_plainly(value, body) {
        return Ok(());
    }
    match decode_literal(value) {
        Ok(value) if value == body => Ok(()),
        Ok(value) => Err(HeaderMismatch::different(header(), value, body)),
        Err(reason) => Err(HeaderMismatch::Invalid {
            header: header(),
            reason,
        }),
    }
}

/// The one value of a header.
pub(super) fn only<'a>(
    header: impl Fn() -> Cow<'static, str>,
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<&'a [u8]>, HeaderMismatch> {
    let mut values = values.into_iter();
    let value = values.next();
    match values.next() {
        // Also where they are equal: who joins them on the way makes another value of them (RFC 9110, 5.3).
        Some(_) => Err(HeaderMismatch::Duplicate { header: header() }),
        None => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::header::HeaderValueError;

    fn check(methods: &[&str], names: &[&str], method: &str, name: Option<&str>) -> Result<(), HeaderMismatch> {
        check_standard(
            methods.iter().map(|v| v.as_bytes()),
            names.iter().map(|v| v.as_bytes()),
            method,
            name,
        )
    }

    #[test]
    fn agreement() {
        for (names, name) in [
            (&["echo"][..], Some("echo")),
            (&["  echo\t"], Some("echo")),
            (
                &["=?base64?PT9iYXNlNjQ/WldOb2J3PT0/PQ==?="],
                Some("=?base64?ZWNobw==?="),
            ),
            (&["=?base64?ZWNobw==?="], Some("echo")),
            (&["=?base64?5LiW?="], Some("世")),
            (&[""], Some("")),
            (&[], None),
            (&["anything"], None),
        ] {
            assert_eq!(check(&["tools/call"], names, "tools/call", name), Ok(()), "{names:?}");
        }
        assert_eq!(check_protocol_version([&b"2026-07-28"[..]], "2026-07-28"), Ok(()));
    }

    #[test]
    fn mismatches() {
        let header = || Cow::Borrowed(NAME);
        let different = |value, body| HeaderMismatch::different(NAME.into(), value, body);
        for (names, expected) in [
            (&[][..], HeaderMismatch::Missing { header: header() }),
            (&["echo", "echo"], HeaderMismatch::Duplicate { header: header() }),
            (&["Echo"], different("Echo", "echo")),
            (&["=?base64?Zm9v?="], different("foo", "echo")),
            (&["=?BASE64?ZWNobw==?="], different("=?BASE64?ZWNobw==?=", "echo")),
            (
                &["=?base64?ZWNobw?="],
                HeaderMismatch::Invalid {
                    header: header(),
                    reason: HeaderValueError::InvalidBase64,
                },
            ),
            (
                &["é"],
                HeaderMismatch::Invalid {
                    header: header(),
                    reason: HeaderValueError::InvalidCharacter,
                },
            ),
        ] {
            assert_eq!(
                check(&["tools/call"], names, "tools/call", Some("echo")),
                Err(expected),
                "{names:?}"
            );
        }
        let method = |values: &[&str]| check(values, &[], "tools/list", None);
        assert_eq!(method(&[]), Err(HeaderMismatch::Missing { header: METHOD.into() }));
        assert_eq!(
            method(&["TOOLS/LIST"]),
            Err(HeaderMismatch::different(METHOD.into(), "TOOLS/LIST", "tools/list"))
        );
        assert_eq!(
            method(&["tools/list", "x"]),
            Err(HeaderMismatch::Duplicate { header: METHOD.into() })
        );
        assert!(method(&["=?base64?dG9vbHMvbGlzdA==?="]).is_err(), "never encoded");
        assert!(check_protocol_version([&b"2025-11-25"[..]], "2026-07-28").is_err());
    }

    #[test]
    fn a_name_that_looks_encoded_is_not_taken_as_it_stands() {
        let text = "=?base64?ZWNobw==?=";
        assert!(check(&["tools/call"], &[text], "tools/call", Some(text)).is_err());
        assert!(check(&["tools/call"], &[text], "tools/call", Some("echo")).is_ok());
    }

    #[test]
    fn blanks_around_a_method_are_none_of_it() {
        assert!(check(&[" \ttools/call "], &["echo"], "tools/call", Some("echo")).is_ok());
        assert!(check(&[" tools/list "], &["echo"], "tools/call", Some("echo")).is_err());
    }
}
