//! What is known about a request besides what it asks.

use alloc::string::String;
use alloc::vec::Vec;

use crate::jsonrpc::{ErrorCode, ErrorObject, Id, RawJson, encode_notification, write_id, write_json};
use crate::method::{ClientCapability, Method};
use crate::model::{ClientCapabilities, Implementation, LoggingLevel};
use crate::revision::{Era, Revision};
#[cfg(feature = "rounds")]
use crate::server::rounds::Asked;

/// What is known about a request: the revision it is served in, who sent it, and what it opted in to.
///
/// In the modern era all of it stands in the request's own `_meta`; in the legacy era client and log level are
/// those of the connection at the time the request came.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub(crate) revision: Revision,
    pub(crate) client: ClientFacts,
    pub(crate) progress_token: Option<Id>,
    /// The progress reported last.
    pub(crate) progress: Option<f64>,
    /// The least severity that is sent; `None` where none is.
    pub(crate) log_level: Option<u8>,
    pub(crate) meta: Option<RawJson>,
    /// What a retry of the request is known by; `None` where there is none.
    #[cfg(feature = "rounds")]
    pub(crate) asked: Option<Asked>,
}

/// What a client has said about itself.
#[derive(Clone, Debug)]
pub(crate) struct ClientFacts {
    /// Its name, version and so on, an object.
    pub(crate) info: Option<RawJson>,
    /// What it can do, an object.
    pub(crate) capabilities: RawJson,
}

impl RequestContext {
    /// The revision that the request is served in.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The era of that revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// Who the client says it is: for display and logs, not to decide anything by
    /// (2026-07-28, Overview: it is not verified).
    ///
    /// `None` where it does not say, or not in the form of the schema.
    pub fn client_info(&self) -> Option<Implementation> {
        self.client.info.as_ref()?.decode().ok()
    }

    /// What the client can do. Nothing where what it says cannot be read.
    pub fn client_capabilities(&self) -> ClientCapabilities {
        self.client.capabilities.decode().unwrap_or_default()
    }

    /// What the client can do, as it came.
    pub fn raw_client_capabilities(&self) -> &RawJson {
        &self.client.capabilities
    }

    /// `_meta` of the request, as it came.
    pub fn meta(&self) -> Option<&RawJson> {
        self.meta.as_ref()
    }

    /// The token under which the client wants progress, if it wants any.
    pub fn progress_token(&self) -> Option<&Id> {
        self.progress_token.as_ref()
    }

    /// Whether the client has declared `capability`.
    pub fn client_declares(&self, capability: ClientCapability) -> bool {
        self.client.declares(capability)
    }

    /// Nothing where the client has declared `capability`, otherwise the error to answer the request with.
    ///
    /// 2026-07-28, Overview, Per-request protocol fields: the server MUST answer −32021, and its data lists what
    /// is missing. Earlier revisions have no code for it and get −32600.
    ///
    /// # Errors
    /// The error to answer with.
    pub fn require(&self, capability: ClientCapability) -> Result<(), ErrorObject> {
        if self.client_declares(capability) {
            return Ok(());
        }
        Err(self.lacking(capability.as_str()))
    }

    /// The error for a capability that the client lacks, with the names on the way to it parted by points.
    pub(crate) fn lacking(&self, capability: &str) -> ErrorObject {
        let message = alloc::format!("the client does not support {capability}");
        match self.era() {
            Era::Legacy => ErrorObject::invalid_request(message),
            Era::Modern => {
                let mut required = serde_json::Value::Object(serde_json::Map::new());
                for key in capability.rsplit('.') {
                    required = serde_json::Value::Object([(String::from(key), required)].into_iter().collect());
                }
                let data =
                    serde_json::Value::Object([(String::from("requiredCapabilities"), required)].into_iter().collect());
                ErrorObject::new(ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY, message).with_data(&data)
            }
        }
    }

    /// A `notifications/progress` for the request: `None` where the client has not asked for progress, and where
    /// `progress` is not more than the last time (Progress: it MUST increase) or not finite.
    ///
    /// The caller sees to it that none is sent after the response (Progress: MUST stop after completion).
    pub fn encode_progress(&mut self, progress: f64, total: Option<f64>, message: Option<&str>) -> Option<Vec<u8>> {
        let mut last = self.progress;
        let message = self.encode_progress_after(&mut last, progress, total, message);
        self.progress = last;
        message
    }

    /// The same, where the progress reported last is kept elsewhere.
    pub(crate) fn encode_progress_after(
        &self,
        last: &mut Option<f64>,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
    ) -> Option<Vec<u8>> {
        let token = self.progress_token.as_ref()?;
        // JSON has no form for what is not finite.
        if !progress.is_finite() || last.is_some_and(|last| progress <= last) {
            return None;
        }
        *last = Some(progress);
        let mut params = Vec::with_capacity(64);
        params.extend_from_slice(br#"{"progressToken":"#);
        write_id(&mut params, token);
        params.extend_from_slice(br#","progress":"#);
        write_number(&mut params, progress);
        // A total that cannot be said leaves the progress worth saying.
        if let Some(total) = total.filter(|total| total.is_finite()) {
            params.extend_from_slice(br#","total":"#);
            write_number(&mut params, total);
        }
        // 2024-11-05 knows no message; an unknown member does no harm there.
        if let Some(message) = message {
            params.extend_from_slice(br#","message":"#);
            write_json(&mut params, message);
        }
        params.push(b'}');
        Some(encode_notification(Method::ProgressNotification.as_str(), &params))
    }

    /// A `notifications/message` for the request: `None` where the client does not want messages of this level.
    ///
    /// 2026-07-28, Logging: none MUST be sent for a request without `logLevel`. Up to 2025-11-25 the level is that
    /// of `logging/setLevel`, and `info` before there was one. Either way the server has to have declared the
    /// capability `logging`.
    pub fn encode_log(&self, level: &LoggingLevel, logger: Option<&str>, data: &RawJson) -> Option<Vec<u8>> {
        if !self.wants_log(level) {
            return None;
        }
        let mut params = Vec::with_capacity(64 + data.as_bytes().len());
        params.extend_from_slice(br#"{"level":"#);
        write_json(&mut params, level);
        if let Some(logger) = logger {
            params.extend_from_slice(br#","logger":"#);
            write_json(&mut params, logger);
        }
        params.extend_from_slice(br#","data":"#);
        params.extend_from_slice(data.as_bytes());
        params.push(b'}');
        Some(encode_notification(
            Method::LoggingMessageNotification.as_str(),
            &params,
        ))
    }

    /// Whether a log message of this level is sent.
    pub fn wants_log(&self, level: &LoggingLevel) -> bool {
        self.log_level
            .is_some_and(|least| severity(level).is_some_and(|severity| severity >= least))
    }
}

impl ClientFacts {
    /// A client that has said nothing.
    pub(crate) const UNKNOWN: Self = Self {
        info: None,
        capabilities: RawJson::empty_object(),
    };

    /// Whether it has declared `capability`.
    pub(crate) fn declares(&self, capability: ClientCapability) -> bool {
        // What cannot be read is declared by nobody.
        let capabilities = self.capabilities.decode::<ClientCapabilities>();
        capabilities.is_ok_and(|capabilities| capabilities.has(capability))
    }
}

/// The rank of a level, from 0 for `debug` up; `None` for a level that is none.
pub(crate) fn severity(level: &LoggingLevel) -> Option<u8> {
    Some(match level {
        LoggingLevel::Debug => 0,
        LoggingLevel::Info => 1,
        LoggingLevel::Notice => 2,
        LoggingLevel::Warning => 3,
        LoggingLevel::Error => 4,
        LoggingLevel::Critical => 5,
        LoggingLevel::Alert => 6,
        LoggingLevel::Emergency => 7,
        LoggingLevel::Other(_) => return None,
    })
}

/// The rank of the level named `name`.
///
/// # Errors
/// −32602 where there is none (Logging, Error Handling).
pub(crate) fn parse_severity(name: &str) -> Result<u8, ErrorObject> {
    severity(&LoggingLevel::from(name)).ok_or_else(|| ErrorObject::invalid_params("unknown log level"))
}

/// Whole numbers without a fraction, everything else as it is.
fn write_number(out: &mut Vec<u8>, value: f64) {
    let whole = value as i64;
    // Below 2^53, so that the cast loses nothing.
    if whole as f64 == value && value.abs() < 9e15 {
        write_json(out, &whole);
    } else {
        write_json(out, &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn context(revision: Revision) -> RequestContext {
        RequestContext {
            revision,
            client: ClientFacts {
                info: None,
                capabilities: RawJson::parse(r#"{"sampling":{},"roots":{"listChanged":true},"elicitation":null}"#)
                    .unwrap(),
            },
            progress_token: Some(Id::from("t")),
            progress: None,
            log_level: severity(&LoggingLevel::Warning),
            meta: None,
            #[cfg(feature = "rounds")]
            asked: None,
        }
    }

    fn text(message: Option<Vec<u8>>) -> Option<String> {
        message.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn progress_only_goes_up() {
        let mut context = context(Revision::V2025_11_25);
        assert_eq!(
            text(context.encode_progress(0.0, Some(100.0), None)).unwrap(),
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":0,"total":100}}"#
        );
        assert_eq!(
            text(context.encode_progress(0.5, None, Some("half\n"))).unwrap(),
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":0.5,"message":"half\n"}}"#
        );
        for progress in [0.5, 0.25, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(context.encode_progress(progress, None, None), None, "{progress}");
        }
        assert!(context.encode_progress(0.6, Some(f64::NAN), None).is_some());
        context.progress_token = None;
        assert_eq!(context.encode_progress(9.0, None, None), None, "nobody asked");
    }

    #[test]
    fn logs_are_sent_from_the_wanted_level_on() {
        let mut context = context(Revision::V2026_07_28);
        let data = RawJson::parse(r#"{"x":1}"#).unwrap();
        assert_eq!(context.encode_log(&LoggingLevel::Notice, None, &data), None);
        assert_eq!(context.encode_log(&LoggingLevel::from("loud"), None, &data), None);
        assert_eq!(
            text(context.encode_log(&LoggingLevel::Error, Some("db"), &data)).unwrap(),
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","logger":"db","data":{"x":1}}}"#
        );
        context.log_level = None;
        assert_eq!(context.encode_log(&LoggingLevel::Emergency, None, &data), None);
    }

    #[test]
    fn a_missing_capability_is_named() {
        let modern = context(Revision::V2026_07_28);
        assert_eq!(modern.require(ClientCapability::Sampling), Ok(()));
        assert_eq!(modern.require(ClientCapability::RootsListChanged), Ok(()));
        let error = modern.require(ClientCapability::ElicitationUrl).unwrap_err();
        assert_eq!(error.code, ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY);
        assert_eq!(
            error.data.unwrap().as_str(),
            r#"{"requiredCapabilities":{"elicitation":{"url":{}}}}"#
        );
        let legacy = context(Revision::V2025_11_25);
        let error = legacy.require(ClientCapability::Elicitation).unwrap_err();
        assert_eq!(error.code, ErrorCode::INVALID_REQUEST);
    }
}
