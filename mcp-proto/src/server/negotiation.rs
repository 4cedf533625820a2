//! What a legacy client and its server have agreed on.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::Deserialize;

use super::ServerConfig;
use super::context::ClientFacts;
use crate::jsonrpc::{ErrorObject, RawJson, Request, encode_error, encode_result};
use crate::legacy::server::{ServerAction, ServerHandshake, ServerInput, negotiate};
use crate::method::{Kind, Method, MethodName, Side};
use crate::modern;
use crate::revision::Revision;
use crate::rpc::{CloseReason, SendError};

/// The handshake, what the client has said of itself in it, and what may be sent to it for that reason. How the handshake
/// moves is the table of [`ServerHandshake`].
///
/// | to send | before `initialize` is answered | before `notifications/initialized` | then | why |
/// |---|---|---|---|---|
/// | a method that is not one of servers in the revision | refused | refused | refused | 2025-11-25, Lifecycle, Operation: MUST respect the negotiated version |
/// | a notification | waits | sent | sent | until then the client may be one of the modern era |
/// | `ping` | waits | sent | sent | the same; it is exempt from what follows (Lifecycle, Initialization) |
/// | another request | waits | waits | sent | Lifecycle, Initialization: SHOULD NOT before `notifications/initialized` |
/// | a request that takes a capability the client lacks | waits | waits | refused | Lifecycle, Operation: only what was negotiated |
#[derive(Debug)]
pub(super) struct Negotiation {
    handshake: ServerHandshake,
    client: ClientFacts,
}

impl Negotiation {
    /// Begins with this handshake; nothing is known of the client.
    pub(super) fn new(handshake: ServerHandshake) -> Self {
        Self {
            handshake,
            client: ClientFacts::UNKNOWN,
        }
    }

    pub(super) fn handshake(&self) -> ServerHandshake {
        self.handshake
    }

    /// The revision that was agreed on, while there is one.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.handshake.revision()
    }

    /// What the client has said of itself.
    pub(super) fn client(&self) -> &ClientFacts {
        &self.client
    }

    /// Takes what happens to the handshake, and says what to do.
    pub(super) fn receive(&mut self, input: ServerInput) -> ServerAction {
        self.handshake.receive(input)
    }

    /// Answers `initialize`. One that is not in order changes nothing, and may be repeated.
    pub(super) fn initialize(&mut self, config: &ServerConfig, request: &Request) -> Vec<u8> {
        match self.agree(config, request.params.as_ref()) {
            Ok(revision) => {
                // Only where it was agreed on: a client that is refused may try again.
                self.handshake.receive(ServerInput::Negotiated(revision));
                encode_result(&request.id, config.initialize_result(revision).as_bytes())
            }
            Err(error) => encode_error(Some(&request.id), &error),
        }
    }

    fn agree(&mut self, config: &ServerConfig, params: Option<&RawJson>) -> Result<Revision, ErrorObject> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Initialize<'a> {
            #[serde(borrow)]
            protocol_version: Cow<'a, str>,
            #[serde(default)]
            capabilities: Option<RawJson>,
            #[serde(default)]
            client_info: Option<RawJson>,
        }
        let params = params.ok_or_else(|| ErrorObject::invalid_params("initialize needs parameters"))?;
        let asked: Initialize<'_> = params.decode_borrowed()?;
        let revision = negotiate(&asked.protocol_version, config.revisions())
            .ok_or_else(|| modern::server::unsupported(config.revisions(), &asked.protocol_version))?;
        // Clients send arrays here: what is of another shape says nothing, and is no reason to refuse them.
        let is_object = |json: &RawJson| json.as_bytes().first() == Some(&b'{');
        self.client = ClientFacts {
            info: asked.client_info.filter(is_object),
            capabilities: asked.capabilities.filter(is_object).unwrap_or(RawJson::empty_object()),
        };
        Ok(revision)
    }

    /// Whether a notification may be sent now; `false` where it has to wait.
    ///
    /// # Errors
    /// Where it is not one of servers in the revision, and after the end.
    pub(super) fn may_notify(&self, method: &MethodName) -> Result<bool, SendError> {
        self.is_ours(method, Kind::Notification)?;
        Ok(self.revision().is_some())
    }

    /// Whether a request may be sent now; `false` where it has to wait.
    ///
    /// # Errors
    /// Where it is not one of servers in the revision, where the client lacks the capability, and after the end.
    pub(super) fn may_request(&self, method: &MethodName) -> Result<bool, SendError> {
        self.is_ours(method, Kind::Request)?;
        // A ping needs nothing but that somebody is there (2025-11-25, Lifecycle, Initialization).
        let is_ping = method.known() == Some(Method::Ping) && self.revision().is_some();
        if !self.handshake.may_send_requests() && !is_ping {
            return Ok(false);
        }
        let needed = method.known().and_then(Method::required_client_capability);
        if needed.is_some_and(|capability| !self.client.declares(capability)) {
            return Err(SendError::NotSupported { method: method.clone() });
        }
        Ok(true)
    }

    /// An error where servers send no `method` of this kind in the revision. Before there is one, that of the latest
    /// handshake decides: what no server ever sends need not wait to be refused.
    fn is_ours(&self, method: &MethodName, kind: Kind) -> Result<(), SendError> {
        if self.handshake == ServerHandshake::Closed {
            return Err(SendError::Closed(CloseReason::Local));
        }
        let revision = self.revision().unwrap_or(Revision::LATEST_LEGACY);
        let is_ours = |known: Method| known.kind() == kind && known.is_sent_by(Side::Server, revision);
        match method.known().is_none_or(is_ours) {
            true => Ok(()),
            false => Err(SendError::OutOfEra {
                method: method.clone(),
                revision,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Incoming, Message, parse};
    use crate::limits::Limits;
    use crate::method::ClientCapability;
    use crate::model::Implementation;
    use alloc::format;
    use alloc::string::String;

    fn initialized(params: &str) -> (Negotiation, String) {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{params}}}"#);
        let Ok(Incoming::Single(Message::Request(request))) = parse(text.into(), &Limits::default()) else {
            panic!("{params}")
        };
        let config = ServerConfig::new(Implementation::new("s", "1"));
        let mut negotiation = Negotiation::new(ServerHandshake::default());
        let answer = negotiation.initialize(&config, &request);
        (negotiation, String::from_utf8(answer).unwrap())
    }

    #[test]
    fn what_the_client_says_of_itself_is_kept_where_it_is_an_object() {
        let (negotiation, _) = initialized(
            r#"{"protocolVersion":"2025-06-18","capabilities":{"sampling":{}},"clientInfo":{"name":"c","version":"1"}}"#,
        );
        assert_eq!(negotiation.revision(), Some(Revision::V2025_06_18));
        assert!(negotiation.client().declares(ClientCapability::Sampling));
        assert!(negotiation.client().info.is_some());
        let (negotiation, _) = initialized(r#"{"protocolVersion":"2025-06-18","capabilities":[1],"clientInfo":"me"}"#);
        assert_eq!(negotiation.client().capabilities, RawJson::empty_object());
        assert!(negotiation.client().info.is_none());
    }

    #[test]
    fn an_initialize_that_is_not_in_order_changes_nothing() {
        let (negotiation, answer) = initialized(r#"{"protocolVersion":5}"#);
        assert!(answer.contains("-32602"), "{answer}");
        assert_eq!(negotiation.handshake(), ServerHandshake::AwaitingInitialize);
    }

    /// The table of the docs, column by column.
    #[test]
    fn what_may_be_sent_is_as_in_the_table() {
        let agreed = Revision::V2025_11_25;
        for (handshake, notification, ping, request) in [
            (ServerHandshake::AwaitingInitialize, false, false, false),
            (ServerHandshake::AwaitingInitialized(agreed), true, true, false),
            (ServerHandshake::Operating(agreed), true, true, true),
        ] {
            let mut negotiation = Negotiation::new(handshake);
            negotiation.client.capabilities = RawJson::parse(r#"{"sampling":{}}"#).unwrap();
            let may = |method: Method| negotiation.may_request(&method.into());
            let changed = Method::ToolListChangedNotification;
            assert_eq!(
                negotiation.may_notify(&changed.into()),
                Ok(notification),
                "{handshake:?}"
            );
            assert_eq!(may(Method::Ping), Ok(ping), "{handshake:?}");
            assert_eq!(may(Method::CreateMessage), Ok(request), "{handshake:?}");
            assert_eq!(negotiation.may_request(&"its/own".into()), Ok(request), "{handshake:?}");
            assert!(matches!(may(Method::CallTool), Err(SendError::OutOfEra { .. })));
            assert!(matches!(may(changed), Err(SendError::OutOfEra { .. })), "no request");
            match may(Method::ListRoots) {
                Ok(false) => assert!(!request),
                other => assert!(matches!(other, Err(SendError::NotSupported { .. })), "{handshake:?}"),
            }
        }
        let closed = Negotiation::new(ServerHandshake::Closed);
        assert!(matches!(
            closed.may_request(&Method::Ping.into()),
            Err(SendError::Closed(_))
        ));
        assert!(matches!(
            closed.may_notify(&"its/own".into()),
            Err(SendError::Closed(_))
        ));
    }
}
