//! JSON alone: each message serialized once and parsed once, typed and owned.

use std::hint::black_box;

use crate::messages::{Era, read_request, read_response, request, response};

/// One request and one response, both ways.
pub(crate) fn round_trip(times: u64) {
    for id in 0..times {
        let bytes = black_box(request(id, None));
        let (id, text) = read_request(&bytes);
        let bytes = black_box(response(id, &text));
        assert_eq!(read_response(&bytes), id);
    }
}

/// A request read.
pub(crate) fn parse_request(era: Era) -> impl FnMut(u64) {
    let bytes = request(7, era.meta().as_deref());
    move |times| {
        for _ in 0..times {
            black_box(read_request(black_box(&bytes)));
        }
    }
}

/// A response read.
pub(crate) fn parse_response() -> impl FnMut(u64) {
    let bytes = response(7, crate::messages::TEXT);
    move |times| {
        for _ in 0..times {
            black_box(read_response(black_box(&bytes)));
        }
    }
}
