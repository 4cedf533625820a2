//! The client against scripted servers: both eras, both links, in virtual time.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod http_again;
mod http_answers;
mod http_codings;
mod http_headers;
mod http_listening;
mod http_redirects;
mod http_replies;
mod http_resume;
mod http_sessions;
mod http_sse;
mod http_sse_ladder;
mod http_standing;
mod http_support;
mod http_tools;
mod listening_http;
mod listening_stream;
mod long_lists;
mod random;
mod rounds;
mod stream_calls;
mod stream_handshake;
mod stream_restarts;
mod stream_server;
mod support;
mod tool_lists;
mod whose;
