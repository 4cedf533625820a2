//! Every bound of the protocol machines in one place.

use core::time::Duration;

use crate::settings::settings;

settings! {
    /// A bound for everything that can grow because of what a peer sends or an application asks.
    ///
    /// One value is given to each machine when it is made. Each field has a documented default, sized for a
    /// server that faces strangers. Reaching a bound is never silent: the peer gets the error that the
    /// specification names, or the verb hands its argument back.
    ///
    /// ```
    /// use mcp_proto::Limits;
    ///
    /// let limits = Limits::default().with_body_bytes(64 * 1024);
    /// assert_eq!(limits.depth, Limits::default().depth);
    /// ```
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Limits {
        /// Longest line on a byte stream, in bytes without its end. Default 16 MiB.
        pub line_bytes (with_line_bytes): usize,
        /// Largest HTTP request or response body read as one JSON document, in bytes. Default 16 MiB.
        pub body_bytes (with_body_bytes): usize,
        /// Most bytes of large HTTP request bodies that a server holds while they are read, over all its clients. Where
        /// there is not enough, the body of a client that holds most is answered with 503: the slowest, or else the
        /// largest. Not smaller than `body_bytes`, or the largest bodies never pass. A body is small up to 1/4096 of it,
        /// and needs nothing of it, as long as all small ones together are no more than a quarter. Default 256 MiB.
        pub reading_bytes (with_reading_bytes): usize,
        /// Most bytes of large answers (beyond 16 KiB) of a server that its clients have not taken yet, over all of them
        /// and over every transport, with what is queued beyond 16 KiB on each response stream of a POST, resumed or not,
        /// each GET stream, each subscription, each stream of HTTP+SSE and each byte stream. A byte stream that is lost
        /// ends at once ([`CloseReason::Unread`](crate::rpc::CloseReason::Unread)); without the feature `http` those have
        /// `outbox_bytes` alone. Where there is not enough, the answer or stream of a client that holds most is cut off: the
        /// slowest, or else the largest; its handler goes on or is cancelled as when the client goes. Not smaller than the
        /// largest answer, or that never passes. Beside it stand what an HTTP library writes at present (16 KiB of each
        /// stream over HTTP/2, 256 KiB of each connection over HTTP/1) and what is kept to be resumed, which has a total of
        /// its own (`replay_total_bytes`). Results of handlers that are not written yet are an eighth of it at most, and one
        /// more on each thread. Default 256 MiB.
        pub unread_bytes (with_unread_bytes): usize,
        /// Largest body of an HTTP response that carries an error, in bytes. Default 64 KiB.
        pub error_body_bytes (with_error_body_bytes): usize,
        /// Largest server-sent event, in bytes of all its fields. Default 16 MiB.
        pub event_bytes (with_event_bytes): usize,
        /// Deepest nesting of arrays and objects in a message. Default 100, below the bound of the JSON parser.
        pub depth (with_depth): usize,
        /// Longest JSON-RPC id taken from a peer, in bytes. Default 1 KiB.
        pub id_bytes (with_id_bytes): usize,
        /// Most messages in one JSON-RPC batch. Default 100.
        pub batch_messages (with_batch_messages): usize,
        /// Most calls of our own that wait for a reply, per connection. Default 65,536.
        pub pending_calls (with_pending_calls): usize,
        /// Most requests of the peer in progress, per connection or session. Default 65,536.
        pub requests_in_progress (with_requests_in_progress): usize,
        /// Most bytes queued for one peer: what waits to be written, or for a stream to be opened. Default 16 MiB.
        pub outbox_bytes (with_outbox_bytes): usize,
        /// Most bytes of what is said for requests in progress that are queued on the stream of a response, or on a byte
        /// stream: beyond it progress, log messages and the server's own requests wait until the client reads, which
        /// needs no more to be kept busy. Not more than `outbox_bytes` counts. Default 128 KiB.
        pub stream_bytes (with_stream_bytes): usize,
        /// Most notifications kept for an application that does not read them, or for a client of ours that cannot be
        /// sent them yet: of the latter no more than 64 KiB, and the same one once. Default 1,024.
        pub notifications (with_notifications): usize,
        /// Most times within a minute that a client has a server started again that has ended, where it had started it
        /// (2026-07-28, stdio, Unexpected Termination). With 0 never, and the connection ends with the server. Default 5.
        pub restarts (with_restarts): usize,
        /// Most bytes that one peer can make a connection hold at a time, over all buffers. Default 64 MiB.
        ///
        /// A server counts its requests in progress, its subscriptions, answers that wait for others of their batch,
        /// and what the application has not taken yet: a request or subscription that would go beyond it is refused. A
        /// client counts what the application has not taken yet, and, apart from that, the unfinished bodies of all its
        /// HTTP responses, and the pages of the list of tools. Beyond it nothing more is read, and a body that would go
        /// beyond it fails its call. What one read brings is taken whole.
        pub total_bytes (with_total_bytes): usize,
        /// Most legacy HTTP sessions of a server, and most HTTP subscriptions (2026-07-28). Where there is no room, the
        /// client that holds most loses one to who holds less: a session that was never used or is idle for longest,
        /// which it learns by 404, or its oldest subscription, which ends. Otherwise 503. Default 10,000.
        pub sessions (with_sessions): usize,
        /// The same for one principal of a server. Default 10,000.
        pub sessions_per_principal (with_sessions_per_principal): usize,
        /// Most legacy HTTP requests of a server that run on after their clients have hung up. Beyond it the oldest is
        /// given up. Default 10,000.
        pub abandoned_requests (with_abandoned_requests): usize,
        /// How long a legacy HTTP session without a request or an open stream is kept. Default 30 minutes.
        pub session_idle (with_session_idle): Duration,
        /// Most response streams open in one session. A client reads no further while that many answers and
        /// notifications of its own have not been taken by the server. Default 1,024.
        pub streams_per_session (with_streams_per_session): usize,
        /// Most GET streams open in one legacy HTTP session of a server. One more is served all the same, and the oldest
        /// ends. None is as good as one. Default 4.
        pub get_streams_per_session (with_get_streams_per_session): usize,
        /// Most events kept of one stream that can be [resumed](crate::http::server::Resumption). Beyond each of these four
        /// bounds the oldest are lost: of the stream, of the session, or of the session that holds most. Default 1,024.
        pub replay_events (with_replay_events): usize,
        /// The same in bytes; an event costs 128 beside its own. Default 1 MiB.
        pub replay_bytes (with_replay_bytes): usize,
        /// The same for all streams of a session. Default 4 MiB.
        pub replay_session_bytes (with_replay_session_bytes): usize,
        /// The same for all sessions of an endpoint. Default 64 MiB.
        pub replay_total_bytes (with_replay_total_bytes): usize,
        /// Most resources that one subscription names (2026-07-28), and that one legacy session subscribes to. Their
        /// bytes count towards [`total_bytes`](Self::total_bytes); those of all HTTP subscriptions of an endpoint do so
        /// together. Default 1,000.
        pub subscription_uris (with_subscription_uris): usize,
        /// Most tools whose arguments are mirrored in HTTP headers that a client remembers. Default 10,000.
        pub tool_headers (with_tool_headers): usize,
        /// Most bytes of what a client carries for a server from one round of input to the next (`requestState`): what was
        /// answered, and what happened once. Default 64 KiB.
        pub state_bytes (with_state_bytes): usize,
        /// Most states of requests that a server remembers as used in memory, where each is good for one use
        /// ([`UsedStates`](crate::server::UsedStates)). Beyond it, and beyond what is free yet for one principal, requests that
        /// come back are refused. Default 65,536.
        pub used_states (with_used_states): usize,
        /// Most things that a handler asks its client in one round. Default 64.
        pub input_requests (with_input_requests): usize,
        /// Most rounds of input that one request of a server's client takes. Default 32.
        pub input_rounds (with_input_rounds): usize,
        /// Most pages followed when a list is read to its end. Default 1,000.
        pub list_pages (with_list_pages): usize,
        /// Most times that a server may ask for input before it answers one call (2026-07-28, Multi Round-Trip Requests).
        /// Default 10.
        pub rounds (with_rounds): usize,
        /// Most bytes of results that a client keeps because their server says that they are fresh (2026-07-28, Caching),
        /// besides the list of tools. Beyond it those go that would be out of date first. Default 4 MiB.
        pub kept_results_bytes (with_kept_results_bytes): usize,
        /// Most listeners of a client ([`Client::listen`](crate::client::Client::listen)). Default 1,000.
        pub listeners (with_listeners): usize,
        /// Most bytes of changes that wait for one listener of a client; beyond it one word that there were more takes the
        /// place of all. Default 256 KiB.
        pub listener_bytes (with_listener_bytes): usize,
        /// Most junk lines (not JSON-RPC) reported per connection; further ones are only counted. A client never
        /// answers junk, and counts all of it. Default 64.
        pub junk_reports (with_junk_reports): usize,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 16 << 20,
            body_bytes: 16 << 20,
            // Sixteen of the largest bodies at a time.
            reading_bytes: 256 << 20,
            unread_bytes: 256 << 20,
            error_body_bytes: 64 << 10,
            event_bytes: 16 << 20,
            // The JSON parser recurses to 128 and calls anything deeper a syntax error.
            depth: 100,
            // An id is kept for as long as its request runs, and goes back with the answer.
            id_bytes: 1 << 10,
            batch_messages: 100,
            pending_calls: 1 << 16,
            requests_in_progress: 1 << 16,
            outbox_bytes: 16 << 20,
            // Two pipes full: one is written while the other fills.
            stream_bytes: 128 << 10,
            notifications: 1 << 10,
            restarts: 5,
            // Four of the largest messages at a time.
            total_bytes: 64 << 20,
            sessions: 10_000,
            sessions_per_principal: 10_000,
            abandoned_requests: 10_000,
            session_idle: Duration::from_secs(30 * 60),
            streams_per_session: 1 << 10,
            // One that is read, one that was opened while it was given up, and two whose ends nobody has noticed.
            get_streams_per_session: 4,
            replay_events: 1 << 10,
            replay_bytes: 1 << 20,
            replay_session_bytes: 4 << 20,
            // Sixteen sessions that hold all they may.
            replay_total_bytes: 64 << 20,
            subscription_uris: 1_000,
            tool_headers: 10_000,
            // A header or a form field of a gateway may carry no more, and a user has to answer all of it.
            state_bytes: 64 << 10,
            used_states: 65_536,
            input_requests: 64,
            input_rounds: 32,
            list_pages: 1_000,
            rounds: 10,
            kept_results_bytes: 4 << 20,
            listeners: 1_000,
            listener_bytes: 256 << 10,
            junk_reports: 64,
        }
    }
}

settings! {
    /// How long each phase of a connection may take.
    ///
    /// Every call has a deadline from its first drain on, also while it waits for a handshake: the phases run
    /// inside the call's own time and never add to it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Timeouts {
        /// For the question which era the server speaks (`server/discover`). Default 10 seconds.
        pub probe (with_probe): Duration,
        /// For the `initialize` handshake. Default 30 seconds.
        pub initialize (with_initialize): Duration,
        /// For a request, from its birth or its last progress. Default 60 seconds.
        pub request (with_request): Duration,
        /// For a request in all, whatever progress it reports; and for the handler of a legacy HTTP request after its
        /// client has hung up. Default 1 hour.
        pub request_max (with_request_max): Duration,
        /// For a client to come back with what a server needs: how long the state that it carries is good. A user may have
        /// to be asked meanwhile. Default 1 hour.
        pub state (with_state): Duration,
        /// For the input that a server needs before it answers a call (2026-07-28, Multi Round-Trip Requests), each time that
        /// it asks: a human may have to be found. The call's own time does not run meanwhile. Default 10 minutes.
        pub input (with_input): Duration,
        /// For a graceful close: what is queued, and the DELETE of a session. Default 2 seconds.
        pub close (with_close): Duration,
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            // Probe and handshake together are shorter than the request that waits for them, so that it can tell which
            // failed.
            probe: Duration::from_secs(10),
            initialize: Duration::from_secs(30),
            request: Duration::from_secs(60),
            request_max: Duration::from_secs(3600),
            state: Duration::from_secs(3600),
            input: Duration::from_secs(600),
            // Whoever closes waits for it, and the peer may be dead.
            close: Duration::from_secs(2),
        }
    }
}
