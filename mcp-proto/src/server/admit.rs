//! Admission of one stateless request.

use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::context::{ClientFacts, RequestContext, severity};
use super::request::{ClientRequest, Refused, RequestToken};
#[cfg(feature = "rounds")]
use super::rounds::Asked;
use super::{ResultBody, ServerConfig, Subscription};
use crate::jsonrpc::{Facts, RawJson, Request};
use crate::method::Method;
use crate::modern::server::Metadata;
use crate::shown::Size;

/// What becomes of a request of the modern era that is in order.
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum Admitted {
    /// The application answers it.
    Request(ClientRequest),
    /// It is answered already: send this.
    Respond(Vec<u8>),
    /// It opens a stream of notifications; [`Subscription::acknowledgement`] is sent first.
    Listen(Subscription),
}

/// Says how long an answer is, and not what is in it.
impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => f.debug_tuple("Request").field(request).finish(),
            Self::Respond(text) => f.debug_tuple("Respond").field(&Size(text.len())).finish(),
            Self::Listen(subscription) => f.debug_tuple("Listen").field(subscription).finish(),
        }
    }
}

/// Admits one request of the modern era, from nothing but itself and the server's configuration, by the rules of
/// [`Metadata::of`]. `server/discover` is answered here.
///
/// # Errors
/// [`Refused`], with the error to answer with.
pub fn admit(config: &ServerConfig, request: Request) -> Result<Admitted, Refused> {
    let params = request.params.clone();
    admit_seen(config, request, &Facts::of(params.as_ref()))
}

/// [`admit`], where the parameters have been looked at.
pub(crate) fn admit_seen(config: &ServerConfig, request: Request, facts: &Facts<'_>) -> Result<Admitted, Refused> {
    // For a discovery too: its `_meta` says version and capabilities like that of any other request.
    let context = match Metadata::seen(config.revisions(), &request, facts) {
        Ok(metadata) => context(config, metadata, &request),
        Err(error) => return Err(Refused::new(request.id, error)),
    };
    let mut token = RequestToken::new(request.id, &request.method, context.revision);
    // Nothing else is both cached and made again.
    token.is_retry = request.method.known() == Some(Method::ReadResource) && is_retry(request.params.as_ref());
    match request.method.known() {
        Some(Method::Discover) => {
            let body = ResultBody::plain(config.discover_result().clone());
            Ok(Admitted::Respond(token.into_response(config, Ok(body))))
        }
        Some(Method::ListenSubscriptions) => {
            Subscription::open(config, token, request.params.as_ref()).map(Admitted::Listen)
        }
        _ => Ok(Admitted::Request(ClientRequest {
            token,
            method: request.method,
            params: request.params,
            context,
            text: request.text,
            called: facts.called(),
        })),
    }
}

/// Whether a request is made again with what its server needs (2026-07-28, Multi Round-Trip Requests).
fn is_retry(params: Option<&RawJson>) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Retry {
        request_state: Option<IgnoredAny>,
        input_responses: Option<IgnoredAny>,
    }
    let retry: Option<Retry> = params.and_then(|params| params.decode().ok());
    retry.is_some_and(|retry| retry.request_state.is_some() || retry.input_responses.is_some())
}

#[cfg_attr(
    not(feature = "rounds"),
    expect(unused_variables, reason = "only handlers ask again")
)]
fn context(config: &ServerConfig, metadata: Metadata, request: &Request) -> RequestContext {
    let may_log = config.allows(Method::LoggingMessageNotification);
    RequestContext {
        revision: metadata.revision,
        client: ClientFacts {
            info: metadata.client_info,
            capabilities: metadata.client_capabilities,
        },
        progress_token: metadata.progress_token,
        progress: None,
        // Without the capability declared none are sent, whatever the client asks (2026-07-28, Logging).
        log_level: metadata.log_level.filter(|_| may_log).as_ref().and_then(severity),
        meta: metadata.meta,
        #[cfg(feature = "rounds")]
        asked: Asked::of(request),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{ErrorCode, Id, Incoming, Message, parse};
    use crate::limits::Limits;
    use crate::model::Implementation;
    use crate::modern::server::is_stateless;
    use crate::revision::{Era, Revision};
    use alloc::format;
    use alloc::string::String;

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"sampling":{}}}"#;

    fn config() -> ServerConfig {
        let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true},"logging":{}}"#).unwrap();
        ServerConfig::new(Implementation::new("s", "1")).with_capabilities(capabilities)
    }

    fn request(method: &str, params: &str) -> Request {
        let text = format!(r#"{{"jsonrpc":"2.0","id":"r","method":"{method}","params":{params}}}"#);
        match parse(text.clone().into_bytes().into(), &Limits::default()) {
            Ok(Incoming::Single(Message::Request(request))) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn code(method: &str, params: &str) -> ErrorCode {
        match admit(&config(), request(method, params)) {
            Err(refused) => {
                assert_eq!(refused.id, Id::from("r"));
                refused.error.code
            }
            Ok(other) => panic!("{method} {params}: {other:?}"),
        }
    }

    fn with_meta(more: &str) -> String {
        format!("{{{META}{more}}}")
    }

    #[test]
    fn a_request_in_order_is_admitted_with_its_context() {
        let params = with_meta(r#","name":"echo""#);
        let Ok(Admitted::Request(request)) = admit(&config(), request("tools/call", &params)) else {
            panic!()
        };
        assert_eq!(request.method, Method::CallTool.into());
        assert_eq!(request.params.unwrap().as_str(), params);
        let context = request.context;
        assert_eq!(
            (context.revision(), context.era()),
            (Revision::V2026_07_28, Era::Modern)
        );
        assert_eq!(context.client_info().unwrap().name, "c");
        assert_eq!(context.raw_client_capabilities().as_str(), r#"{"sampling":{}}"#);
        assert!(META.ends_with(context.meta().unwrap().as_str()));
        assert_eq!(context.log_level, None);
    }

    #[test]
    fn what_meta_lacks_is_invalid_params() {
        const VERSION: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#;
        const CAPABILITIES: &str = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
        for meta in [
            "null".into(),
            "[]".into(),
            "{}".into(),
            format!("{{{VERSION}}}"),
            format!("{{{CAPABILITIES}}}"),
            format!(r#"{{{VERSION},"io.modelcontextprotocol/clientCapabilities":true}}"#),
            format!(r#"{{{VERSION},{CAPABILITIES},"io.modelcontextprotocol/clientInfo":"me"}}"#),
            format!(r#"{{{VERSION},{CAPABILITIES},"io.modelcontextprotocol/logLevel":"loud"}}"#),
            format!(r#"{{{VERSION},{CAPABILITIES},"io.modelcontextprotocol/logLevel":5}}"#),
            format!(r#"{{{VERSION},{VERSION},{CAPABILITIES}}}"#),
            format!(r#"{{{CAPABILITIES},"io.modelcontextprotocol/protocolVersion":20260728}}"#),
        ] {
            let params = format!(r#"{{"_meta":{meta}}}"#);
            for method in ["server/discover", "tools/list", "subscriptions/listen"] {
                assert_eq!(code(method, &params), ErrorCode::INVALID_PARAMS, "{method} {params}");
            }
        }
        assert_eq!(code("server/discover", "{}"), ErrorCode::INVALID_PARAMS);
        assert_eq!(code("server/discover", "null"), ErrorCode::INVALID_PARAMS);
        let params = format!(r#"{{"_meta":{{{VERSION},{CAPABILITIES}}}}}"#);
        assert!(
            admit(&config(), request("server/discover", &params)).is_ok(),
            "clientInfo is optional"
        );
    }

    #[test]
    fn methods_of_another_era_or_none_are_not_found_whatever_their_parameters() {
        for method in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "resources/unsubscribe",
            "sampling/createMessage",
            "tasks/result",
            "notifications/cancelled",
        ] {
            for params in ["{}", "null", &with_meta("")] {
                assert_eq!(code(method, params), ErrorCode::METHOD_NOT_FOUND, "{method} {params}");
            }
        }
        assert_eq!(code("unknown/method", "{}"), ErrorCode::METHOD_NOT_FOUND);
        let admitted = admit(&config(), request("unknown/method", &with_meta("")));
        assert!(
            matches!(admitted, Ok(Admitted::Request(_))),
            "the application may know it"
        );
    }

    #[test]
    fn unsupported_versions_are_named_beside_the_supported_ones() {
        let params = META.replace("2026-07-28", "v999.0.0");
        for method in ["server/discover", "tools/call", "unknown/method"] {
            let refused = admit(&config(), request(method, &format!("{{{params}}}"))).unwrap_err();
            assert_eq!(refused.error.code, ErrorCode::UNSUPPORTED_PROTOCOL_VERSION);
            assert_eq!(
                refused.error.data.unwrap().as_str(),
                r#"{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"v999.0.0"}"#
            );
        }
        let legacy = format!("{{{}}}", META.replace("2026-07-28", "2025-11-25"));
        assert_eq!(code("tools/list", &legacy), ErrorCode::UNSUPPORTED_PROTOCOL_VERSION);
        let legacy_only = config().with_revisions(&[Revision::V2025_11_25]);
        let refused = admit(&legacy_only, request("tools/list", &with_meta(""))).unwrap_err();
        assert_eq!(refused.error.code, ErrorCode::UNSUPPORTED_PROTOCOL_VERSION);
    }

    #[test]
    fn discovery_is_answered_at_once() {
        let Ok(Admitted::Respond(answer)) = admit(&config(), request("server/discover", &with_meta(""))) else {
            panic!()
        };
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            concat!(
                r#"{"jsonrpc":"2.0","id":"r","result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","#,
                r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"#,
                r#""supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"#,
                r#""capabilities":{"tools":{"listChanged":true},"logging":{}}}}"#
            )
        );
    }

    #[test]
    fn requests_of_the_modern_era_are_told_by_their_meta() {
        assert!(is_stateless(&request("tools/list", &with_meta(""))));
        assert!(is_stateless(&request("initialize", &with_meta(""))));
        assert!(is_stateless(&request(
            "x",
            &format!("{{{}}}", META.replace("2026-07-28", "2099-01-01"))
        )));
        for legacy in [
            String::from("{}"),
            "null".into(),
            r#"{"_meta":{"progressToken":1}}"#.into(),
            format!("{{{}}}", META.replace("2026-07-28", "2025-11-25")),
        ] {
            assert!(!is_stateless(&request("tools/list", &legacy)), "{legacy}");
        }
    }
}
