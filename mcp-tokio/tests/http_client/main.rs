//! The HTTP client against servers that behave in every way, on loopback.

mod site;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use mcp_tokio::http::{HttpOptions, client_over_http};
use mcp_tokio::mcp_proto::client::{ClientConfig, Mode};
use mcp_tokio::mcp_proto::handle::Client;
use mcp_tokio::mcp_proto::jsonrpc::Params;
use mcp_tokio::mcp_proto::rpc::{CallError, CloseReason};
use mcp_tokio::{ConnectError, connect, connect_with};
use serde_json::{Value, json};
use site::{Request, Site, Step};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.expect("in time")
}

/// A client that sends its first request without asking anything before.
fn config() -> ClientConfig {
    Client::builder("test", "1").mode(Mode::Modern).build()
}

fn client(url: &str) -> Client {
    connect_with(url, config(), &HttpOptions::default()).expect("a client")
}

/// Calls, and gives back the number that was sent.
async fn call(client: &Client, n: usize) -> Result<usize, CallError> {
    let params = Params::from_serialize(&json!({"n": n})).expect("parameters");
    let result: Value = client.request_raw("test/echo", params).await?.decode().expect("JSON");
    Ok(result["n"].as_u64().expect("a number") as usize)
}

/// So many calls at once, each with its own number.
async fn call_all(client: &Client, calls: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..calls {
        let client = client.clone();
        tasks.spawn(async move { (n, call(&client, n).await) });
    }
    while let Some(done) = bounded(tasks.join_next()).await {
        let (n, outcome) = done.expect("no panic");
        assert_eq!(outcome, Ok(n));
    }
}

#[tokio::test]
async fn calls_one_after_another_share_a_connection() {
    let site = Site::start(Request::plain).await;
    let client = client(&site.url);
    for n in 0..20 {
        assert_eq!(bounded(call(&client, n)).await, Ok(n));
    }
    assert_eq!((site.connections(), site.requests()), (1, 20));
}

#[tokio::test]
async fn a_request_names_path_and_host_and_the_options_headers() {
    let site = Site::start(|request| {
        let head = request.head.to_ascii_lowercase();
        assert!(head.starts_with("post /mcp http/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nhost: 127.0.0.1:"), "{head}");
        assert!(head.contains("\r\nauthorization: bearer x"), "{head}");
        request.plain()
    })
    .await;
    let mut options = HttpOptions::default();
    let value = "Bearer x".parse().expect("a value");
    options.headers.insert("authorization", value);
    assert!(!format!("{options:?}").contains("Bearer"));
    let url = site.url.replace("http://", "http://user:password@");
    let client = connect_with(&url, config(), &options).expect("a client");
    assert_eq!(bounded(call(&client, 1)).await, Ok(1));
}

#[tokio::test]
async fn many_calls_at_once_have_a_connection_each_and_use_them_again() {
    let site = Site::start(|request| {
        let mut steps = request.plain();
        steps.insert(0, Step::Wait(Duration::from_millis(50)));
        steps
    })
    .await;
    let client = client(&site.url);
    for _ in 0..3 {
        call_all(&client, 100).await;
        assert!(site.connections() <= 100, "{}", site.connections());
    }
    assert_eq!(site.requests(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_on_many_threads() {
    let site = Site::start(Request::plain).await;
    let client = client(&site.url);
    call_all(&client, 500).await;
    assert!(site.connections() <= 500, "{}", site.connections());
}

#[tokio::test]
async fn a_body_in_small_and_slow_pieces_is_read_to_its_end() {
    let site = Site::start(|request| {
        let body = request.message(&json!({"resultType": "complete", "n": 7}));
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut steps = vec![Step::Write(head.to_vec())];
        for piece in body.as_bytes().chunks(9) {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            steps.extend([Step::Wait(Duration::from_millis(2)), Step::Write(chunk)]);
        }
        steps.push(Step::Write(b"0\r\n\r\n".to_vec()));
        steps
    })
    .await;
    let client = client(&site.url);
    for _ in 0..2 {
        assert_eq!(bounded(call(&client, 7)).await, Ok(7));
    }
    assert_eq!(site.connections(), 1);
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let text = "x".repeat(5 << 20);
    let length = text.len();
    let site = Site::start(move |request| {
        vec![Step::Write(
            request.json(&json!({"resultType": "complete", "n": text.len(), "text": text})),
        )]
    })
    .await;
    assert_eq!(bounded(call(&client(&site.url), 0)).await, Ok(length));
}

#[tokio::test]
async fn an_event_stream_answers_before_it_ends() {
    let site = Site::start(|request| {
        let event = format!(
            "data: {}\n\n",
            request.message(&json!({"resultType": "complete", "n": 3}))
        );
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let text = format!("{head}{:x}\r\n{event}\r\n", event.len());
        vec![Step::Write(text.into_bytes()), Step::Hang]
    })
    .await;
    let client = client(&site.url);
    assert_eq!(bounded(call(&client, 3)).await, Ok(3));
    // The machine gives the server some time to end the response, and ends the exchange then.
    site.open_is(0).await;
}

#[tokio::test]
async fn a_refused_connection_is_told_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/", listener.local_addr().expect("address"));
    drop(listener);
    let error = bounded(call(&client(&url), 0)).await.expect_err("refused");
    assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told() {
    let error = bounded(call(&client("http://no-such-host.invalid/mcp"), 0))
        .await
        .expect_err("unknown");
    assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_given_up() {
    let socket = TcpSocket::new_v4().expect("socket");
    socket.bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    let listener = socket.listen(1).expect("listen");
    let address = listener.local_addr().expect("address");
    let mut filling = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        filling.push(stream.expect("connect"));
        assert!(filling.len() < 100, "the queue of the listener is never full");
    }
    let options = HttpOptions {
        connect_timeout: Duration::from_millis(200),
        ..HttpOptions::default()
    };
    let client = connect_with(&format!("http://{address}/mcp"), config(), &options).expect("a client");
    let error = timeout(Duration::from_secs(2), call(&client, 0))
        .await
        .expect("in time")
        .expect_err("silence");
    assert!(matches!(error, CallError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_response_that_breaks_off_fails_its_call_alone() {
    let site = Site::start(|request| {
        let whole = request.json(&json!({"resultType": "complete", "n": request.body["params"]["n"]}));
        let half = whole[..whole.len() - 9].to_vec();
        match request.number {
            0 => vec![Step::Write(half), Step::Close],
            1 => vec![Step::Write(half), Step::Wait(Duration::from_millis(20)), Step::Reset],
            2 => vec![Step::Write(whole[..20].to_vec()), Step::Close],
            3 => vec![Step::Close],
            4 => vec![Step::Reset],
            5 => vec![Step::Write(b"no http at all\r\n\r\n".to_vec()), Step::Close],
            _ => request.plain(),
        }
    })
    .await;
    let client = client(&site.url);
    for number in 0..6 {
        let outcome = bounded(call(&client, number)).await;
        assert_eq!(outcome, Err(CallError::Disconnected), "{number}");
    }
    assert_eq!(bounded(call(&client, 6)).await, Ok(6));
    assert_eq!((site.connections(), site.requests()), (7, 7));
}

#[tokio::test]
async fn a_request_that_was_sent_is_not_sent_twice() {
    let site = Site::start(|request| match request.number {
        1 => vec![Step::Close],
        _ => request.plain(),
    })
    .await;
    let client = client(&site.url);
    assert_eq!(bounded(call(&client, 0)).await, Ok(0));
    assert_eq!(bounded(call(&client, 1)).await, Err(CallError::Disconnected));
    assert_eq!((site.connections(), site.requests()), (1, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_closes_between_calls_is_replaced() {
    let site = Site::start(|request| {
        let mut steps = request.plain();
        steps.push(Step::Close);
        steps
    })
    .await;
    let client = client(&site.url);
    for n in 0..5 {
        assert_eq!(bounded(call(&client, n)).await, Ok(n));
        site.open_is(0).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((site.connections(), site.requests()), (5, 5));
}

/// Runs `future` while `driver` is driven.
async fn beside<T>(driver: &mut Pin<&mut impl Future<Output = ()>>, future: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        value = future => value,
        () = driver => panic!("the driver is done"),
    }
}

#[tokio::test]
async fn a_request_that_meets_a_closed_connection_unsent_goes_out_on_a_new_one() {
    let site = Site::start(|request| {
        let mut steps = request.plain();
        steps.extend([Step::Wait(Duration::from_millis(20)), Step::Close]);
        steps
    })
    .await;
    let (client, driver) = client_over_http(&site.url, config(), &HttpOptions::default()).expect("a client");
    let mut driver = pin!(driver);
    for n in 0..3 {
        assert_eq!(bounded(beside(&mut driver, call(&client, n))).await, Ok(n));
        // The runtime learns of the close, and the driver does not before it has the next call.
        site.open_is(0).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((site.connections(), site.requests()), (3, 3));
}

#[tokio::test]
async fn a_server_that_says_close_is_taken_at_its_word() {
    let site = Site::start(|request| {
        let answer = String::from_utf8(request.json(&json!({"resultType": "complete", "n": 0}))).expect("text");
        let answer = answer.replace("\r\ncontent-type", "\r\nconnection: close\r\ncontent-type");
        vec![Step::Write(answer.into_bytes()), Step::Hang]
    })
    .await;
    let client = client(&site.url);
    for _ in 0..3 {
        assert_eq!(bounded(call(&client, 0)).await, Ok(0));
    }
    assert_eq!(site.connections(), 3);
}

#[tokio::test]
async fn a_dropped_call_closes_its_connection_and_no_other() {
    let site = Site::start(|request| match request.number {
        0 => vec![Step::Hang],
        _ => request.plain(),
    })
    .await;
    let client = client(&site.url);
    let mut hanging = Box::pin(call(&client, 0));
    poll_fn(|cx| {
        assert!(hanging.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    site.requests_are(1).await;
    assert_eq!(bounded(call(&client, 1)).await, Ok(1));
    site.open_is(2).await;
    drop(hanging);
    site.open_is(1).await;
    assert_eq!(bounded(call(&client, 2)).await, Ok(2));
    assert_eq!(site.connections(), 2);
}

#[tokio::test]
async fn a_dropped_call_in_the_middle_of_its_response_closes_the_connection() {
    let site = Site::start(|_| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n";
        vec![Step::Write(head.to_vec()), Step::Hang]
    })
    .await;
    let client = client(&site.url);
    assert!(timeout(Duration::from_millis(50), call(&client, 0)).await.is_err());
    site.open_is(0).await;
}

#[tokio::test]
async fn connections_without_a_request_are_closed_in_time() {
    let site = Site::start(Request::plain).await;
    let options = HttpOptions {
        idle_timeout: Duration::from_millis(100),
        ..HttpOptions::default()
    };
    let client = connect_with(&site.url, config(), &options).expect("a client");
    call_all(&client, 10).await;
    site.open_is(0).await;
    assert_eq!(bounded(call(&client, 1)).await, Ok(1));
}

#[tokio::test]
async fn dropping_the_client_ends_the_driver_and_its_connections() {
    let site = Site::start(Request::plain).await;
    let (client, driver) = client_over_http(&site.url, config(), &HttpOptions::default()).expect("a client");
    let driver = tokio::spawn(driver);
    assert_eq!(bounded(call(&client, 1)).await, Ok(1));
    drop(client);
    bounded(driver).await.expect("no panic");
    site.open_is(0).await;
}

#[tokio::test]
async fn dropping_the_driver_resolves_every_call() {
    let site = Site::start(|_| vec![Step::Hang]).await;
    let (client, driver) = client_over_http(&site.url, config(), &HttpOptions::default()).expect("a client");
    let driver = tokio::spawn(driver);
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { call(&client, 1).await })
    };
    site.requests_are(1).await;
    driver.abort();
    let closed = Err(CallError::Closed(CloseReason::DriverDropped));
    assert_eq!(bounded(waiting).await.expect("no panic"), closed);
    assert_eq!(bounded(call(&client, 2)).await, closed);
    site.open_is(0).await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Site::start(Request::plain).await;
    let location = other.url.clone();
    let site = Site::start(move |_| {
        let head = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        vec![Step::Write(head.into_bytes())]
    })
    .await;
    let error = bounded(call(&client(&site.url), 0)).await.expect_err("a redirect");
    assert_eq!(error.http_status(), Some(307));
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn urls_that_cannot_be_used_are_typed_errors() {
    let unsupported = |scheme: &str| Some(ConnectError::UnsupportedScheme(scheme.into()));
    for (url, error) in [
        (
            "https://localhost/mcp",
            unsupported("https").filter(|_| !cfg!(feature = "tls")),
        ),
        ("ftp://localhost/mcp", unsupported("ftp")),
        ("", Some(ConnectError::InvalidUrl)),
        ("/mcp", Some(ConnectError::InvalidUrl)),
        ("localhost:80", Some(ConnectError::InvalidUrl)),
        ("http://", Some(ConnectError::InvalidUrl)),
        ("http://a b/", Some(ConnectError::InvalidUrl)),
        ("http://localhost", None),
        ("HTTP://[::1]:8000/mcp?x=y", None),
    ] {
        assert_eq!(connect(url).err(), error, "{url}");
    }
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    assert_eq!(connect("http://localhost/").err(), Some(ConnectError::NoRuntime));
}
