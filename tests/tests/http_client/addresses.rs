//! Servers that cannot be reached, and how the one that can is spoken to.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use mcp_driver::ConnectError;
use mcp_driver::http::HttpOptions;
use mcp_proto::rpc::CallError;
use mcp_tests::runtime::Runtime;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

use crate::site::{Request, Site};
use crate::{call, client, client_with, config, everywhere};

#[test]
fn a_request_names_path_and_host_and_the_options_headers() {
    everywhere(async |runtime| {
        let site = Site::start(|request| {
            let head = request.head.to_ascii_lowercase();
            assert!(head.starts_with("post /mcp http/1.1\r\n"), "{head}");
            assert!(head.contains("\r\nhost: 127.0.0.1:"), "{head}");
            assert!(head.contains("\r\nauthorization: bearer x"), "{head}");
            request.plain()
        });
        let mut options = HttpOptions::default();
        let value = "Bearer x".parse().expect("a value");
        options.headers.insert("authorization", value);
        assert!(!format!("{options:?}").contains("Bearer"));
        let url = site.url.replace("http://", "http://user:password@");
        let client = client_with(runtime, &url, &options);
        assert_eq!(call(&client, 1).await, Ok(1));
    });
}

#[test]
fn a_refused_connection_is_told_at_once() {
    everywhere(async |runtime| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let url = format!("http://{}/", listener.local_addr().expect("address"));
        drop(listener);
        let client = client(runtime, &url);
        let outcome = runtime.within(Duration::from_secs(5), call(&client, 0)).await;
        let error = outcome.expect("at once").expect_err("refused");
        assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
    });
}

#[test]
fn a_name_that_does_not_resolve_is_told() {
    everywhere(async |runtime| {
        let client = client(runtime, "http://no-such-host.invalid/mcp");
        let error = call(&client, 0).await.expect_err("unknown");
        assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
    });
}

/// A listener behind which nobody can wait any more: the system answers nothing to a further connection.
struct Full {
    listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Full {
    fn new() -> Self {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("bind");
        listen(&socket, 1).expect("listen");
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().expect("address");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "the queue of the listener is never full");
        }
        Self {
            listener,
            _waiting: waiting,
        }
    }
}

#[test]
fn a_connection_that_is_never_made_is_given_up() {
    let full = Full::new();
    let address = full.listener.local_addr().expect("address");
    everywhere(async |runtime| {
        let options = HttpOptions {
            connect_timeout: Duration::from_millis(200),
            ..HttpOptions::default()
        };
        let client = client_with(runtime, &format!("http://{address}/mcp"), &options);
        let outcome = runtime.within(Duration::from_secs(5), call(&client, 0)).await;
        let error = outcome.expect("in time").expect_err("silence");
        assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
    });
}

#[test]
fn redirects_to_another_origin_are_not_followed() {
    everywhere(async |runtime| {
        let other = Site::start(Request::plain);
        let location = other.url.clone();
        let site = Site::start(move |_| {
            let head = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            vec![crate::site::Step::Write(head.into_bytes())]
        });
        let error = call(&client(runtime, &site.url), 0).await.expect_err("a redirect");
        assert_eq!(error.http_status(), Some(307));
        assert!(error.to_string().contains(&other.url), "{error}");
        assert_eq!(other.connections(), 0);
    });
}

#[test]
fn redirects_within_the_origin_are_followed() {
    everywhere(async |runtime| {
        let site = Site::start(|request| match request.head.starts_with("POST /mcp ") {
            true => {
                let head = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /mcp/\r\ncontent-length: 0\r\n\r\n";
                vec![crate::site::Step::Write(head.into())]
            }
            false => request.plain(),
        });
        let client = client(runtime, &site.url);
        for n in 0..3 {
            assert_eq!(call(&client, n).await, Ok(n));
        }
        assert_eq!((site.connections(), site.requests()), (1, 6));
    });
}

/// What a URL is refused with, if at all; for both adapters with TLS.
fn refusal(runtime: &dyn Runtime, url: &str) -> Option<ConnectError> {
    let error = runtime.connect_http(url, config(), &HttpOptions::default()).err()?;
    Some(*error.downcast::<ConnectError>().expect("an error of its own"))
}

#[test]
fn urls_that_cannot_be_used_are_typed_errors() {
    everywhere(async |runtime| {
        for (url, error) in [
            (
                "ftp://localhost/mcp",
                Some(ConnectError::UnsupportedScheme("ftp".into())),
            ),
            ("", Some(ConnectError::InvalidUrl)),
            ("/mcp", Some(ConnectError::InvalidUrl)),
            ("localhost:80", Some(ConnectError::InvalidUrl)),
            ("http://", Some(ConnectError::InvalidUrl)),
            ("http://a b/", Some(ConnectError::InvalidUrl)),
            ("http://localhost", None),
            ("https://localhost/mcp", None),
            ("HTTP://[::1]:8000/mcp?x=y", None),
        ] {
            assert_eq!(refusal(runtime, url), error, "{url}");
        }
    });
}
