//! The key of a session, derived from how its server is reached.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::transport::Transport;

/// What a session is for: a server, and a conversation with it where each has a session of its own.
///
/// It is made of what it holds and of nothing else: a key made anew for each request finds the same session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct SessionKey {
    /// How the server is reached.
    pub transport: Transport,
    /// Whose session it is, where there is one for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
}

impl SessionKey {
    /// The session of all.
    pub fn new(transport: impl Into<Transport>) -> Self {
        Self {
            transport: transport.into(),
            conversation: None,
        }
    }

    /// The session of one conversation.
    #[must_use]
    pub fn of_conversation(mut self, id: impl Into<String>) -> Self {
        self.conversation = Some(id.into());
        self
    }
}

impl<T: Into<Transport>> From<T> for SessionKey {
    fn from(transport: T) -> Self {
        Self::new(transport)
    }
}
