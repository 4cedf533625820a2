//! The walk over the table.

use std::collections::BTreeSet;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use mcp_proto::handle::Client;
use mcp_proto::method::{Method, Side};
use mcp_proto::{Era, Revision};
use mcp_tests::runtime::{AnyPump, Flavour, Runtime, listen};
use tokio::sync::Notify;

use super::relay::{self, Seen};
use super::script::{client, converse, server};

/// How long a conversation may take.
const PATIENCE: Duration = Duration::from_secs(5);

const SIDES: [Side; 2] = [Side::Client, Side::Server];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Over {
    Stream,
    Http,
}

impl Over {
    const ALL: [Self; 2] = [Self::Stream, Self::Http];

    /// Whether it is there in a revision. 2024-11-05 knows another HTTP.
    fn exists_in(self, revision: Revision) -> bool {
        self == Self::Stream || revision > Revision::V2024_11_05
    }
}

/// A message that the table allows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell(Revision, Side, &'static str);

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of a {} in {}", self.2, self.1, self.0)
    }
}

/// All that the table allows: messages, and what is asked for in results since 2026-07-28.
fn table() -> BTreeSet<Cell> {
    let mut cells = BTreeSet::new();
    for revision in Revision::ALL {
        for method in Method::ALL {
            for side in SIDES {
                let is_input = side == Side::Server && revision.era() == Era::Modern && method.is_input_request();
                if method.is_sent_by(side, revision) || is_input {
                    cells.insert(Cell(revision, side, method.as_str()));
                }
            }
        }
    }
    cells
}

/// What nobody says in these conversations, and why.
fn is_left_out(Cell(revision, _, method): &Cell, over: Over) -> bool {
    let is_modern_http = revision.era() == Era::Modern && over == Over::Http;
    // Tasks have their types, and nothing else yet.
    method.contains("tasks")
        // Who gives up a call over HTTP closes its stream (2026-07-28, Cancellation), and a server ends a subscription
        // with its result.
        || (is_modern_http && *method == "notifications/cancelled")
}

async fn conversation(runtime: &dyn Runtime, over: Over, revision: Revision) -> Seen {
    let (seen, waiting) = (Seen::default(), Arc::new(Notify::new()));
    let server = server(revision, waiting.clone());
    let (client, connection, _serving) = match over {
        Over::Stream => {
            let [ours, theirs] = relay::pair(&seen);
            let (client, pump) = Client::over_stream(client(revision));
            let serving = server.pump();
            let connection = serving.handle();
            for (pump, stream) in [(AnyPump::new(pump), ours), (AnyPump::new(serving), theirs)] {
                stream.set_nonblocking(true).unwrap();
                let driving = runtime.drive(pump, stream).unwrap();
                runtime.spawn(Box::pin(async { drop(driving.await) }));
            }
            (client, Some(connection), None)
        }
        Over::Http => {
            let (listener, _) = listen();
            let port = relay::before(listener.local_addr().unwrap().port(), &seen);
            let serving = runtime.serve_http(listener, &server, Box::pin(pending())).unwrap();
            let url = format!("http://127.0.0.1:{port}/mcp");
            let client = runtime.connect_answering(&url, client(revision)).unwrap();
            (client, None, Some(serving))
        }
    };
    let talk = runtime.within(
        PATIENCE,
        converse(&client, &server, &waiting, connection.as_ref(), revision),
    );
    talk.await.expect("a conversation that ends");
    seen
}

#[test]
fn every_method_is_said_by_each_side_that_may_say_it_and_no_other() {
    let table = table();
    for flavour in Flavour::ALL {
        for over in Over::ALL {
            let (mut said, mut findings) = (BTreeSet::new(), Vec::new());
            for revision in Revision::ALL.into_iter().filter(|revision| over.exists_in(*revision)) {
                println!("{over:?}, {revision}, {flavour}");
                flavour.run(async |runtime| {
                    let seen = conversation(runtime, over, revision).await;
                    for side in SIDES {
                        for method in seen.methods(side) {
                            let known = Method::parse(&method).map(|method| Cell(revision, side, method.as_str()));
                            match known.filter(|cell| table.contains(cell)) {
                                Some(cell) => drop(said.insert(cell)),
                                None => findings.push(format!("{method} is not a {side}'s to say in {revision}")),
                            }
                        }
                    }
                });
            }
            let stale = said.iter().filter(|cell| is_left_out(cell, over));
            findings.extend(stale.map(|cell| format!("somebody says {cell:?}, which is left out")));
            let expected = table.iter().filter(|cell| over.exists_in(cell.0));
            let expected = expected.filter(|cell| !is_left_out(cell, over));
            findings.extend(
                expected
                    .filter(|cell| !said.contains(cell))
                    .map(|cell| format!("nobody says {cell:?}")),
            );
            assert!(findings.is_empty(), "{over:?}, {flavour}:\n{}", findings.join("\n"));
        }
    }
}
