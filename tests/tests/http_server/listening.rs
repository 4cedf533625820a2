//! GET streams of a legacy session that are given up and opened again.

use crate::peer::{INITIALIZE, Raw, header, request};
use crate::site::{Setup, everywhere};

/// 2025-11-25, Transports, Multiple Connections: a client knows of the end of its stream before the server does.
#[test]
fn a_stream_is_reopened_a_hundred_times_and_never_refused() {
    everywhere(async |serve| {
        let site = serve(Setup::default());
        let mut first = Raw::open(site.address).await;
        let (status, answer) = first.ask(&request("POST", "/mcp", &[], INITIALIZE)).await;
        assert_eq!(status, 200, "{answer}");
        let session = header(&answer, "mcp-session-id").expect("a session").to_owned();
        let get = request("GET", "/mcp", &[("mcp-session-id", &session)], "");
        let mut kept = Vec::new();
        for round in 0..100 {
            let mut stream = Raw::open(site.address).await;
            let (status, answer) = stream.ask(&get).await;
            assert_eq!(status, 200, "{round}: {answer}");
            // Every other one is closed at once; the others stay, as those of a client whose address has gone.
            kept.extend((round % 2 == 1).then_some(stream));
        }
        // The oldest has ended: the last chunk, and the connection can be used again.
        let mut oldest = kept.swap_remove(0);
        assert!(oldest.read().await.ends_with("0\r\n\r\n"));
        assert_eq!(oldest.ask(&get).await.0, 200);
    });
}
