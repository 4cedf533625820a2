//! A driver for [`HttpServer`] with blocking IO: one thread owns the machine, and each connection has two.
//!
//! The machine is told everything through one channel, in [`Report`]s:
//!
//! - The **reader** of a connection reads one request and reports its head, then as much of its body as the machine
//!   wants, piece by piece: that holds back the sender. Afterwards it waits for the client to hang up.
//! - The **writer** of a connection writes what it is given, and reports that it may be given more: so that a client
//!   that reads slowly fills no memory, and holds up nobody else.
//! - The **application** says what it wants to say as a closure, from any thread.
//!
//! The owner tells the machine, lets the application answer, hands out what is ready, and sleeps until the next report
//! or deadline.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use http::request;
use mcp_proto::Time;
use mcp_proto::server::http::{self as machine, ExchangeId, HttpEvent, HttpServer};

use crate::http1;

/// What the owner of the machine hears.
pub(crate) enum Report {
    /// A request has begun on this connection. Its reader wants to know which exchange it is.
    Head(Box<request::Parts>, TcpStream, Sender<ExchangeId>),
    /// A piece of its body. Its reader wants to know whether to go on.
    Body(ExchangeId, Vec<u8>, Sender<bool>),
    /// Its body is complete.
    End(ExchangeId),
    /// The client has hung up.
    Gone(ExchangeId),
    /// Everything is written that was to be written so far.
    Written(ExchangeId),
    /// What the application wants to say.
    Say(Box<dyn FnOnce(&mut HttpServer) + Send>),
}

/// Serves the connections of `listener` for ever: each report goes to the owner of the machine.
pub(crate) fn accept(listener: &TcpListener, reports: &Sender<Report>) {
    for stream in listener.incoming().flatten() {
        let reports = reports.clone();
        thread::spawn(move || read(stream, &reports));
    }
}

/// One request. What goes wrong ends the connection.
fn read(stream: TcpStream, reports: &Sender<Report>) -> io::Result<()> {
    let ended = |_| io::Error::other("the server has ended");
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let head = http1::read_request(&mut input)?;
    let length = http1::length(&head.headers).unwrap_or(0);
    let (reply, id) = channel();
    reports
        .send(Report::Head(Box::new(head), stream, reply))
        .map_err(|_| ended(()))?;
    let id = id.recv().map_err(|_| ended(()))?;
    if read_body(&mut input.by_ref().take(length), id, reports).is_ok() {
        let _ = reports.send(Report::End(id));
        // Nothing more is expected but the end of the connection.
        let _ = io::copy(&mut input, &mut io::sink());
    }
    let _ = reports.send(Report::Gone(id));
    Ok(())
}

fn read_body(body: &mut io::Take<impl Read>, id: ExchangeId, reports: &Sender<Report>) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    while body.limit() > 0 {
        let length = body.read(&mut buffer)?;
        let (go_on, wanted) = channel();
        let report = Report::Body(id, buffer[..length].to_vec(), go_on);
        if length == 0 || reports.send(report).is_err() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if wanted.recv() != Ok(true) {
            break;
        }
    }
    Ok(())
}

/// Writes one response, and ends the connection with it.
fn write(mut stream: TcpStream, id: ExchangeId, pieces: &Receiver<Vec<u8>>, reports: &Sender<Report>) {
    for piece in pieces {
        if stream.write_all(&piece).is_err() {
            break;
        }
        let _ = reports.send(Report::Written(id));
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// Owns the machine until it is finished. `answer` is the application.
pub(crate) fn drive(
    mut server: HttpServer,
    (reporter, reports): &(Sender<Report>, Receiver<Report>),
    mut answer: impl FnMut(&mut HttpServer, HttpEvent),
) {
    let origin = Instant::now();
    let now = || Time::since_origin(origin.elapsed());
    // The writers that have nothing to write, and those that have.
    let (mut idle, mut busy) = (BTreeMap::new(), BTreeMap::new());
    while !server.is_finished() {
        let sleep = server.poll_timeout().map(|due| due.since(now()));
        let mut written = None;
        match sleep.map_or_else(|| reports.recv().ok(), |most| reports.recv_timeout(most).ok()) {
            Some(Report::Head(head, stream, reply)) => {
                let id = server.receive_head(now(), *head, machine::Sender::new());
                let ((writer, pieces), reporter) = (channel(), reporter.clone());
                thread::spawn(move || write(stream, id, &pieces, &reporter));
                idle.insert(id, writer);
                let _ = reply.send(id);
            }
            Some(Report::Body(id, piece, go_on)) => {
                server.receive_body(id, &piece);
                let _ = go_on.send(server.wants_body(id));
            }
            Some(Report::End(id)) => server.receive_end(now(), id, random),
            Some(Report::Gone(id)) => {
                server.disconnect(now(), id);
                idle.remove(&id);
                busy.remove(&id);
            }
            Some(Report::Written(id)) => {
                idle.extend(busy.remove(&id).map(|writer| (id, writer)));
                written = Some(id);
            }
            Some(Report::Say(say)) => say(&mut server),
            None => {}
        }
        server.handle_timeout(now());
        while let Some(event) = server.poll_event() {
            answer(&mut server, event);
        }
        // One that is busy is looked at when it has written.
        while let Some(id) = written.take().or_else(|| server.poll_ready()) {
            let Some(writer) = idle.remove(&id) else { continue };
            match next(&mut server, now(), id) {
                None => drop(idle.insert(id, writer)),
                Some(None) => {} // Without its writer a connection ends.
                Some(Some(piece)) => {
                    let _ = writer.send(piece);
                    busy.insert(id, writer);
                }
            }
        }
    }
}

/// What is to be written next: `None` while there is nothing, `Some(None)` at the end.
fn next(server: &mut HttpServer, now: Time, id: ExchangeId) -> Option<Option<Vec<u8>>> {
    if let Some(head) = server.poll_head(now, id) {
        return Some(Some(http1::head(&head, server.body_length(id))));
    }
    Some(server.poll_frame(now, id)?.into_data().map(|bytes| bytes.to_vec()))
}

/// Bytes for the id of a session, which nobody may guess.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    let source = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    source.expect("a source of random bytes");
    bytes
}
