use alloc::format;
use alloc::string::String;

use http::Request;
use http::request::Parts;

use super::*;
use crate::jsonrpc::ErrorCode;

fn parts(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::post("/mcp");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn body(method: &str, meta_version: Option<&str>) -> Bytes {
    let meta =
        meta_version.map(|version| format!(r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}"}}"#));
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{}}}}}"#,
        meta.unwrap_or_default()
    )
    .into()
}

fn read(headers: &[(&str, &str)], body: Bytes) -> Result<Posted, Refusal> {
    Posted::read(&Head::read(&parts(headers)).unwrap(), body, &Limits::default())
}

#[test]
fn the_era_of_a_body() {
    const VERSION: &str = "MCP-Protocol-Version";
    let session = ("Mcp-Session-Id", "x");
    let (modern, legacy, unknown) = ((VERSION, "2026-07-28"), (VERSION, "2025-11-25"), (VERSION, "v999.0.0"));
    for (headers, meta, expected) in [
        (&[][..], None, Era::Legacy),
        (&[], Some("2026-07-28"), Era::Modern),
        (&[], Some("v999.0.0"), Era::Modern),
        (&[session], None, Era::Legacy),
        (&[session], Some("2026-07-28"), Era::Legacy),
        (&[modern], None, Era::Modern),
        (&[modern], Some("2026-07-28"), Era::Modern),
        (&[modern, session], None, Era::Modern),
        (&[unknown], None, Era::Modern),
        (&[unknown], Some("v999.0.0"), Era::Modern),
        (&[legacy], None, Era::Legacy),
        (&[legacy], Some("2026-07-28"), Era::Modern),
        (&[legacy, session], None, Era::Legacy),
        (&[legacy, session], Some("2026-07-28"), Era::Legacy),
    ] {
        for method in ["tools/list", "initialize", "unknown/method"] {
            let era = match read(headers, body(method, meta)) {
                Ok(Posted::Stateless(_)) => Era::Modern,
                Ok(Posted::Legacy(_)) => Era::Legacy,
                Err(refusal) => panic!("{refusal}"),
            };
            assert_eq!(era, expected, "{headers:?} {meta:?} {method}");
        }
    }
}

#[test]
fn an_escape_does_not_hide_the_version() {
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.m\u006fdelcontextprotocol\/protocolVersion":"2026-07-28"}}}"#;
    assert!(matches!(
        read(&[], Bytes::from_static(text.as_bytes())),
        Ok(Posted::Stateless(_))
    ));
}

#[test]
fn the_word_of_the_version_alone_makes_no_modern_body() {
    for params in [
        r#""name":"t","arguments":{"of":"modelcontextprotocol"}"#,
        r#""name":"t","arguments":{"path":"a\\b"}"#,
        r#""_meta":{"io.modelcontextprotocol/clientCapabilities":{}}"#,
        r#""_meta":{"modelcontextprotocol":1}"#,
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{params}}}}}"#);
        assert!(matches!(read(&[], text.into()), Ok(Posted::Legacy(_))), "{params}");
    }
}

#[test]
fn bodies_that_are_none() {
    let modern = [("MCP-Protocol-Version", "2026-07-28")];
    for headers in [&[][..], &modern] {
        for (text, code, id) in [
            ("", -32700, None),
            ("{", -32700, None),
            ("nonsense", -32700, None),
            ("\u{0}", -32700, None),
            ("1", -32600, None),
            ("[]", -32600, None),
            ("{}", -32600, None),
            (r#"{"jsonrpc":"2.0","id":7,"method":5}"#, -32600, Some(7)),
            (r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#, -32600, Some(7)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, None),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}"#,
                -32600,
                Some(7),
            ),
        ] {
            let refusal = read(headers, Bytes::from_static(text.as_bytes())).expect_err(text);
            assert_eq!(
                (refusal.status().as_u16(), refusal.error().code),
                (400, ErrorCode(code)),
                "{text}"
            );
            let body = refusal.into_response().into_body();
            let id = id.map_or("null".into(), |id: i32| format!("{id}"));
            assert!(body.starts_with(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"#).as_bytes()));
        }
    }
    let deep: String = "[".repeat(10_000);
    assert_eq!(read(&[], deep.into()).unwrap_err().error().code, ErrorCode::PARSE_ERROR);
    assert_eq!(
        read(&[], Bytes::from_static(b"\xff\xfe")).unwrap_err().error().code,
        ErrorCode::PARSE_ERROR
    );
}

#[test]
fn batches_are_legacy() {
    let batch = Bytes::from_static(br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#);
    for (version, expected) in [
        ("2025-03-26", true),
        ("2025-11-25", true),
        ("2026-07-28", false),
        ("x", true), // refused later, for its version
    ] {
        let posted = read(&[("MCP-Protocol-Version", version)], batch.clone());
        // Which legacy revision allows them is the session's to say.
        assert_eq!(
            matches!(posted, Ok(Posted::Legacy(Incoming::Batch(_)))),
            expected,
            "{version}"
        );
        assert!(expected || matches!(posted, Err(Refusal::BatchNotAllowed)));
    }
}

#[test]
fn the_version_header_says_what_meta_says() {
    const VERSION: &str = "MCP-Protocol-Version";
    let check = |headers: &[(&str, &str)], meta: Option<&str>| {
        Head::read(&parts(headers))
            .unwrap()
            .check_version(meta)
            .map_err(|refusal| refusal.error().code)
    };
    assert_eq!(check(&[(VERSION, "2026-07-28")], Some("2026-07-28")), Ok(()));
    assert_eq!(check(&[(VERSION, "v999.0.0")], Some("v999.0.0")), Ok(())); // refused later, for what it is
    assert_eq!(check(&[(VERSION, "2026-07-28")], None), Ok(())); // as is this
    for headers in [
        &[][..],
        &[(VERSION, "2025-11-25")],
        &[(VERSION, "2026-07-29")],
        &[(VERSION, "")],
    ] {
        assert_eq!(
            check(headers, Some("2026-07-28")),
            Err(ErrorCode::HEADER_MISMATCH),
            "{headers:?}"
        );
    }
    assert_eq!(check(&[], None), Err(ErrorCode::HEADER_MISMATCH));
}

#[test]
fn the_mirrored_headers_say_what_the_body_says() {
    let schema = r#"{"type":"object","properties":{"value":{"type":"string","x-mcp-header":"Value"}}}"#;
    let annotated = ParamHeaders::from_schema(schema).unwrap();
    let check = |method: &str, params: &str, headers: &[(&str, &str)]| {
        let (method, params) = (MethodName::from(method), RawJson::parse(String::from(params)).unwrap());
        let parts = parts(headers);
        let head = Head::read(&parts).unwrap();
        head.check_mirrored(&method, Peek::of(&params).ok().as_ref(), |name| {
            (name == "annotated").then_some(&annotated)
        })
    };
    let call = ("Mcp-Method", "tools/call");
    for (method, params, headers) in [
        ("tools/list", "{}", &[("mcp-method", "tools/list")][..]),
        (
            "tools/list",
            "{}",
            &[("MCP-METHOD", "tools/list"), ("Mcp-Name", "whatever")],
        ),
        ("tools/call", r#"{"name":"echo"}"#, &[call, ("Mcp-Name", " echo ")]),
        (
            "tools/call",
            r#"{"name":"echo"}"#,
            &[call, ("Mcp-Name", "=?base64?ZWNobw==?=")],
        ),
        ("tools/call", "{}", &[call]), // no name: invalid parameters
        (
            "resources/read",
            r#"{"uri":"a://b"}"#,
            &[("Mcp-Method", "resources/read"), ("Mcp-Name", "a://b")],
        ),
        (
            "tasks/get",
            r#"{"taskId":"t"}"#,
            &[("Mcp-Method", "tasks/get"), ("Mcp-Name", "t")],
        ),
        (
            "tools/call",
            r#"{"name":"annotated","arguments":{}}"#,
            &[call, ("Mcp-Name", "annotated")],
        ),
        (
            "tools/call",
            r#"{"name":"annotated","arguments":{"value":null}}"#,
            &[call, ("Mcp-Name", "annotated")],
        ),
        (
            "tools/call",
            r#"{"name":"annotated","arguments":{"value":"Hello"}}"#,
            &[
                call,
                ("Mcp-Name", "annotated"),
                ("Mcp-Param-Value", "=?base64?SGVsbG8=?="),
            ],
        ),
    ] {
        assert_eq!(check(method, params, headers), Ok(()), "{method} {params} {headers:?}");
    }
    for (method, params, headers) in [
        ("tools/list", "{}", &[][..]),
        ("tools/list", "{}", &[("Mcp-Method", "TOOLS/LIST")]),
        ("tools/list", "{}", &[("Mcp-Method", "prompts/list")]),
        ("tools/call", r#"{"name":"echo"}"#, &[call]),
        ("tools/call", r#"{"name":"echo"}"#, &[call, ("Mcp-Name", "other")]),
        (
            "tools/call",
            r#"{"name":"echo"}"#,
            &[call, ("Mcp-Name", "=?base64?ZWNobw?=")],
        ),
        (
            "tasks/get",
            r#"{"taskId":"t"}"#,
            &[("Mcp-Method", "tasks/get"), ("Mcp-Name", "u")],
        ),
        (
            "tools/call",
            r#"{"name":"annotated","arguments":{"value":"x"}}"#,
            &[call, ("Mcp-Name", "annotated")],
        ),
        (
            "tools/call",
            r#"{"name":"annotated","arguments":{"value":"Hello"}}"#,
            &[
                call,
                ("Mcp-Name", "annotated"),
                ("Mcp-Param-Value", "=?base64?SGVs!!!bG8=?="),
            ],
        ),
        (
            "tools/call",
            r#"{"name":"annotated","arguments":{"value":"Hello"}}"#,
            &[
                call,
                ("Mcp-Name", "annotated"),
                ("Mcp-Param-Value", "Hello"),
                ("Mcp-Param-Value", "Hello"),
            ],
        ),
    ] {
        let refusal = check(method, params, headers).expect_err(params);
        assert_eq!(
            (refusal.status().as_u16(), refusal.error().code),
            (400, ErrorCode::HEADER_MISMATCH)
        );
    }
}

#[test]
fn the_revision_of_a_legacy_request() {
    use Revision as R;
    const VERSION: &str = "MCP-Protocol-Version";
    let refused = Err(Refusal::UnsupportedVersion);
    let all = Revision::ALL;
    let some = [R::V2025_06_18, R::V2026_07_28];
    for (header, agreed, supported, expected) in [
        (None, None, &all[..], Ok(R::V2025_03_26)),
        (None, None, &some, refused.clone()),
        (None, Some(R::V2024_11_05), &all, Ok(R::V2024_11_05)),
        (None, Some(R::V2025_11_25), &all, Ok(R::V2025_11_25)),
        (Some("2025-06-18"), None, &all, Ok(R::V2025_06_18)),
        (Some("2025-06-18"), None, &some, Ok(R::V2025_06_18)),
        (Some("2025-11-25"), None, &some, refused.clone()),
        (Some("2025-06-18"), Some(R::V2025_06_18), &all, Ok(R::V2025_06_18)),
        (Some("2025-11-25"), Some(R::V2025_06_18), &all, refused.clone()),
        (Some("2026-07-28"), None, &all, refused.clone()),
        (Some("nonsense"), None, &all, refused.clone()),
        (Some(""), Some(R::V2025_06_18), &all, refused.clone()),
    ] {
        let headers: alloc::vec::Vec<_> = header.map(|value| (VERSION, value)).into_iter().collect();
        let parts = parts(&headers);
        let revision = Head::read(&parts).unwrap().legacy_revision(agreed, supported);
        assert_eq!(revision, expected, "{header:?} {agreed:?}");
    }
}
