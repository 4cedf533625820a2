//! Admission of one stateless request.

use alloc::vec::Vec;

use crate::jsonrpc::{ErrorCode, ErrorObject, Id, PeekMeta, RawJson, Request as RawRequest, encode_error};
use crate::method::{Kind, Method, MethodName, Role};
use crate::revision::{Era, Revision};
use crate::server::{
    ClientFacts, Facts, Request, RequestContext, RequestToken, ResultBody, ServerConfig, Subscription, parse_severity,
};

/// What becomes of a request that is in order.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one, and is taken apart at once"
)]
pub enum Admitted {
    /// The application answers it.
    Request(Request),
    /// It is answered already: send this.
    Answered(Vec<u8>),
    /// It opens a stream of notifications; [`Subscription::acknowledgement`] is sent first.
    Listen(Subscription),
}

/// A request that is not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its id.
    pub id: Id,
    /// What is wrong.
    pub error: ErrorObject,
}

impl Refused {
    pub(crate) fn new(id: Id, error: ErrorObject) -> Self {
        Self { id, error }
    }

    /// The response to send.
    pub fn to_response(&self) -> Vec<u8> {
        encode_error(Some(&self.id), &self.error)
    }
}

/// Whether `request` says in its `_meta` that it belongs to the modern era: a server of both eras serves it by
/// [`admit`] (2026-07-28, Versioning, Backward Compatibility). A name that is no known revision counts, since only
/// requests of this era carry one.
pub fn is_stateless(request: &RawRequest) -> bool {
    Facts::of(request.params.as_ref()).is_stateless()
}

/// Admits one request of the modern era, from nothing but itself and the server's configuration.
///
/// In this order: a version that is not supported is −32022 (Versioning, Protocol Version Negotiation: MUST); a
/// method that the revision does not have is −32601, whatever its parameters are; a missing or malformed `_meta`
/// is −32602 (Overview, Per-request protocol fields: MUST), and so is an unknown log level (Logging, Error
/// Handling). `server/discover` is answered here. A method that no revision knows goes to the application, which
/// may belong to an extension.
///
/// # Errors
/// [`Refused`], with the error to answer with.
pub fn admit(config: &ServerConfig, request: RawRequest) -> Result<Admitted, Refused> {
    let params = request.params.clone();
    admit_seen(config, request, &Facts::of(params.as_ref()))
}

/// [`admit`], where the parameters have been looked at.
pub(crate) fn admit_seen(config: &ServerConfig, request: RawRequest, facts: &Facts<'_>) -> Result<Admitted, Refused> {
    let context = match context(config, &request, facts) {
        Ok(context) => context,
        Err(error) => return Err(Refused::new(request.id, error)),
    };
    let token = RequestToken::new(request.id, &request.method, context.revision);
    match request.method.known() {
        Some(Method::Discover) => {
            let body = ResultBody::plain(config.discover_result().clone());
            Ok(Admitted::Answered(token.into_response(config, Ok(body))))
        }
        Some(Method::ListenSubscriptions) => {
            Subscription::open(config, token, request.params.as_ref()).map(Admitted::Listen)
        }
        _ => Ok(Admitted::Request(Request {
            token,
            method: request.method,
            params: request.params,
            context,
            text: request.text,
            called: facts.called(),
        })),
    }
}

/// What the request says about itself.
fn context(config: &ServerConfig, request: &RawRequest, facts: &Facts<'_>) -> Result<RequestContext, ErrorObject> {
    let meta = facts.seen.as_ref().map(|(_, meta)| meta);
    let named = meta.ok().and_then(|meta| meta.protocol_version.as_deref());
    let revision = named.map(|name| supported(config, name)).transpose()?;
    if !is_asked_of_servers(&request.method, revision.unwrap_or(Revision::LATEST)) {
        return Err(ErrorObject::method_not_found(request.method.as_str()));
    }
    let context = match meta {
        Ok(meta) => read(config, revision, meta, request.params.as_ref()),
        Err(error) => Err(ErrorObject::invalid_params(alloc::format!("{error}"))),
    };
    match context {
        Ok(context) => Ok(RequestContext {
            meta: facts.raw_meta(),
            ..context
        }),
        Err(_) if request.method.known().is_none() => Err(ErrorObject::method_not_found(request.method.as_str())),
        Err(error) => Err(error),
    }
}

/// The revision called `name`, where the server speaks it statelessly.
fn supported(config: &ServerConfig, name: &str) -> Result<Revision, ErrorObject> {
    Revision::parse(name)
        .filter(|revision| revision.era() == Era::Modern && config.revisions().contains(revision))
        .ok_or_else(|| unsupported(config, name))
}

/// −32022, with what is supported and what was asked for (2026-07-28, Versioning: MUST list the versions).
pub(crate) fn unsupported(config: &ServerConfig, requested: &str) -> ErrorObject {
    #[derive(serde::Serialize)]
    struct Data<'a> {
        supported: Vec<&'a str>,
        requested: &'a str,
    }
    let requested = requested.get(..64).unwrap_or(requested);
    let supported = config.version_names();
    let message = alloc::format!("unsupported protocol version; supported are {}", supported.join(", "));
    ErrorObject::new(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION, message).with_data(&Data { supported, requested })
}

/// Whether a client may ask for this method in `revision`. Unknown methods may be those of an extension.
fn is_asked_of_servers(method: &MethodName, revision: Revision) -> bool {
    method
        .known()
        .is_none_or(|method| method.kind() == Kind::Request && method.is_sent_by(Role::Client, revision))
}

/// Reads the protocol's own fields of `_meta`.
fn read(
    config: &ServerConfig,
    revision: Option<Revision>,
    meta: &PeekMeta<'_>,
    params: Option<&RawJson>,
) -> Result<RequestContext, ErrorObject> {
    let missing = |key| ErrorObject::invalid_params(alloc::format!("_meta lacks io.modelcontextprotocol/{key}"));
    let revision = revision.ok_or_else(|| missing("protocolVersion"))?;
    let params = params.ok_or_else(|| missing("clientCapabilities"))?;
    let capabilities = meta.client_capabilities.ok_or_else(|| missing("clientCapabilities"))?;
    let object = |key, text: &str| match text.starts_with('{') {
        true => Ok(params.slice(text)),
        false => Err(ErrorObject::invalid_params(alloc::format!(
            "io.modelcontextprotocol/{key} is not an object"
        ))),
    };
    let capabilities = object("clientCapabilities", capabilities)?;
    let info = meta.client_info.map(|info| object("clientInfo", info)).transpose()?;
    let log_level = meta.log_level.as_deref().map(parse_severity).transpose()?;
    Ok(RequestContext {
        revision,
        client: ClientFacts { info, capabilities },
        progress_token: meta.progress_token.clone(),
        progress: None,
        log_level: log_level.filter(|_| config.allows(Method::LoggingMessageNotification)),
        meta: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Incoming, Message, parse};
    use crate::limits::Limits;
    use crate::model::Implementation;
    use alloc::format;
    use alloc::string::String;

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"sampling":{}}}"#;

    fn config() -> ServerConfig {
        let capabilities = serde_json::from_str(r#"{"tools":{"listChanged":true},"logging":{}}"#).unwrap();
        ServerConfig::new(Implementation::new("s", "1")).with_capabilities(capabilities)
    }

    fn request(method: &str, params: &str) -> RawRequest {
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
        let Ok(Admitted::Answered(answer)) = admit(&config(), request("server/discover", &with_meta(""))) else {
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
