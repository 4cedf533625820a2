//! What one side of a connection may get to read: messages of the protocol with small variations, and junk.

use arbitrary::{Arbitrary, Unstructured};

/// Bytes with a length of their own, so that what follows does not depend on the end of the input.
#[derive(Clone, Debug)]
pub struct Raw(pub Vec<u8>);

impl<'a> Arbitrary<'a> for Raw {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let length = usize::from(u8::arbitrary(u)?).min(u.len());
        Ok(Self(u.bytes(length)?.to_vec()))
    }
}

/// One message, or something that is none.
#[derive(Arbitrary, Clone, Debug)]
pub enum Message {
    /// One of a table, with an id and a text of another table.
    Known { template: u8, id: u8, text: u8 },
    /// Two of the table as a batch.
    Batch { templates: [u8; 2], ids: [u8; 2], text: u8 },
    /// Anything.
    Raw(Raw),
}

/// Ids, as JSON.
const IDS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "\"a\"", "\"1\"", "null", "1.0", "-1"];

/// What stands in the place of `$t` in templates, where anything would do.
const TEXTS: [&str; 8] = [
    "2026-07-28",
    "2025-11-25",
    "2025-06-18",
    "2025-03-26",
    "2024-11-05",
    "2099-01-01",
    "complete",
    "\\u0000 \\ud83d\\ude00",
];

/// What the server gets to read. `$i` is an id, `$t` a text, `$m` the `_meta` of the modern era.
pub const TO_SERVER: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":$i,"method":"initialize","params":{"protocolVersion":"$t","capabilities":{"roots":{},"sampling":{},"elicitation":{}},"clientInfo":{"name":"f","version":"1"}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"ping"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"tools/call","params":{"name":"t","arguments":{"n":$i},"_meta":{"progressToken":$i}}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"tools/call","params":{"name":"t","arguments":{"n":$i},"_meta":{$m,"progressToken":$i}}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"tools/list","params":{"_meta":{$m}}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"server/discover","params":{"_meta":{$m}}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["$t"]},"_meta":{$m}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":$i,"reason":"$t"}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$i,"progress":1}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"logging/setLevel","params":{"level":"debug"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"resources/subscribe","params":{"uri":"$t"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"result":{"roots":[]}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"error":{"code":-32000,"message":"$t"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"$t"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"id":2,"method":"ping"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"tools/call","params":[$i]}"#,
    r#"{"jsonrpc":"2.0","id":$i}"#,
];

/// What the client gets to read.
pub const TO_CLIENT: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":$i,"result":{"supportedVersions":["$t","2026-07-28"],"capabilities":{"tools":{}},"resultType":"complete"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"result":{"protocolVersion":"$t","capabilities":{"tools":{}},"serverInfo":{"name":"f","version":"1"}}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"result":{"content":[],"resultType":"complete"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"result":{"resultType":"$t"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"error":{"code":-32601,"message":"$t"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"error":{"code":-32022,"message":"","data":{"supported":["$t"],"requested":"2026-07-28"}}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"error":{"code":-32602,"message":"$t"}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$i,"progress":1}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":$i}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"$t"}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"ping"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"roots/list"}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#,
    r#"{"jsonrpc":"2.0","id":$i,"method":"$t"}"#,
    r#"{"jsonrpc":"2.0","id":$i}"#,
    r#"{"jsonrpc":"2.0","id":$i,"result":{},"error":{}}"#,
];

const META: &str = r#""io.modelcontextprotocol/protocolVersion":"$t","io.modelcontextprotocol/clientInfo":{"name":"f","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}"#;

impl Message {
    /// The message as it is written, without a line end.
    pub fn text(&self, templates: &[&str]) -> Vec<u8> {
        match self {
            Self::Known { template, id, text } => fill(templates, *template, *id, *text).into_bytes(),
            Self::Batch {
                templates: [a, b],
                ids: [i, j],
                text,
            } => {
                let (first, second) = (fill(templates, *a, *i, *text), fill(templates, *b, *j, *text));
                format!("[{first},{second}]").into_bytes()
            }
            Self::Raw(Raw(bytes)) => bytes.clone(),
        }
    }
}

fn fill(templates: &[&str], template: u8, id: u8, text: u8) -> String {
    let template = pick(templates, template).replace("$m", META);
    template.replace("$i", pick(&IDS, id)).replace("$t", pick(&TEXTS, text))
}

/// One of a table.
pub fn pick<'t, T: ?Sized>(table: &[&'t T], index: u8) -> &'t T {
    table[usize::from(index) % table.len()]
}
