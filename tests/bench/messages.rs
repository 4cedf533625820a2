//! The one message that everything is measured with: an echo of 100 bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The argument of the tool, 100 bytes.
pub(crate) const TEXT: &str =
    "The quick brown fox jumps over the lazy dog, and then the dog, no longer lazy, jumps over that fox..";

/// What the tool takes.
#[derive(Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Echo<S = String> {
    /// What to say.
    pub(crate) text: S,
}

/// How the echo is called.
#[derive(Serialize)]
pub(crate) struct CallTool<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: Echo<&'a str>,
}

/// A request as it is written.
#[derive(Serialize)]
pub(crate) struct RequestOut<'a> {
    pub(crate) jsonrpc: &'a str,
    pub(crate) id: u64,
    pub(crate) method: &'a str,
    pub(crate) params: ParamsOut<'a>,
}

#[derive(Serialize)]
pub(crate) struct ParamsOut<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: Echo<&'a str>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<&'a RawValue>,
}

/// A request as it is read, owned.
#[derive(Deserialize)]
pub(crate) struct RequestIn {
    pub(crate) jsonrpc: String,
    pub(crate) id: u64,
    pub(crate) method: String,
    pub(crate) params: ParamsIn,
}

#[derive(Deserialize)]
pub(crate) struct ParamsIn {
    pub(crate) name: String,
    pub(crate) arguments: Echo,
    #[serde(rename = "_meta", default)]
    pub(crate) meta: Option<MetaIn>,
}

#[derive(Deserialize)]
pub(crate) struct MetaIn {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    pub(crate) version: String,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    pub(crate) client: Box<RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    pub(crate) capabilities: Box<RawValue>,
}

/// A request as it is read, borrowed.
#[derive(Deserialize)]
pub(crate) struct RequestRef<'a> {
    pub(crate) jsonrpc: &'a str,
    #[serde(default)]
    pub(crate) id: Option<u64>,
    pub(crate) method: &'a str,
    #[serde(borrow)]
    pub(crate) params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(crate) struct ParamsRef<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: Echo<&'a str>,
    #[serde(rename = "_meta", borrow)]
    pub(crate) meta: Option<&'a RawValue>,
}

/// A response as it is read.
#[derive(Deserialize)]
pub(crate) struct Response<S = String> {
    pub(crate) jsonrpc: S,
    pub(crate) id: u64,
    pub(crate) result: CallResult<S>,
}

#[derive(Deserialize)]
pub(crate) struct CallResult<S> {
    pub(crate) content: Vec<Content<S>>,
}

/// The same as it is written, without a list in memory.
#[derive(Serialize)]
struct ResponseOut<'a> {
    jsonrpc: &'a str,
    id: u64,
    result: ResultOut<'a>,
}

#[derive(Serialize)]
struct ResultOut<'a> {
    content: [Content<&'a str>; 1],
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Content<S> {
    #[serde(rename = "type")]
    pub(crate) kind: S,
    pub(crate) text: S,
}

/// The text of a request.
pub(crate) fn request(id: u64, meta: Option<&RawValue>) -> Vec<u8> {
    let params = ParamsOut {
        name: "echo",
        arguments: Echo { text: TEXT },
        meta,
    };
    let request = RequestOut {
        jsonrpc: "2.0",
        id,
        method: "tools/call",
        params,
    };
    serde_json::to_vec(&request).expect("a request")
}

/// The text of a response.
pub(crate) fn response(id: u64, text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write_response(&mut out, id, text);
    out
}

/// Appends the text of a response.
pub(crate) fn write_response(out: &mut Vec<u8>, id: u64, text: &str) {
    let content = [Content { kind: "text", text }];
    let response = ResponseOut {
        jsonrpc: "2.0",
        id,
        result: ResultOut { content },
    };
    serde_json::to_writer(out, &response).expect("a response");
}

/// `_meta` as a modern client sends it.
pub(crate) fn modern_meta() -> Box<RawValue> {
    RawValue::from_string(
        concat!(
            r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
            r#""io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"},"#,
            r#""io.modelcontextprotocol/clientCapabilities":{}}"#
        )
        .to_owned(),
    )
    .expect("JSON")
}

/// Reads a request, owned, and gives its id and text.
pub(crate) fn read_request(bytes: &[u8]) -> (u64, String) {
    let request: RequestIn = serde_json::from_slice(bytes).expect("a request");
    assert!(request.jsonrpc == "2.0" && request.method == "tools/call" && request.params.name == "echo");
    if let Some(meta) = request.params.meta {
        assert_eq!(meta.version, "2026-07-28");
        std::hint::black_box((meta.client, meta.capabilities));
    }
    (request.id, request.params.arguments.text)
}

/// Reads a response, owned, and checks it.
pub(crate) fn read_response(bytes: &[u8]) -> u64 {
    let response: Response = serde_json::from_slice(bytes).expect("a response");
    let content = response.result.content.first().expect("content");
    assert!(response.jsonrpc == "2.0" && content.kind == "text" && content.text == TEXT);
    response.id
}

/// The first request of a legacy session.
pub(crate) const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"load","version":"1"}}}"#
);

/// What comes after its answer.
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A call of the tool that reports progress, as often as it is told.
pub(crate) fn count_to(number: u64) -> Vec<u8> {
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"count","arguments":{{"to":{number}}},"_meta":{{"progressToken":"p"}}}}}}"#
    )
    .into_bytes()
}

/// A call of the echo with a text of one's own.
pub(crate) fn echo_of(text: &str) -> Vec<u8> {
    let head = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"text":""#;
    [head, text, r#""}}}"#].concat().into_bytes()
}

/// How the client and the server talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

impl Era {
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "legacy" => Self::Legacy,
            "modern" => Self::Modern,
            other => panic!("no era: {other}"),
        }
    }

    /// `_meta` of a request.
    pub(crate) fn meta(self) -> Option<Box<RawValue>> {
        (self == Self::Modern).then(modern_meta)
    }

    /// The headers of a `tools/call`, without those of a session.
    pub(crate) fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Legacy => &[
                ("host", "127.0.0.1"),
                ("content-type", "application/json"),
                ("accept", "application/json, text/event-stream"),
                ("mcp-protocol-version", "2025-11-25"),
            ],
            Self::Modern => &[
                ("host", "127.0.0.1"),
                ("content-type", "application/json"),
                ("accept", "application/json, text/event-stream"),
                ("mcp-protocol-version", "2026-07-28"),
                ("mcp-method", "tools/call"),
                ("mcp-name", "echo"),
            ],
        }
    }
}
