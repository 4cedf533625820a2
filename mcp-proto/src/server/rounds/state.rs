//! What a handler is given back in its next run.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::jsonrpc::RawJson;

/// What the client carries from one round to the next, sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// When it is worth nothing any more, in seconds of the Unix epoch.
    #[serde(rename = "e")]
    pub(super) expires: u64,
    /// How many rounds there were.
    #[serde(rename = "r")]
    pub(super) rounds: usize,
    /// What is asked in the round that it was made in: what an answer may be given to.
    #[serde(rename = "q", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) open: BTreeMap<String, u64>,
    /// What was answered in the rounds before.
    #[serde(rename = "a", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) answers: BTreeMap<String, Answer>,
    /// What happens once.
    #[serde(rename = "o", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) once: BTreeMap<String, RawJson>,
    /// The state of an author who writes in steps.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) step: Option<RawJson>,
}

/// An answer, and what it answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    #[serde(rename = "d")]
    pub(super) digest: u64,
    #[serde(rename = "j")]
    pub(super) json: RawJson,
}
