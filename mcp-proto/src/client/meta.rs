//! What a client adds to the `_meta` of its requests.

use alloc::vec::Vec;

use super::config::ClientConfig;
use crate::revision::Revision;
use crate::rpc::{CallId, CallOptions};

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
    pub(super) fn of(&self, call: CallId, options: &CallOptions, is_modern: bool) -> Vec<u8> {
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
