//! Our server and clients of the SDKs, in both eras.

use mcp_driver::child::Command;
use serde_json::{Value, json};

use crate::home::script;
use crate::peer::Peer;
use crate::program::said;

const SERVER: &str = env!("CARGO_BIN_EXE_conformance-server");
const RUNTIMES: [&str; 2] = ["tokio", "smol"];

fn expected(resumes: bool) -> Value {
    let mut expected = json!({
        "tools": true,
        "text": "This is a simple text response for testing.",
        "failure": true,
        "progress": [0, 50, 100],
        "resources": 3,
        "resource": "This is the content of the static text resource.",
        "template": "7",
        "prompt": "Prompt with arguments: arg1='one', arg2='two'",
        "completion": ["testing", "tested"],
        "elicited": true,
        "sampled": "LLM response: sampled there",
        "roots": "The client has 1 roots",
        "rounds": "Ada likes Ada",
        "after": "This is a simple text response for testing.",
    });
    if resumes {
        expected["resumed"] = json!("The client came back");
    }
    expected
}

/// Numbers of a language that has one kind of them.
fn whole(mut said: Value) -> Value {
    if let Some(reports) = said["progress"].as_array_mut() {
        for report in reports {
            *report = json!(report.as_f64().map(|report| report as i64));
        }
    }
    said
}

fn over_stdio(client: &Command) {
    for runtime in RUNTIMES {
        for era in ["legacy", "modern"] {
            println!("{runtime} {era}");
            let said = said(client, &[era, "stdio", SERVER, "--runtime", runtime, "--stdio"]);
            assert_eq!(whole(said), expected(false));
        }
    }
}

fn over_http(client: &Command, kinds: &[(&str, &str, &str)]) {
    for runtime in RUNTIMES {
        let server = Peer::start_on(|address| {
            Command::new(SERVER).args(["--runtime", runtime, "--port", &address.port().to_string()])
        });
        for (era, kind, path) in kinds {
            println!("{runtime} {era} {kind}");
            let said = said(client, &[*era, *kind, &server.url(path)]);
            assert_eq!(whole(said), expected((*era, *kind) == ("legacy", "http")));
        }
    }
}

const HTTP: [(&str, &str, &str); 3] = [
    ("legacy", "http", "/mcp"),
    ("modern", "http", "/mcp"),
    ("legacy", "sse", "/sse"),
];

#[test]
fn of_typescript_over_stdio() {
    over_stdio(&script("client.mjs"));
}

#[test]
fn of_python_over_stdio() {
    over_stdio(&script("client.py"));
}

#[test]
fn of_typescript_over_http() {
    over_http(&script("client.mjs"), &HTTP);
}

#[test]
fn of_python_over_http() {
    over_http(&script("client.py"), &HTTP);
}
