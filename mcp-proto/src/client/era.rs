//! Which era a server speaks: a pure verdict over what it answered.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::jsonrpc::{ErrorCode, ErrorObject, RawJson};
use crate::revision::{Era, Revision};

/// Over what the question went, and the status it was answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A byte stream: there is no status.
    Stream,
    /// An HTTP exchange that was answered with this status.
    Http(u16),
}

/// What a modern request (`server/discover`, or any request in its place) was answered with.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// A result.
    Result(&'a RawJson),
    /// A JSON-RPC error.
    Error(&'a ErrorObject),
    /// Something that is no JSON-RPC response: an empty body, a web page, another content type.
    Other,
    /// Nothing, in the time given for the question.
    Silence,
    /// The connection could not be made, or broke off.
    Broken,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The server speaks this modern revision.
    Modern(Revision),
    /// The server speaks the legacy era; in this revision, where it said so.
    Legacy(Option<Revision>),
    /// The server wants authorization first. No evidence of an era: an authorization wall stands before both.
    Auth,
    /// The server is busy or broken for the moment. No evidence of an era.
    Retry,
    /// The two sides have no revision in common.
    NoCommonRevision(Box<[Box<str>]>),
    /// There is no MCP server, or none to be reached.
    Fatal,
}

/// Judges the answer to a modern request.
///
/// | channel | answer | verdict | why |
/// |---|---|---|---|
/// | any | a result of `server/discover` whose versions include one of ours | modern, or legacy where only those are in common | it says so itself |
/// | any | a result that names no versions (any other method) | modern | a modern request was served |
/// | any | −32022 with a `supported` list | the newest in common; a list without one: no common revision | it says so itself |
/// | any but 401, 403 | −32020, −32021, −32022 without a list | modern | only modern servers have these codes |
/// | stream | any other error, silence | legacy | legacy servers answer what they do not know with any code, or not at all |
/// | HTTP 401, 403 | anything else | auth | who asks for authorization may stand before either era |
/// | HTTP 408, 425, 429, 5xx | anything else | retry | the state of the moment, and no evidence |
/// | HTTP 2xx, 3xx, other 4xx | any other error or body | legacy | the request as such was not understood |
/// | HTTP | silence | retry | the server was reached, so a slow one must not be taken for a legacy one |
/// | any | broken connection | fatal | nobody answered |
///
/// 2026-07-28, stdio and Streamable HTTP, Backward Compatibility: the fallback "MUST NOT be keyed to one
/// specific error code", and a recognized modern error identifies a modern server.
#[must_use]
pub fn judge(channel: Channel, evidence: Evidence<'_>) -> Verdict {
    match evidence {
        Evidence::Broken => Verdict::Fatal,
        Evidence::Result(result) => match supported_of(result, "supportedVersions") {
            Some(supported) => in_common(supported),
            None => Verdict::Modern(Revision::LATEST),
        },
        // A gateway that wants authorization may use any code: what it says is no evidence of what is behind it.
        Evidence::Error(error) if error.code.is_modern() && !is_wall(channel) => {
            let data = error
                // Of these codes only −32022 lists versions: what another one calls `supported` is something else.
                .data
                .as_ref()
                .filter(|_| error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION);
            match data.and_then(|data| supported_of(data, "supported")) {
                Some(supported) => in_common(supported),
                None => Verdict::Modern(Revision::LATEST),
            }
        }
        Evidence::Error(_) | Evidence::Other | Evidence::Silence => match channel {
            // There is no status to tell a refusal from a failure, and the fallback must not hang on one code.
            Channel::Stream => Verdict::Legacy(None),
            Channel::Http(401 | 403) => Verdict::Auth,
            // It is busy or broken, or a proxy before it is: that says nothing of what it speaks.
            Channel::Http(408 | 425 | 429 | 500..) => Verdict::Retry,
            Channel::Http(_) if matches!(evidence, Evidence::Silence) => Verdict::Retry,
            Channel::Http(_) => Verdict::Legacy(None),
        },
    }
}

/// Whether a result is that of `server/discover`.
pub(super) fn names_versions(result: &RawJson) -> bool {
    supported_of(result, "supportedVersions").is_some()
}

/// The versions that an error says the server supports.
pub(super) fn supported_by(error: &ErrorObject) -> Box<[Box<str>]> {
    let data = error.data.as_ref();
    data.and_then(|data| supported_of(data, "supported"))
        .unwrap_or_default()
        .into()
}

fn is_wall(channel: Channel) -> bool {
    matches!(channel, Channel::Http(401 | 403))
}

/// The newest revision that both sides speak.
fn in_common(supported: Vec<Box<str>>) -> Verdict {
    // What this build has no name for it cannot speak.
    match supported.iter().filter_map(|name| Revision::parse(name)).max() {
        Some(revision) if revision.era() == Era::Modern => Verdict::Modern(revision),
        Some(revision) => Verdict::Legacy(Some(revision)),
        None => Verdict::NoCommonRevision(supported.into()),
    }
}

fn supported_of(json: &RawJson, key: &str) -> Option<Vec<Box<str>>> {
    #[derive(Deserialize)]
    struct Lists {
        #[serde(default, rename = "supportedVersions")]
        supported_versions: Option<Vec<Box<str>>>,
        #[serde(default)]
        supported: Option<Vec<Box<str>>>,
    }
    let lists: Lists = json.decode().ok()?;
    if key == "supported" {
        lists.supported
    } else {
        lists.supported_versions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn json(text: &str) -> RawJson {
        RawJson::parse(String::from(text)).unwrap()
    }

    fn error(code: i64, data: Option<&str>) -> ErrorObject {
        let mut error = ErrorObject::new(ErrorCode(code), "");
        error.data = data.map(json);
        error
    }

    const STATUSES: [u16; 14] = [200, 202, 301, 400, 401, 403, 404, 405, 406, 408, 422, 429, 500, 503];

    #[test]
    fn a_discover_result_names_the_revision() {
        for channel in [Channel::Stream, Channel::Http(200)] {
            let judge = |versions: &str| {
                judge(
                    channel,
                    Evidence::Result(&json(&format!(r#"{{"supportedVersions":{versions}}}"#))),
                )
            };
            assert_eq!(
                judge(r#"["2026-07-28","2025-11-25"]"#),
                Verdict::Modern(Revision::V2026_07_28)
            );
            assert_eq!(judge(r#"["2025-06-18"]"#), Verdict::Legacy(Some(Revision::V2025_06_18)));
            assert_eq!(
                judge(r#"["2030-01-01"]"#),
                Verdict::NoCommonRevision(Box::from(["2030-01-01".into()]))
            );
        }
        let other = json(r#"{"tools":[]}"#);
        assert_eq!(
            judge(Channel::Http(200), Evidence::Result(&other)),
            Verdict::Modern(Revision::LATEST)
        );
    }

    #[test]
    fn a_modern_error_is_modern_behind_every_status_but_a_wall() {
        for code in [-32020, -32021, -32022] {
            let error = error(code, None);
            assert_eq!(
                judge(Channel::Stream, Evidence::Error(&error)),
                Verdict::Modern(Revision::LATEST)
            );
            for status in STATUSES {
                let expected = match status {
                    401 | 403 => Verdict::Auth,
                    _ => Verdict::Modern(Revision::LATEST),
                };
                assert_eq!(
                    judge(Channel::Http(status), Evidence::Error(&error)),
                    expected,
                    "{code} {status}"
                );
            }
        }
    }

    #[test]
    fn unsupported_versions_choose_from_the_list() {
        let judge = |data: &str| judge(Channel::Http(400), Evidence::Error(&error(-32022, Some(data))));
        assert_eq!(
            judge(r#"{"supported":["2026-07-28"],"requested":"x"}"#),
            Verdict::Modern(Revision::V2026_07_28)
        );
        assert_eq!(
            judge(r#"{"supported":["2025-03-26"]}"#),
            Verdict::Legacy(Some(Revision::V2025_03_26))
        );
        assert_eq!(judge(r#"{"supported":[]}"#), Verdict::NoCommonRevision(Box::from([])));
    }

    #[test]
    fn any_other_error_on_a_stream_is_legacy_whatever_its_code() {
        for code in [-32700, -32600, -32601, -32602, -32603, -32000, 0, 1] {
            assert_eq!(
                judge(Channel::Stream, Evidence::Error(&error(code, None))),
                Verdict::Legacy(None),
                "{code}"
            );
        }
        assert_eq!(judge(Channel::Stream, Evidence::Silence), Verdict::Legacy(None));
        assert_eq!(judge(Channel::Stream, Evidence::Other), Verdict::Legacy(None));
        assert_eq!(judge(Channel::Stream, Evidence::Broken), Verdict::Fatal);
    }

    #[test]
    fn the_http_table_over_every_status() {
        let not_found = error(-32601, None);
        for status in STATUSES {
            let expected = match status {
                401 | 403 => Verdict::Auth,
                408 | 429 | 500 | 503 => Verdict::Retry,
                _ => Verdict::Legacy(None),
            };
            for evidence in [Evidence::Error(&not_found), Evidence::Other] {
                assert_eq!(
                    judge(Channel::Http(status), evidence),
                    expected,
                    "{status} {evidence:?}"
                );
            }
            let silent = match status {
                401 | 403 => Verdict::Auth,
                _ => Verdict::Retry,
            };
            assert_eq!(judge(Channel::Http(status), Evidence::Silence), silent, "{status}");
            assert_eq!(
                judge(Channel::Http(status), Evidence::Broken),
                Verdict::Fatal,
                "{status}"
            );
        }
    }
}
