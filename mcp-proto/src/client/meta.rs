//! What a client adds to the `_meta` of its requests.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::config::ClientConfig;
use crate::jsonrpc::{write_id, write_json};
use crate::revision::Revision;
use crate::rpc::{CallId, CallOptions, OnBehalfOf};

/// The parts of `_meta` that every request of the modern era carries, written once.
#[derive(Debug)]
pub(super) struct Members {
    modern: Vec<u8>,
}

impl Members {
    /// Writes version, client info and capabilities (2026-07-28, Overview, Per-request protocol fields).
    pub(super) fn new(config: &ClientConfig) -> Self {
        Self {
            modern: modern(&OnBehalfOf::new(&config.info, &config.capabilities)),
        }
    }

    /// The members for one request.
    pub(super) fn of(&self, call: CallId, options: &CallOptions, is_modern: bool) -> Cow<'_, [u8]> {
        let mut members = match &options.on_behalf_of {
            // In the legacy era, `initialize` has said all this for the session.
            _ if !is_modern => Cow::Borrowed(&[][..]),
            Some(client) => Cow::Owned(modern(client)),
            None => Cow::Borrowed(&*self.modern),
        };
        if options.progress {
            let members = members.to_mut();
            separate(members);
            members.extend_from_slice(br#""progressToken":"#);
            write_id(members, &call.to_id());
        }
        if let Some(level) = options.log_level.as_ref().filter(|_| is_modern) {
            let members = members.to_mut();
            separate(members);
            members.extend_from_slice(br#""io.modelcontextprotocol/logLevel":"#);
            write_json(members, level);
        }
        members
    }
}

fn modern(client: &OnBehalfOf) -> Vec<u8> {
    let parts: [&[u8]; 6] = [
        br#""io.modelcontextprotocol/protocolVersion":""#,
        Revision::LATEST.as_str().as_bytes(),
        br#"","io.modelcontextprotocol/clientInfo":"#,
        client.info().as_bytes(),
        br#","io.modelcontextprotocol/clientCapabilities":"#,
        client.capabilities().as_bytes(),
    ];
    parts.concat()
}

fn separate(members: &mut Vec<u8>) {
    if !members.is_empty() {
        members.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Timeouts;
    use crate::model::{ClientCapabilities, Implementation};
    use crate::rpc::Calls;
    use alloc::string::String;

    fn members(options: &CallOptions, is_modern: bool) -> String {
        let call = Calls::new(1).begin_own(options, &Timeouts::default(), ());
        let members = Members::new(&ClientConfig::new(Implementation::new("me", "1")));
        String::from_utf8(members.of(call, options, is_modern).into_owned()).unwrap()
    }

    #[test]
    fn a_request_says_who_sends_it_or_for_whom_it_is_sent() {
        let options = CallOptions::new().with_progress();
        assert_eq!(members(&options, false), r#""progressToken":1"#);
        assert!(members(&options, true).contains(r#""name":"me""#));
        let other = OnBehalfOf::new(&Implementation::new("other", "2"), &ClientCapabilities::default());
        let options = options.with_on_behalf_of(other);
        assert_eq!(
            members(&options, true),
            concat!(
                r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
                r#""io.modelcontextprotocol/clientInfo":{"name":"other","version":"2"},"#,
                r#""io.modelcontextprotocol/clientCapabilities":{},"progressToken":1"#
            )
        );
        assert_eq!(
            members(&options, false),
            r#""progressToken":1"#,
            "said once, in `initialize`"
        );
    }
}
