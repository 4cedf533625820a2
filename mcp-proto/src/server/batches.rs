//! Batches whose requests are not all answered yet (2025-03-26, Batching).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::rpc::RequestKey;

/// A batch of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BatchKey(u64);

/// The answers of each batch, collected until they are complete: then they are one array (JSON-RPC 2.0, 6).
///
/// There are never more of them than requests in progress.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    next: u64,
    batches: BTreeMap<BatchKey, Batch>,
    members: BTreeMap<RequestKey, BatchKey>,
    /// Bytes of the answers that wait for others.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Batch {
    /// Whether all its messages have been looked at.
    sealed: bool,
    waiting: usize,
    /// The array so far, without its end.
    text: Vec<u8>,
}

impl Batches {
    /// How many entries there are in all tables.
    pub(crate) fn entries(&self) -> usize {
        self.batches.len() + self.members.len()
    }

    /// A new batch.
    pub(crate) fn open(&mut self) -> BatchKey {
        let key = BatchKey(self.next);
        self.next += 1;
        self.batches.insert(key, Batch::default());
        key
    }

    /// A request of the batch is in progress.
    pub(crate) fn expect(&mut self, batch: BatchKey, request: RequestKey) {
        if let Some(open) = self.batches.get_mut(&batch) {
            open.waiting += 1;
            self.members.insert(request, batch);
        }
    }

    /// An answer that did not have to wait.
    pub(crate) fn add(&mut self, batch: BatchKey, answer: &[u8]) {
        if let Some(open) = self.batches.get_mut(&batch) {
            self.bytes = self.bytes.saturating_add(open.add(answer));
        }
    }

    /// How many bytes of answers wait for others.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All messages of the batch have been looked at: the array, where it is complete and not empty.
    pub(crate) fn seal(&mut self, batch: BatchKey) -> Option<Vec<u8>> {
        self.batches.get_mut(&batch)?.sealed = true;
        self.complete(batch)
    }

    /// A request has its answer, or `None` where it is cancelled. Gives the answer back where the request is not of
    /// a batch, and otherwise the array once that is complete.
    pub(crate) fn settle(&mut self, request: RequestKey, answer: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let Some(batch) = self.members.remove(&request) else {
            return answer;
        };
        if let Some(open) = self.batches.get_mut(&batch) {
            open.waiting = open.waiting.saturating_sub(1);
            if let Some(answer) = answer {
                self.bytes = self.bytes.saturating_add(open.add(&answer));
            }
        }
        self.complete(batch)
    }

    fn complete(&mut self, batch: BatchKey) -> Option<Vec<u8>> {
        let open = self.batches.get(&batch)?;
        // Handlers may be done while later messages are still being looked at.
        if !open.sealed || open.waiting > 0 {
            return None;
        }
        let mut text = self.batches.remove(&batch)?.text;
        self.bytes = self.bytes.saturating_sub(text.len());
        // JSON-RPC 2.0, 6: nothing is sent rather than an empty array.
        if text.is_empty() {
            return None;
        }
        text.push(b']');
        Some(text)
    }
}

impl Batch {
    /// How many bytes it has more then.
    fn add(&mut self, answer: &[u8]) -> usize {
        self.text.push(if self.text.is_empty() { b'[' } else { b',' });
        self.text.extend_from_slice(answer);
        answer.len() + 1
    }
}
