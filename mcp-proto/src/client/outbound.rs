//! What a client sends.

use alloc::format;
use alloc::vec::Vec;

use super::config::ClientConfig;
use super::event::Answer;
use super::machine::{Call, CallProgress, CallPurpose, Client, Link, Stage};
use super::tool_headers::ToolHeaders;
use crate::jsonrpc::{Id, Params, Peek, encode_error, encode_notification, encode_request_with, encode_result};
use crate::method::{Method, NameSource};
use crate::model::InitializeParams;
use crate::revision::Revision;
use crate::rpc::{CallId, CallOptions, Mirrored, Purpose};

/// The parts of `_meta` that every request of the modern era carries, written once.
#[derive(Debug)]
pub(super) struct Members {
    modern: Vec<u8>,
}

impl Members {
    /// Writes version, client info and capabilities (2026-07-28, Overview, Per-request protocol fields).
    pub(super) fn new(config: &ClientConfig) -> Self {
        let mut modern = Vec::new();
        modern.extend_from_slice(br#""io.modelcontextprotocol/protocolVersion":""#);
        modern.extend_from_slice(Revision::LATEST.as_str().as_bytes());
        modern.extend_from_slice(br#"","io.modelcontextprotocol/clientInfo":"#);
        modern.extend(serde_json::to_vec(&config.info).unwrap_or_else(|_| b"{}".to_vec()));
        modern.extend_from_slice(br#","io.modelcontextprotocol/clientCapabilities":"#);
        modern.extend(serde_json::to_vec(&config.capabilities).unwrap_or_else(|_| b"{}".to_vec()));
        Self { modern }
    }

    /// The members for one request.
    fn of(&self, call: CallId, options: &CallOptions, is_modern: bool) -> Vec<u8> {
        let mut members = Vec::with_capacity(self.modern.len() + 96);
        if is_modern {
            members.extend_from_slice(&self.modern);
        }
        if options.progress {
            separate(&mut members);
            members.extend_from_slice(br#""progressToken":"#);
            members.extend(serde_json::to_vec(&call.to_id()).unwrap_or_default());
        }
        if let Some(level) = options.log_level.as_ref().filter(|_| is_modern) {
            separate(&mut members);
            members.extend_from_slice(br#""io.modelcontextprotocol/logLevel":"#);
            members.extend(serde_json::to_vec(level).unwrap_or_default());
        }
        members
    }
}

fn separate(members: &mut Vec<u8>) {
    if !members.is_empty() {
        members.push(b',');
    }
}

impl Client {
    /// Writes a call as the era wants it, and queues it.
    pub(super) fn enqueue_call(&mut self, id: CallId) {
        let is_modern = self.revision().is_some_and(Revision::is_stateless);
        let is_mirrored = is_modern && self.link == Link::Http;
        let Some(call) = self.calls.get(id) else { return };
        let members = self.members.of(id, &call.options, is_modern);
        let text = encode_request_with(&id.to_id(), call.method.as_str(), &call.params, &members);
        let method = is_mirrored.then(|| call.method.clone());
        let mirrored = match is_mirrored {
            true => mirrored(call, &self.tool_headers),
            false => Mirrored::default(),
        };
        let key = self.outbox.push(text, (Purpose::Call(id), method, mirrored));
        self.queued(id, key);
    }

    pub(super) fn enqueue_response(&mut self, id: &Id, answer: &Answer) {
        let text = match answer {
            Ok(result) => encode_result(id, result.as_bytes()),
            Err(error) => encode_error(Some(id), error),
        };
        self.owed += text.len();
        self.outbox.push(text, (Purpose::Response, None, Mirrored::default()));
    }

    pub(super) fn enqueue_cancelled(&mut self, call: CallId) {
        let params = format!("{{\"requestId\":{}}}", call.to_id());
        let text = encode_notification(Method::CancelledNotification.as_str(), params.as_bytes());
        self.outbox.push(
            text,
            (
                Purpose::Notification,
                Some(Method::CancelledNotification.into()),
                Mirrored::default(),
            ),
        );
    }

    pub(super) fn enqueue_discover(&mut self) {
        let options = CallOptions::default().with_timeout(Some(self.config.timeouts.probe));
        self.enqueue_own(Method::Discover, Params::NONE, options, CallPurpose::Discover);
    }

    pub(super) fn enqueue_initialize(&mut self, revision: Revision) {
        let options = CallOptions::default().with_timeout(Some(self.config.timeouts.initialize));
        let (capabilities, info) = (self.config.capabilities.clone(), self.config.info.clone());
        let params = InitializeParams::new(revision.as_str(), capabilities, info);
        let params = Params::from_serialize(&params).unwrap_or_default();
        self.enqueue_own(Method::Initialize, params, options, CallPurpose::Initialize);
    }

    /// `notifications/initialized`: everything else is held until it is gone.
    pub(super) fn enqueue_initialized(&mut self) {
        let method = Method::InitializedNotification;
        let text = encode_notification(method.as_str(), b"");
        self.outbox
            .push(text, (Purpose::Initialized, Some(method.into()), Mirrored::default()));
    }

    /// A request of the machine itself.
    pub(super) fn enqueue_own(&mut self, method: Method, params: Params, options: CallOptions, purpose: CallPurpose) {
        let progress = CallProgress::Born;
        let call = Call {
            method: method.into(),
            params,
            options,
            purpose,
            progress,
            repeated: false,
            mismatch: None,
        };
        let options = call.options.clone();
        let id = self.calls.begin_own(&options, &self.config.timeouts, call);
        let is_modern = matches!(self.stage, Stage::Modern(_));
        let Some(call) = self.calls.get(id) else { return };
        let members = self.members.of(id, &call.options, is_modern);
        let text = encode_request_with(&id.to_id(), method.as_str(), &call.params, &members);
        let purpose = match purpose {
            CallPurpose::Initialize => Purpose::Initialize(id),
            _ => Purpose::Call(id),
        };
        let key = self
            .outbox
            .push(text, (purpose, Some(method.into()), Mirrored::default()));
        self.queued(id, key);
    }

    /// A call waits in the outbox under this key.
    fn queued(&mut self, id: CallId, key: u64) {
        if let Some(call) = self.calls.get_mut(id) {
            call.progress = CallProgress::Queued(key);
        }
    }
}

/// What of a call headers mirror (2026-07-28, Streamable HTTP, Standard Request Headers and Client Behavior).
fn mirrored(call: &Call, tools: &ToolHeaders) -> Mirrored {
    let source = call.method.known().and_then(|method| method.name_source());
    let peek = call.params.as_raw().map(Peek::of);
    let (Some(source), Some(Ok(peek))) = (source, peek) else {
        return Mirrored::default();
    };
    let params = match call.method.known() {
        Some(Method::CallTool) => tools.of_call(&peek),
        _ => Vec::new(),
    };
    let name = match source {
        NameSource::Name => peek.name,
        NameSource::Uri => peek.uri,
        NameSource::TaskId => peek.task_id,
    };
    Mirrored {
        name: name.map(Into::into),
        params,
    }
}
