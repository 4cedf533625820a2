//! Which arguments of which tools are mirrored in HTTP headers.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::jsonrpc::{Members, Peek, RawJson};
use crate::wire::header::{ParamHeaderError, ParamHeaders};

/// The annotation that makes an argument a header.
const ANNOTATION: &str = "x-mcp-header";

/// The annotated tools of a server, as its lists have shown them
/// (2026-07-28, Streamable HTTP, Custom Headers from Tool Parameters).
#[derive(Debug)]
pub(super) struct ToolHeaders {
    most: usize,
    tools: BTreeMap<Box<str>, ParamHeaders>,
}

/// A tool that is left out of a list because its annotations are wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rejected {
    pub(super) tool: Box<str>,
    pub(super) reason: ParamHeaderError,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default, rename = "inputSchema")]
    input_schema: Option<&'a RawValue>,
}

impl ToolHeaders {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tools: BTreeMap::new(),
        }
    }

    /// Learns from the result of `tools/list`, and takes out the tools whose annotations are wrong: the client
    /// "MUST exclude the invalid tool from the result" and should say so.
    pub(super) fn learn(&mut self, result: RawJson) -> (RawJson, Vec<Rejected>) {
        // A tool may have lost its annotations: where any are remembered, every list is read.
        if self.tools.is_empty() && !result.as_str().contains(ANNOTATION) {
            return (result, Vec::new());
        }
        let Some(parts) = Members::of(result.as_str()) else {
            return (result, Vec::new());
        };
        let tools = parts.iter().find(|part| part.key == "tools");
        let tools: Vec<&RawValue> = tools
            .and_then(|part| serde_json::from_str(part.value).ok())
            .unwrap_or_default();
        let mut rejected = Vec::new();
        let kept: Vec<_> = tools
            .into_iter()
            .filter(|tool| self.take(tool.get(), &mut rejected))
            .collect();
        // Byte for byte as it came, where nothing has to be taken out.
        if rejected.is_empty() {
            return (result, rejected);
        }
        (without(&parts, &kept), rejected)
    }

    /// Learns from one tool of a list, as [`learn`](Self::learn) does from all; why it is to be left out, if it is.
    pub(super) fn learn_one(&mut self, tool: &str) -> Option<Rejected> {
        if self.tools.is_empty() && !tool.contains(ANNOTATION) {
            return None;
        }
        let mut rejected = Vec::new();
        self.take(tool, &mut rejected);
        rejected.pop()
    }

    /// Whether no tool is annotated.
    pub(super) fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// The headers of a call, in the order of the schema.
    pub(super) fn of_call(&self, peek: &Peek<'_>) -> Vec<(String, String)> {
        let headers = peek.name.as_deref().and_then(|name| self.tools.get(name));
        headers
            .map(|headers| headers.values(peek.arguments))
            .unwrap_or_default()
    }

    /// Learns from one tool; whether it may stay in the list.
    fn take(&mut self, tool: &str, rejected: &mut Vec<Rejected>) -> bool {
        let Ok(Tool { name, input_schema }) = serde_json::from_str::<Tool<'_>>(tool) else {
            // What is no tool is not for this to exclude: who reads the list skips it, and says so.
            return true;
        };
        match ParamHeaders::from_schema(input_schema.map_or("{}", RawValue::get)) {
            Ok(headers) if headers.is_empty() => {
                self.tools.remove(&*name);
            }
            Ok(headers) if self.tools.len() < self.most || self.tools.contains_key(&*name) => {
                self.tools.insert(name.into(), headers);
            }
            // The server will refuse calls of one that cannot be remembered.
            Ok(_) => {}
            Err(reason) => {
                self.tools.remove(&*name);
                rejected.push(Rejected {
                    tool: name.into(),
                    reason,
                });
                return false;
            }
        }
        true
    }
}

/// The result with these tools only, everything else as it was.
fn without(parts: &Members<'_>, kept: &[&RawValue]) -> RawJson {
    let mut out = Vec::from(*b"{");
    for part in parts.iter() {
        if out.len() > 1 {
            out.push(b',');
        }
        if part.key == "tools" {
            out.extend_from_slice(b"\"tools\":[");
            for (at, tool) in kept.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(tool.get().as_bytes());
            }
            out.push(b']');
        } else {
            out.extend_from_slice(part.text.as_bytes());
        }
    }
    out.push(b'}');
    RawJson::from_valid(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tools: &str) -> RawJson {
        RawJson::parse(alloc::format!(
            r#"{{"resultType":"complete","tools":[{tools}],"ttlMs":5.0}}"#
        ))
        .unwrap()
    }

    const GOOD: &str = r#"{"name":"good","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}"#;
    const BAD: &str =
        r#"{"name":"bad","inputSchema":{"type":"object","properties":{"x":{"type":"object","x-mcp-header":"X"}}}}"#;
    const PLAIN: &str = r#"{"name":"plain","inputSchema":{"type":"object"}}"#;

    #[test]
    fn wrong_annotations_take_a_tool_out_and_nothing_else() {
        let mut headers = ToolHeaders::new(9);
        let (result, rejected) = headers.learn(list(&[GOOD, BAD, PLAIN].join(",")));
        assert_eq!(result, list(&[GOOD, PLAIN].join(",")));
        assert_eq!(rejected.len(), 1);
        assert_eq!(&*rejected[0].tool, "bad");
        let untouched = list(&[PLAIN, GOOD].join(" , "));
        assert_eq!(headers.learn(untouched.clone()), (untouched, Vec::new()));
    }

    #[test]
    fn calls_mirror_their_arguments() {
        let mut headers = ToolHeaders::new(9);
        let _ = headers.learn(list(GOOD));
        let of = |params: &str| headers.of_call(&Peek::of(&RawJson::parse(String::from(params)).unwrap()).unwrap());
        let mirrored = of(r#"{"name":"good","arguments":{"region":"us west"}}"#);
        assert_eq!(mirrored.len(), 1);
        assert!(mirrored[0].0.eq_ignore_ascii_case("mcp-param-region"));
        assert_eq!(mirrored[0].1, "us west");
        assert!(of(r#"{"name":"good","arguments":{"region":null}}"#).is_empty());
        assert!(of(r#"{"name":"good"}"#).is_empty());
        assert!(of(r#"{"name":"other","arguments":{"region":"a"}}"#).is_empty());
    }

    #[test]
    fn annotations_that_are_gone_are_forgotten() {
        let mut headers = ToolHeaders::new(9);
        let _ = headers.learn(list(GOOD));
        let other = list(PLAIN);
        assert_eq!(headers.learn(other.clone()), (other, Vec::new()));
        assert_eq!(headers.tools.len(), 1, "another page says nothing of it");
        let _ = headers.learn(list(r#"{"name":"good","inputSchema":{"type":"object"}}"#));
        assert!(headers.tools.is_empty());
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut headers = ToolHeaders::new(1);
        let second = GOOD.replace("good", "second");
        let (result, _) = headers.learn(list(&[GOOD, &second].join(",")));
        assert_eq!(result, list(&[GOOD, &second].join(",")), "nothing was rejected");
        assert_eq!(headers.tools.len(), 1);
    }
}
