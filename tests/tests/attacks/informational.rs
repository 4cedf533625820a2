//! A server that sends informational responses without end, over HTTP/1 and HTTP/2: the loop of its client, deadlines, and
//! memory.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use mcp_driver::http::{HttpOptions, HttpVersions};
use mcp_proto::handle::Client;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallError;
use mcp_tests::caller::{config, everywhere};
use mcp_tests::runtime::Runtime;

use crate::HEAP;
use crate::hostile::Hostile;
use crate::victim::alone;

const PIECE: &str = "HTTP/1.1 103 x\r\n\r\n";

/// The outcome of a call with a deadline of a second, how long it took, and the longest that a task beside was held up.
async fn attack(runtime: &dyn Runtime, server: &Hostile) -> (CallError, Duration, Duration) {
    let client = runtime
        .connect_http(&server.url, config(), &HttpOptions::default())
        .expect("a client");
    call(runtime, &client).await
}

async fn call(runtime: &dyn Runtime, client: &Client) -> (CallError, Duration, Duration) {
    let begun = Instant::now();
    let call = client
        .request_raw("tools/list", Params::NONE)
        .timeout(Duration::from_secs(1));
    let call = runtime.run(call.into_future());
    let mut worst = Duration::ZERO;
    let mut call = std::pin::pin!(call);
    loop {
        let before = Instant::now();
        let tick = runtime.sleep(Duration::from_millis(5));
        match futures_util::future::select(call.as_mut(), tick).await {
            futures_util::future::Either::Left((outcome, _)) => {
                let error = outcome.expect("it is not stopped").expect_err("no answer");
                return (error, begun.elapsed(), worst);
            }
            futures_util::future::Either::Right(_) => worst = worst.max(before.elapsed()),
        }
    }
}

#[test]
fn a_flood_of_informational_responses_delays_neither_deadlines_nor_others() {
    let _alone = alone();
    everywhere(async |runtime| {
        let flood = PIECE.repeat(4_000);
        let server = Hostile::start(move |_, stream| while stream.write_all(flood.as_bytes()).is_ok() {});
        let (error, took, worst) = attack(runtime, &server).await;
        println!("{error}, after {took:?}, others held up for {worst:?}");
        assert!(took < Duration::from_millis(1_500), "{took:?}");
        assert!(worst < Duration::from_millis(300), "{worst:?}");
    });
}

#[test]
fn informational_responses_that_come_slowly_extend_no_deadline() {
    let _alone = alone();
    everywhere(async |runtime| {
        let server = Hostile::start(move |_, stream| {
            while stream.write_all(PIECE.as_bytes()).is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let (error, took, _) = attack(runtime, &server).await;
        assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
        assert!(took < Duration::from_millis(1_500), "{took:?}");
    });
}

/// A server of HTTP/2 that answers each connection's first request with this informational response, without end.
fn flood_http2(response: Vec<u8>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let url = format!("http://{}/mcp", listener.local_addr().expect("address"));
    // It ends with the process: nothing of it is in the way of a test.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let response = response.clone();
            thread::spawn(move || serve_http2(stream, &response));
        }
    });
    url
}

/// How late a deadline may be and how long others may wait, where each response is parsed by HTTP/2; and several times as
/// long in a build without optimisation.
const LATE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 4_000 } else { 500 });
const HELD_UP: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 300 });

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a length").to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

fn serve_http2(mut stream: TcpStream, response: &[u8]) -> std::io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.read_exact(&mut [0; PREFACE])?;
    let settings = [frame(SETTINGS, 0, [0; 4], &[]), frame(SETTINGS, ACK, [0; 4], &[])];
    stream.write_all(&settings.concat())?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [a, b, c, kind, _, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload)?;
        if kind == HEADERS {
            let flood = frame(HEADERS, END_HEADERS, id, response);
            let flood = flood.repeat((1 << 16) / flood.len());
            // What the client says meanwhile, resets among it, is for nobody.
            let mut copy = stream.try_clone()?;
            thread::spawn(move || while matches!(copy.read(&mut [0; 4096]), Ok(1..)) {});
            loop {
                stream.write_all(&flood)?;
            }
        }
    }
}

#[test]
fn a_flood_of_informational_responses_over_http2_delays_neither_deadlines_nor_others() {
    let _alone = alone();
    // `:status`, by the table of HPACK, and 103 as it is; and the same with a header that is large.
    let small = b"\x08\x03103".to_vec();
    let large = [&small[..], b"\x00\x01x\x7f\x81\x1f", &[b'y'; 4_096]].concat();
    for response in [small, large] {
        everywhere(async |runtime| {
            let url = flood_http2(response.clone());
            let options = HttpOptions {
                versions: HttpVersions::Http2,
                ..HttpOptions::default()
            };
            let client = runtime.connect_http(&url, config(), &options).expect("a client");
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            // The second while the flood goes on that the first has brought about.
            for _ in 0..2 {
                let (error, took, worst) = call(runtime, &client).await;
                println!("{error}, after {took:?}, others held up for {worst:?}");
                assert!(took < Duration::from_secs(1) + LATE, "{took:?}");
                assert!(worst < HELD_UP, "{worst:?}");
            }
            let most = HEAP.peak_usage().saturating_sub(before);
            println!("{} KiB", most >> 10);
            assert!(most < 8 << 20, "{most}");
        });
    }
}
