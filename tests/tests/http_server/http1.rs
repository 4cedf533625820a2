//! HTTP/1, both eras.

use std::collections::HashSet;

use mcp_proto::http::server::{HttpConfig, ReplyForm};

use crate::peer::{INITIALIZE, Raw, call, header, modern_request, request};
use crate::site::{Setup, everywhere, until};

#[test]
fn both_eras_on_one_endpoint() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        let (status, text) = connection
            .ask(&modern_request("/mcp", "echo", r#"{"text":"hi"}"#))
            .await;
        assert_eq!(status, 200, "{text}");
        assert!(
            text.contains(r#""text":"hi""#) && text.contains(r#""resultType":"complete""#),
            "{text}"
        );
        assert!(header(&text, "mcp-session-id").is_none());

        let (status, text) = connection.ask(&request("POST", "/mcp", &[], INITIALIZE)).await;
        assert_eq!(status, 200, "{text}");
        let id = header(&text, "mcp-session-id").unwrap().to_string();
        let session = [("mcp-session-id", id.as_str()), ("mcp-protocol-version", "2025-11-25")];
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let initialized = request("POST", "/mcp", &session, initialized);
        assert_eq!(connection.ask(&initialized).await.0, 202);
        let echo = request("POST", "/mcp", &session, &call("echo", r#"{"text":"ho"}"#));
        let (status, text) = connection.ask(&echo).await;
        assert!(status == 200 && text.contains(r#""text":"ho""#), "{text}");
        assert_eq!(connection.ask(&request("DELETE", "/mcp", &session, "")).await.0, 204);
        assert_eq!(connection.ask(&echo).await.0, 404);
    });
}

#[test]
fn a_reply_that_is_ready_is_written_once_with_its_length() {
    everywhere(async |serve| {
        for form in [ReplyForm::Json, ReplyForm::Sse] {
            let site = serve(Setup {
                config: HttpConfig::default().reply(form),
                ..Setup::default()
            });
            let mut connection = Raw::open(site.address).await;
            for _ in 0..20 {
                let (status, text) = connection.ask(&modern_request("/", "echo", r#"{"text":"hi"}"#)).await;
                let (_, body) = text.split_once("\r\n\r\n").unwrap();
                assert_eq!(status, 200);
                let length = header(&text, "content-length").unwrap();
                assert_eq!(length.parse::<usize>().unwrap(), body.len());
                assert_eq!(body.starts_with("data: "), form == ReplyForm::Sse);
            }
        }
    });
}

#[test]
fn hanging_up_cancels_in_the_modern_era_alone() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        connection.send(&modern_request("/mcp", "wait", "{}")).await;
        until(|| site.seen.waiting() == 1).await;
        drop(connection);
        until(|| site.seen.waiting() == 0).await;

        let mut connection = Raw::open(site.address).await;
        let (_, text) = connection.ask(&request("POST", "/mcp", &[], INITIALIZE)).await;
        let id = header(&text, "mcp-session-id").unwrap().to_string();
        let session = [("mcp-session-id", id.as_str())];
        let wait = request("POST", "/mcp", &session, &call("wait", "{}"));
        connection.send(&wait).await;
        until(|| site.seen.waiting() == 1).await;
        drop(connection);
        let mut connection = Raw::open(site.address).await;
        let ping = request("POST", "/mcp", &session, r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#);
        for _ in 0..20 {
            assert_eq!(connection.ask(&ping).await.0, 200);
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(site.seen.waiting(), 1);
        let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let cancel = request("POST", "/mcp", &session, cancel);
        assert_eq!(connection.ask(&cancel).await.0, 202);
        until(|| site.seen.waiting() == 0).await;
    });
}

#[test]
fn a_hundred_clients_begin_at_once() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let address = site.address;
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..100 {
            clients.spawn(async move {
                let mut connection = Raw::open(address).await;
                let (status, text) = connection.ask(&request("POST", "/mcp", &[], INITIALIZE)).await;
                assert_eq!(status, 200, "{text}");
                header(&text, "mcp-session-id").unwrap().to_string()
            });
        }
        let ids: HashSet<_> = clients.join_all().await.into_iter().collect();
        assert_eq!(ids.len(), 100);
    });
}

/// What is looked at to tell HTTP/2 is read once more, however it is cut.
#[test]
fn a_request_may_come_byte_by_byte() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut connection = Raw::open(site.address).await;
        connection.0.set_nodelay(true).unwrap();
        let request = modern_request("/mcp", "echo", r#"{"text":"hi"}"#);
        let (last, first) = request.split_last().unwrap();
        for byte in &first[..40] {
            connection.send(&[*byte]).await;
            tokio::task::yield_now().await;
        }
        connection.send(&first[40..]).await;
        let (status, text) = connection.ask(&[*last]).await;
        assert!(status == 200 && text.contains(r#""text":"hi""#), "{text}");
        let (status, _) = connection.ask(&request).await;
        assert_eq!(status, 200);
    });
}
