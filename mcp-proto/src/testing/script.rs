//! A peer on a byte stream that does what it is told, line by line.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::task::{Context, Poll, Waker};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::handle::Pump;
use crate::time::Time;

/// A peer on a byte stream that does what it is told: it waits for a message, and says what no honest peer would say.
///
/// It stands where a server or a client would, see [`Harness::against`](super::Harness::against) for a client to it. What is
/// not waited for is read and kept back until it is. It says its lines as soon as it can, and stays open at the end, unless
/// it is told to [`close`](Self::close).
///
/// ```
/// use mcp_proto::client::Mode;
/// use mcp_proto::handle::Client;
/// use mcp_proto::testing::{Harness, Script};
///
/// // A server that dies of the first call.
/// let script = Script::new()
///     .expect("tools/call")
///     .close();
/// let mut harness = Harness::against(script, Client::builder("test", "1").mode(Mode::Modern));
/// let call = harness.client().call_tool("fatal", serde_json::json!({}));
/// assert!(harness.run(call).is_err());
/// ```
#[derive(Default)]
pub struct Script {
    steps: RefCell<VecDeque<Step>>,
    heard: RefCell<Heard>,
}

#[derive(Debug)]
enum Step {
    /// Until a message of this method has come.
    Expect(String),
    Answer(&'static str, Value),
    Say(Vec<u8>),
    Close,
}

#[derive(Default)]
struct Heard {
    /// What is no whole line yet.
    rest: Vec<u8>,
    messages: VecDeque<Value>,
    /// The id of the message that was waited for last.
    id: Value,
    is_over: bool,
    driver: Option<Waker>,
}

impl Script {
    /// One that says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a message of this method has come, which [`result`](Self::result) and [`error`](Self::error) answer.
    #[must_use]
    pub fn expect(self, method: impl Into<String>) -> Self {
        self.then(Step::Expect(method.into()))
    }

    /// Answers with a result.
    #[must_use]
    pub fn result(self, result: Value) -> Self {
        self.then(Step::Answer("result", result))
    }

    /// Answers with an error.
    #[must_use]
    pub fn error(self, code: i64, message: &str) -> Self {
        self.then(Step::Answer("error", json!({"code": code, "message": message})))
    }

    /// Says this line, whatever it is.
    #[must_use]
    pub fn line(self, line: impl ToString) -> Self {
        let line = format!("{}\n", line.to_string());
        self.bytes(line)
    }

    /// Says these bytes, whatever they are.
    #[must_use]
    pub fn bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Say(bytes.into()))
    }

    /// Ends the stream.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    fn then(self, step: Step) -> Self {
        self.steps.borrow_mut().push_back(step);
        self
    }

    /// What it says next, where it does not wait.
    fn next(&self) -> Option<Said> {
        let (mut steps, mut heard) = (self.steps.borrow_mut(), self.heard.borrow_mut());
        loop {
            match steps.front()? {
                Step::Expect(method) => {
                    let mut messages = heard.messages.iter();
                    let at = messages.position(|message| message["method"] == method.as_str())?;
                    heard.id = heard.messages.remove(at)?["id"].take();
                    steps.pop_front();
                }
                _ => match steps.pop_front()? {
                    Step::Answer(member, value) => {
                        let answer = json!({"jsonrpc": "2.0", "id": heard.id, member: value});
                        return Some(Said::Bytes(format!("{answer}\n").into()));
                    }
                    Step::Say(bytes) => return Some(Said::Bytes(bytes)),
                    Step::Close | Step::Expect(_) => return Some(Said::End),
                },
            }
        }
    }

    fn wake(&self) {
        let driver = self.heard.borrow_mut().driver.take();
        driver.into_iter().for_each(Waker::wake);
    }
}

enum Said {
    Bytes(Vec<u8>),
    End,
}

impl Pump for Script {
    fn poll_wants_input(&self, _: &mut Context<'_>) -> Poll<bool> {
        Poll::Ready(!self.heard.borrow().is_over)
    }

    fn receive(&self, _: Time, bytes: Bytes) {
        let mut heard = self.heard.borrow_mut();
        heard.rest.extend_from_slice(&bytes);
        let mut rest = core::mem::take(&mut heard.rest);
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = rest.drain(..whole).collect();
        heard.rest = rest;
        let messages = lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok());
        // A batch is as many messages.
        heard.messages.extend(messages.flat_map(|message| match message {
            Value::Array(batch) => batch,
            single => Vec::from([single]),
        }));
        drop(heard);
        self.wake();
    }

    fn receive_eof(&self, _: Time) {
        self.heard.borrow_mut().is_over = true;
        // Whom it waits for is not going to say anything.
        self.steps.borrow_mut().push_front(Step::Close);
        self.wake();
    }

    fn poll_work(&self, _: &mut Context<'_>, _: Time) {}

    fn poll_transmit(&self, cx: &mut Context<'_>, _: Time) -> Poll<Option<Bytes>> {
        match self.next() {
            Some(Said::Bytes(bytes)) => Poll::Ready(Some(bytes.into())),
            Some(Said::End) => {
                self.heard.borrow_mut().is_over = true;
                // Asked again it says the same.
                self.steps.borrow_mut().push_front(Step::Close);
                Poll::Ready(None)
            }
            None => {
                self.heard.borrow_mut().driver = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn handle_timeout(&self, _: Time) {}
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.borrow().len();
        f.debug_struct("Script").field("steps", &steps).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Mode;
    use crate::handle::Client;
    use crate::revision::Revision;
    use crate::rpc::CallError;
    use crate::testing::Harness;

    fn legacy() -> Script {
        let result = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
            "serverInfo": {"name": "s", "version": "1"}});
        Script::new()
            .expect("initialize")
            .result(result)
            .expect("notifications/initialized")
    }

    fn against(script: Script) -> Harness {
        let client = Client::builder("c", "1").mode(Mode::Legacy(Revision::V2025_11_25));
        Harness::against(script, client)
    }

    #[test]
    fn it_answers_what_it_waits_for() {
        let script = legacy()
            .line("a line of a log")
            .expect("tools/call")
            .result(json!({"content": [{"type": "text", "text": "so"}]}))
            .expect("tools/call")
            .error(-1, "no");
        let mut harness = against(script);
        let calls = [0, 1].map(|_| harness.client().call_tool("t", json!({})));
        let [first, second] = calls.map(|call| harness.run(call));
        assert_eq!(first.unwrap().to_text(), "so");
        assert_eq!(second.unwrap_err().rpc_code(), Some(crate::jsonrpc::ErrorCode(-1)));
    }

    #[test]
    fn it_leaves_when_it_is_told_to() {
        let mut harness = against(legacy().expect("tools/call").bytes("{\"jsonrpc\"").close());
        let call = harness.client().call_tool("t", json!({}));
        assert!(matches!(harness.run(call), Err(CallError::Closed(_))));
    }
}
