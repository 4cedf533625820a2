//! What goes over the wire, watched by somebody who belongs to neither side.

use alloc::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The requests of one direction and their answers, by what the JSON-RPC ids on the wire say.
///
/// An id stands for one request: it is not used again, is answered once at most, and not any more once the side that
/// has to answer knows that it is cancelled.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    requests: BTreeMap<Key, Fate>,
}

/// A session, where there are some, and an id.
type Key = (Option<String>, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Answered,
    Cancelled,
}

impl Ledger {
    /// The side that asks has written this, in this session.
    ///
    /// # Panics
    /// Where it uses an id a second time.
    pub(super) fn asked(&mut self, session: Option<&str>, text: &[u8]) {
        for message in messages(text) {
            if message.get("method").is_some()
                && let Some(id) = id_of(&message)
            {
                let key = (session.map(String::from), id);
                let before = self.requests.insert(key, Fate::Open);
                assert_eq!(before, None, "an id is used twice: {message}");
            }
        }
    }

    /// The side that answers has learned that its answer is not wanted any more.
    pub(super) fn cancelled(&mut self, id: &str) {
        let key = (None, id.to_owned());
        self.requests.insert(key, Fate::Cancelled);
    }

    /// The side that answers has written this.
    ///
    /// # Panics
    /// Where it answers what nobody has asked, or does not want answered, or a second time.
    pub(super) fn answered(&mut self, text: &[u8]) {
        for message in messages(text) {
            if message.get("method").is_none()
                && let Some(id) = id_of(&message)
            {
                let before = self.requests.insert((None, id), Fate::Answered);
                assert_eq!(before, Some(Fate::Open), "an answer too many: {message}");
            }
        }
    }
}

/// The sessions of which a client has been told that they are over.
#[derive(Debug, Default)]
pub(super) struct Obituaries(BTreeSet<String>);

impl Obituaries {
    /// A client opens an exchange in this session.
    ///
    /// # Panics
    /// Where it has been told that there is no such session any more.
    pub(super) fn opened(&self, session: Option<&str>, text: &[u8]) {
        let Some(session) = session else { return };
        assert!(!self.0.contains(session), "an exchange in a session that is lost");
        let is_first = messages(text).any(|message| message["method"] == "initialize");
        assert!(!is_first, "a session that begins in another one");
    }

    /// A client has been told so.
    pub(super) fn lost(&mut self, session: &str) {
        self.0.insert(session.to_owned());
    }
}

/// The messages in a text, those of a batch as well; nothing where it is cut.
fn messages(text: &[u8]) -> impl Iterator<Item = Value> {
    let lines = text.split(|byte| *byte == b'\n');
    let values = lines.filter_map(|line| serde_json::from_slice(line).ok());
    values.flat_map(|value| match value {
        Value::Array(members) => members,
        value => vec![value],
    })
}

fn id_of(message: &Value) -> Option<String> {
    let id = message.get("id")?;
    (!id.is_null()).then(|| id.to_string())
}
