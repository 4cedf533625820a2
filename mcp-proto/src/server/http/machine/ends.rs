//! How exchanges, their requests and sessions end, and in which order.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::event::{ExchangeId, HttpCallId, HttpEvent, HttpRequestKey, HttpSessionKey};
use super::super::exchange::HangUp;
use super::super::served::{Resumed, Served};
use super::HttpServer;
use crate::rpc::{CallError, CloseReason};
use crate::time::Time;

impl HttpServer {
    /// The client has hung up. In the modern era that cancels its request (2026-07-28, Streamable HTTP, Cancellation);
    /// in a session of the legacy era the request runs on (2025-11-25, Transports, Sending Messages, 6), within
    /// [`Limits::abandoned_requests`](crate::Limits::abandoned_requests).
    pub fn disconnect(&mut self, now: Time, id: ExchangeId) {
        if let Some(Served::Resumed(resumed)) = self.exchanges.get(&id) {
            let (of, reader) = (resumed.of, resumed.reader);
            self.stop_reading_stream(of, reader);
            return self.forget(now, id);
        }
        self.stop_reading_stream(id, 0);
        let Some(Served::Answering(answering)) = self.exchanges.get_mut(&id) else {
            return self.forget(now, id);
        };
        // Told twice: it runs on, and has its place in the table already.
        if answering.abandoned.is_some() {
            return;
        }
        match answering.exchange.hang_up() {
            HangUp::Nothing => self.forget(now, id),
            HangUp::Cancelled => {
                self.cancel_all(id);
                self.forget(now, id);
            }
            HangUp::RunOn => {
                let (key, oldest) = self.abandoned.insert(now, id);
                // Before the oldest is given up, which is this one where none may be kept.
                answering.abandoned = Some(key);
                if let Some(oldest) = oldest {
                    self.give_up(now, oldest);
                }
            }
        }
    }

    /// Nobody reads a stream that can be resumed: it is kept for a while.
    fn stop_reading_stream(&mut self, of: ExchangeId, reader: u32) {
        if let Some(Served::Answering(answering)) = self.exchanges.get_mut(&of)
            && answering.exchange.reader() == reader
        {
            let _ = answering.exchange.leave(reader);
            answering.reader = None;
            // That of a GET may go on elsewhere: its session knows.
            let of_request = answering.stream.filter(|key| !key.is_listener());
            of_request.into_iter().for_each(|key| self.replay.leave(key));
        }
    }

    /// Ends every session, as if each client had asked for it; new ones may begin. For an application whose sessions mean
    /// nothing any more. Clients learn it by a 404 (2025-11-25, Transports, Session Management, 3).
    pub fn end_sessions(&mut self) {
        for member in self.table.clear() {
            self.end_session(member.session);
        }
    }

    /// Begins to shut down: refuses new requests, and ends every subscription, and every session that has no request in
    /// progress. Requests in progress are answered; a session ends with its last one.
    pub fn drain(&mut self) {
        // First, so that nothing new comes in behind those that are ended.
        self.site.close();
        // Unlike requests, these would never end by themselves.
        for id in self.subscriptions.close() {
            self.end_stream(id);
        }
        for member in self.table.drain() {
            if let Some(room) = self.rooms.get_mut(member.session) {
                room.session.drain();
            }
            self.after(member.session);
        }
    }

    /// Shuts down: refuses new requests, and ends every subscription and every session, with the requests in progress
    /// there, which get no answer. Requests of the modern era that are in progress are answered.
    pub fn close(&mut self) {
        self.drain();
        // The rooms, not the table: sessions that drain or are for one exchange are not in it. Each may be forgotten
        // meanwhile.
        let sessions: Vec<HttpSessionKey> = self.rooms.keys().collect();
        for key in sessions {
            self.end_session(key);
        }
    }

    /// A request gets no answer; its exchange goes on without it.
    pub(super) fn cancelled(&mut self, request: HttpRequestKey, reason: Option<Box<str>>) {
        if let Some(answering) = self.answering(request.exchange)
            // An answer may have been first, and the exchange counts each request once.
            && answering.requests.remove(&request.number).is_some()
        {
            answering.exchange.skip();
            self.answered(request.exchange);
            self.events.push_back(HttpEvent::Cancelled { request, reason });
        }
    }

    /// An exchange has one request less that waits for an answer.
    pub(super) fn answered(&mut self, id: ExchangeId) {
        self.mark(id);
        let Some(answering) = self.answering(id) else { return };
        if !answering.exchange.is_answered() {
            return;
        }
        let (visit, gone, is_read) = (answering.visit.take(), answering.abandoned, answering.reader.is_some());
        self.leaving.extend(visit);
        if let Some(gone) = gone {
            self.abandoned.remove(gone);
            // Nobody is there to take its end, unless another connection goes on with it.
            if !is_read {
                self.remove(id);
            }
        }
    }

    /// None of the requests of an exchange is answered any more.
    pub(super) fn cancel_all(&mut self, id: ExchangeId) {
        let Some(answering) = self.answering(id) else { return };
        // Taken out first: the session may end with them, and would cancel each a second time.
        let (requests, session) = (core::mem::take(&mut answering.requests), answering.session);
        for (number, running) in requests {
            if let Some(room) = session.and_then(|key| self.rooms.get_mut(key)) {
                running.into_iter().for_each(|running| room.session.forget(running));
            }
            let request = HttpRequestKey { exchange: id, number };
            let reason = None;
            self.events.push_back(HttpEvent::Cancelled { request, reason });
        }
        if let Some(key) = session {
            self.after(key);
        }
    }

    /// Gives up requests whose client has gone.
    pub(super) fn give_up(&mut self, now: Time, id: ExchangeId) {
        self.cancel_all(id);
        self.forget(now, id);
    }

    /// An exchange is over.
    pub(super) fn forget(&mut self, now: Time, id: ExchangeId) {
        self.remove(id);
        self.settle_visits(now);
    }

    pub(super) fn remove(&mut self, id: ExchangeId) {
        self.stop_reading(id);
        self.ready.remove(&id);
        self.silent_streams.set(id, None);
        let answering = match self.exchanges.remove(&id) {
            Some(Served::Answering(answering)) => answering,
            Some(Served::Resumed(resumed)) => return self.reader_gone(id, *resumed),
            _ => return,
        };
        // Whoever goes on with it has its end.
        self.ready.extend(answering.reader);
        self.leaving.extend(answering.visit);
        if let Some(stream) = answering.stream {
            let room = answering.session.and_then(|key| self.rooms.get_mut(key));
            if room.is_none_or(|room| room.session.stream_closed(stream, |other| *other == id)) {
                self.replay.leave(stream);
            }
        }
        if let Some(key) = answering.subscription {
            self.subscriptions.remove(key);
        }
        let Some(key) = answering.session else { return };
        if let Some(room) = self.rooms.get_mut(key) {
            room.session.unlisten(|stream| *stream == id);
            room.exchanges = room.exchanges.saturating_sub(1);
            // Nobody else knows its name: no other exchange can ever come to it.
            if room.is_throwaway && room.exchanges == 0 {
                room.session.end();
            }
        }
        self.after(key);
    }

    /// A connection that went on with a stream is over.
    fn reader_gone(&mut self, id: ExchangeId, resumed: Resumed) {
        self.leaving.extend(resumed.visit);
        if let Some(Served::Answering(answering)) = self.exchanges.get_mut(&resumed.of)
            && answering.reader == Some(id)
        {
            answering.reader = None;
            // Its own connection is gone, and now there is nobody to take its end.
            if answering.exchange.is_answered() && answering.abandoned.is_some() {
                self.remove(resumed.of);
            }
        }
        if let Some(room) = self.rooms.get_mut(resumed.session) {
            room.exchanges = room.exchanges.saturating_sub(1);
        }
        self.after(resumed.session);
    }

    pub(super) fn end_session(&mut self, key: HttpSessionKey) {
        if let Some(room) = self.rooms.get_mut(key) {
            room.session.end();
        }
        self.after(key);
    }

    /// What has ended with a session is told, once it has.
    pub(super) fn after(&mut self, key: HttpSessionKey) {
        let Some(room) = self.rooms.get_mut(key) else {
            return;
        };
        if let Some(end) = room.session.poll_end() {
            let is_throwaway = room.is_throwaway;
            end.replay.iter().for_each(|scope| self.replay.forget(*scope));
            for stream in end.streams {
                self.end_stream(stream);
            }
            for request in end.requests {
                self.cancelled(request, None);
            }
            for call in end.calls {
                let call = HttpCallId { session: key, call };
                self.calls.remove(&call);
                let outcome = Err(CallError::Closed(CloseReason::Local));
                self.events.push_back(HttpEvent::Reply { call, outcome });
            }
            if !is_throwaway {
                // Last: who drops what belongs to the session at that has heard of everything in it.
                self.events.push_back(HttpEvent::Ended(key));
            }
        }
        self.rooms.sweep(key);
    }
}
