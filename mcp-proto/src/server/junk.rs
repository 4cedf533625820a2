//! Lines that are no message.

use alloc::vec::Vec;

use crate::jsonrpc::{ErrorObject, Id, ParseError, encode_error};

/// What a client has sent that is no message, and which of it is answered.
///
/// | a line that is meant as | is answered | why |
/// |---|---|---|
/// | a reply, or nothing but an id | never | nobody waits for the answer of an answer |
/// | a request, with an id that can be read | always | its caller waits (JSON-RPC 2.0, 5) |
/// | anything else | a few times | so that two sides that misunderstand each other fall silent |
#[derive(Debug)]
pub(super) struct Junk {
    count: u64,
    /// How many answers without an id there may still be.
    left: usize,
}

impl Junk {
    /// Answers what has no id so often.
    pub(super) fn new(most: usize) -> Self {
        Self { count: 0, left: most }
    }

    /// A line that cannot be read: its answer, if any.
    pub(super) fn unreadable(&mut self, error: &ParseError) -> Option<Vec<u8>> {
        if error.is_reply() {
            self.reply();
            return None;
        }
        match error.id() {
            // Neither a request nor a reply: a line of a log may have an id, and so may a reply without a result.
            Some(_) if !error.has_method() => {
                self.reply();
                None
            }
            Some(id) => Some(self.request(id, &error.to_error())),
            None => self.nameless(&error.to_error()),
        }
    }

    /// What is meant as a reply.
    pub(super) fn reply(&mut self) {
        self.count += 1;
    }

    /// What is meant as a request with this id: its answer.
    fn request(&mut self, id: &Id, error: &ErrorObject) -> Vec<u8> {
        self.count += 1;
        encode_error(Some(id), error)
    }

    /// Anything else: its answer, while there may be one.
    pub(super) fn nameless(&mut self, error: &ErrorObject) -> Option<Vec<u8>> {
        self.count += 1;
        self.left = self.left.checked_sub(1)?;
        Some(encode_error(None, error))
    }

    /// How much there was.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::parse;
    use crate::limits::Limits;
    use alloc::string::String;

    fn answer(junk: &mut Junk, line: &str) -> Option<String> {
        let error = parse(String::from(line).into_bytes().into(), &Limits::default()).unwrap_err();
        let answer = junk.unreadable(&error)?;
        Some(String::from_utf8(answer).unwrap())
    }

    #[test]
    fn who_waits_is_answered_and_the_rest_a_few_times() {
        let mut junk = Junk::new(1);
        assert!(answer(&mut junk, "hello").unwrap().contains("-32700"));
        assert_eq!(answer(&mut junk, "hello"), None);
        let invalid = r#"{"jsonrpc":"2.0","id":7,"method":5}"#;
        for _ in 0..2 {
            assert!(answer(&mut junk, invalid).unwrap().contains(r#""id":7"#));
        }
        assert_eq!(junk.count(), 4);
    }

    #[test]
    fn a_reply_that_is_none_is_not_answered() {
        let mut junk = Junk::new(9);
        assert_eq!(answer(&mut junk, r#"{"jsonrpc":"2.0","id":7,"error":5}"#), None);
        assert_eq!(junk.count(), 1);
    }
}
