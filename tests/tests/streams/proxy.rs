//! A proxy: a handler that passes on what it is asked, and what it is answered, byte for byte.

use std::sync::{Arc, Mutex};

use mcp_proto::Revision;
use mcp_proto::client::{ClientConfig, Mode};
use mcp_proto::handle::server::{Context, Handler};
use mcp_proto::handle::{Client, Server};
use mcp_proto::jsonrpc::{ErrorObject, Params, RawJson};
use mcp_proto::method::MethodName;
use mcp_proto::model::{ServerCapabilities, ToolsCapability};
use mcp_proto::rpc::CallError;
use mcp_proto::server::ResultBody;
use mcp_tests::runtime::Stream;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use crate::everywhere;

/// What the one in the middle passes on.
struct Proxy(Client);

impl Handler for Proxy {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::default().with_tools(ToolsCapability::default())
    }

    async fn serve(
        &self,
        method: MethodName,
        params: Option<RawJson>,
        _context: Context,
    ) -> Result<ResultBody, ErrorObject> {
        let params = params.map(Params::from_raw).transpose()?;
        match self.0.request_raw(method, params.unwrap_or_default()).await {
            Ok(result) => Ok(ResultBody::from_raw(result)?),
            Err(CallError::Rpc(error)) => Err(error),
            Err(error) => Err(ErrorObject::internal(error.to_string())),
        }
    }
}

/// Odd in every way that JSON allows.
const PARAMS: &str = concat!(
    r#"{ "arguments" : {"z":1.0e0, "a":[ ]},"unknown":"\u0065\/", "_meta":{ "x/y" : -0 , "#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"else"},"#,
    r#""io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"progressToken":"mine","trace":{ } }, "name":"echo"}"#
);

const RESULT: &str = r#"{ "x":1.50,"resultType" : "complete", "_meta":{ "io.modelcontextprotocol/serverInfo":{"name":"far", "version":"0"}, "k":[ ]} ,"content":[ ],"unknown":{"b":1, "a":2} }"#;

/// The far server: answers everything with the same, and keeps the lines.
async fn answer(stream: impl AsyncRead + AsyncWrite, heard: Arc<Mutex<Vec<String>>>) {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let request: Value = serde_json::from_str(&line).expect("JSON");
        let result = match request["method"].as_str() {
            Some("initialize") => json!({"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "far", "version": "0"}}).to_string(),
            _ => RESULT.into(),
        };
        heard.lock().expect("no panic elsewhere").push(line);
        if !request["id"].is_null() {
            let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{result}}}\n", request["id"]);
            write.write_all(answer.as_bytes()).await.expect("write");
        }
    }
}

fn pass_on(mode: Mode, before: &[&str], expected_params: &str, expected_result: &str) {
    everywhere(async |runtime| {
        let heard = Arc::default();
        let (near, far) = Stream::pipe(1 << 12);
        runtime.spawn(Box::pin(answer(far, Arc::clone(&heard))));
        let config = ClientConfig::named("proxy", "1").with_mode(mode);
        let client = runtime.connect_stream(near, config).expect("a client");
        let server: Server = Server::builder("proxy", "1").handler(Proxy(client)).build();
        let (near, far) = Stream::pipe(1 << 12);
        let serving = runtime.serve_stream(&server, Stream::new(far));
        runtime.spawn(Box::pin(async { drop(serving.await) }));
        let (read, mut write) = tokio::io::split(near);
        let mut lines = BufReader::new(read).lines();
        for line in before {
            write.write_all(format!("{line}\n").as_bytes()).await.expect("write");
        }
        for _ in before.iter().filter(|line| line.contains("\"id\"")) {
            lines.next_line().await.expect("read").expect("a line");
        }
        let call = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/call\",\"params\":{PARAMS}}}\n");
        write.write_all(call.as_bytes()).await.expect("write");
        let answer = lines.next_line().await.expect("read").expect("a line");
        assert_eq!(
            answer,
            format!("{{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":{expected_result}}}")
        );
        let heard = heard.lock().expect("no panic elsewhere");
        let call = heard.iter().find(|line| line.contains("tools/call")).expect("a call");
        let (_, params) = call.split_once("\"params\":").expect("parameters");
        assert_eq!(params, format!("{expected_params}}}"));
    });
}

#[test]
fn in_the_modern_era_only_who_asks_is_another() {
    let own = concat!(
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientInfo":{"name":"proxy","version":"1"},"#,
        r#""io.modelcontextprotocol/clientCapabilities":{}"#
    );
    let params = PARAMS.replace(
        concat!(
            r#" , "io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
            r#""io.modelcontextprotocol/clientInfo":{"name":"else"},"#,
            r#""io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"progressToken":"mine","#
        ),
        " ,",
    );
    let params = params.replace(r#""_meta":{"#, &format!("\"_meta\":{{{own},"));
    pass_on(Mode::Modern, &[], &params, RESULT);
}

#[test]
fn in_the_legacy_era_nobody_says_who_asks() {
    let params = PARAMS.replace(
        concat!(
            r#" , "io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
            r#""io.modelcontextprotocol/clientInfo":{"name":"else"},"#,
            r#""io.modelcontextprotocol/clientCapabilities":{"sampling":{}},"progressToken":"mine","#
        ),
        " ,",
    );
    // What that era does not know goes, with its comma.
    let result = RESULT.replace(r#""resultType" : "complete", "#, " ");
    pass_on(
        Mode::Legacy(Revision::LATEST_LEGACY),
        &[
            r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        ],
        &params,
        &result,
    );
}
