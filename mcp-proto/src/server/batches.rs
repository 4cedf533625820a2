//! Batches whose requests are not all answered yet (2025-03-26, Batching).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::rpc::RequestKey;
use crate::shown::shown;

/// A batch of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BatchKey(u64);

/// The answers of each batch, collected until they are complete: then they are one array (JSON-RPC 2.0, 6).
///
/// | a batch is | until | why |
/// |---|---|---|
/// | open | its last message has been looked at | one whose answers so far are complete may have more messages to come |
/// | waiting | its last request is answered or cancelled | an array that has left cannot be added to |
/// | complete | at once: it leaves, unless nothing is to be said | JSON-RPC 2.0, 6: no empty array |
///
/// There are never more of them than requests in progress, and one: who is answered at once waits for nothing.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    next: u64,
    batches: BTreeMap<BatchKey, Batch>,
    members: BTreeMap<RequestKey, BatchKey>,
    /// Bytes of the answers that wait for others.
    bytes: usize,
}

#[derive(Default)]
struct Batch {
    /// Whether all its messages have been looked at.
    sealed: bool,
    waiting: usize,
    /// The array so far, without its end.
    text: Vec<u8>,
}

shown!(Batch { sealed, waiting } bytes { text });

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::Requests;

    fn keys() -> [RequestKey; 3] {
        let mut requests = Requests::new(3);
        [1, 2, 3].map(|id| requests.begin(&id.into()).unwrap())
    }

    #[test]
    fn an_array_leaves_when_its_last_answer_is_there() {
        let [first, second, alone] = keys();
        let mut batches = Batches::default();
        let batch = batches.open();
        batches.add(batch, b"0");
        batches.expect(batch, first);
        assert_eq!(batches.settle(first, Some(b"1".to_vec())), None, "it is open");
        batches.expect(batch, second);
        assert_eq!(batches.seal(batch), None);
        assert_eq!(
            batches.settle(alone, Some(b"3".to_vec())),
            Some(b"3".to_vec()),
            "of no batch"
        );
        assert_eq!(batches.bytes(), 4);
        assert_eq!(batches.settle(second, Some(b"2".to_vec())), Some(b"[0,1,2]".to_vec()));
        assert_eq!((batches.entries(), batches.bytes()), (0, 0));
    }

    #[test]
    fn an_empty_array_is_not_sent() {
        let [first, ..] = keys();
        let mut batches = Batches::default();
        let batch = batches.open();
        assert_eq!(batches.seal(batch), None);
        assert_eq!(batches.entries(), 0);
        let batch = batches.open();
        batches.expect(batch, first);
        assert_eq!(batches.seal(batch), None);
        assert_eq!(batches.settle(first, None), None, "it is cancelled");
        assert_eq!(batches.entries(), 0);
    }
}
