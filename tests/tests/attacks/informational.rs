//! A server that sends informational responses without end: the loop of its client, and deadlines.

use std::io::Write;
use std::time::{Duration, Instant};

use mcp_driver::http::HttpOptions;
use mcp_proto::jsonrpc::Params;
use mcp_proto::rpc::CallError;
use mcp_tests::caller::{config, everywhere};
use mcp_tests::runtime::Runtime;

use crate::hostile::Hostile;
use crate::victim::alone;

const PIECE: &str = "HTTP/1.1 103 x\r\n\r\n";

/// The outcome of a call with a deadline of a second, how long it took, and the longest that a task beside was held up.
async fn attack(runtime: &dyn Runtime, server: &Hostile) -> (CallError, Duration, Duration) {
    let client = runtime
        .connect_http(&server.url, config(), &HttpOptions::default())
        .expect("a client");
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
