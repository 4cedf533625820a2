//! What one side asked, read by other means than those under test: no answer may come to anything else.

use std::collections::BTreeMap;
use std::fmt;

use mcp_proto::jsonrpc::Id;
use mcp_proto::wire::outline::Outline;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The ids in the lines that were sent, and how often each was answered.
#[derive(Debug)]
pub struct Asked {
    line: Vec<u8>,
    most: usize,
    asked: BTreeMap<Id, usize>,
    answered: BTreeMap<Id, usize>,
    cancelled: BTreeMap<Id, usize>,
    /// A line was too long: its id was guessed at.
    overlong: bool,
    batches: bool,
}

impl Asked {
    pub fn new(most: usize) -> Self {
        Self {
            line: Vec::new(),
            most,
            asked: BTreeMap::new(),
            answered: BTreeMap::new(),
            cancelled: BTreeMap::new(),
            overlong: false,
            batches: false,
        }
    }

    /// Bytes were sent.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.finish(),
                _ => self.line.push(*byte),
            }
        }
        self.overlong |= self.line.len() > self.most;
    }

    /// The line is complete.
    pub fn finish(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.overlong |= line.len() > self.most;
        self.batches |= line.trim_ascii_start().starts_with(b"[");
        let ids = match serde_json::from_slice(&line) {
            Ok(Ids(ids)) => ids,
            // Whatever can be told of a line that is no JSON may be answered.
            Err(_) => told(&line).into_iter().collect(),
        };
        for id in ids {
            *self.asked.entry(id).or_default() += 1;
        }
    }

    /// A response with this id came.
    pub fn answered(&mut self, id: &Id) {
        let answers = self.answered.entry(id.clone()).or_default();
        *answers += 1;
        let asked = self.asked.get(id).copied().unwrap_or_default();
        assert!(
            self.overlong || *answers <= asked,
            "{id:?}: {answers} answers to {asked} requests"
        );
    }

    /// The request with this id was cancelled.
    pub fn cancelled(&mut self, id: &Id) {
        *self.cancelled.entry(id.clone()).or_default() += 1;
    }

    /// How many answers this id had.
    pub fn answers(&self, id: &Id) -> usize {
        self.answered.get(id).copied().unwrap_or_default()
    }

    /// Whether a request with this id has no answer yet.
    pub fn is_pending(&self, id: &Id) -> bool {
        let cancelled = self.cancelled.get(id).copied().unwrap_or_default();
        self.overlong || self.answers(id) + cancelled < self.asked.get(id).copied().unwrap_or_default()
    }

    /// Whether there were batches, whose answers wait for one another.
    pub fn batches(&self) -> bool {
        self.batches
    }
}

/// The id of a line that cannot be read.
fn told(line: &[u8]) -> Option<Id> {
    serde_json::from_str(Outline::of(line).id()?).ok()
}

/// The members called `id` of a message, or of each message of a batch.
struct Ids(Vec<Id>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdsVisitor)
    }
}

struct IdsVisitor;

impl<'de> Visitor<'de> for IdsVisitor {
    type Value = Ids;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("messages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ids, A::Error> {
        let mut ids = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "id" {
                ids.extend(map.next_value::<MaybeId>()?.0);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Ids(ids))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ids, A::Error> {
        let mut ids = Vec::new();
        while let Some(Ids(more)) = items.next_element::<Ids>()? {
            ids.extend(more);
        }
        Ok(Ids(ids))
    }

    fn visit_unit<E>(self) -> Result<Ids, E> {
        Ok(Ids(Vec::new()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Ids, E> {
        Ok(Ids(Vec::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Ids, E> {
        Ok(Ids(Vec::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Ids, E> {
        Ok(Ids(Vec::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Ids, E> {
        Ok(Ids(Vec::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Ids, E> {
        Ok(Ids(Vec::new()))
    }
}

/// An id, or something else.
struct MaybeId(Option<Id>);

impl<'de> Deserialize<'de> for MaybeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&serde_json::value::RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}
