//! Peers that know no MCP and no runtime: they write bytes and read bytes, and block.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long they wait for the next byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a [`Poller`] asks.
const BEAT: Duration = Duration::from_millis(1);

/// Sends `request` on a connection of its own; everything that comes back until the server closes it.
///
/// # Panics
/// Where nobody listens.
pub fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut write = stream.try_clone().expect("a socket");
    let mut response = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A server that refuses a request need not read all of it.
            let _ = write.write_all(request);
        });
        let _ = stream.read_to_end(&mut response);
        let _ = stream.shutdown(Shutdown::Both);
    });
    String::from_utf8_lossy(&response).into_owned()
}

/// One HTTP/1.1 connection that is kept open.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request without a body; gives the status and the body of the response.
    ///
    /// # Errors
    /// Those of the socket, and where the response is none.
    pub fn request(&mut self, method: &str, path: &str) -> io::Result<(u16, String)> {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().map_err(|_| io::ErrorKind::InvalidData)?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// Asks for a path every millisecond, from a thread of its own, and remembers the slowest answer.
#[derive(Debug)]
pub struct Poller {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Duration>>,
}

impl Poller {
    /// Begins, once the first answer has come.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn start(address: SocketAddr, path: &'static str) -> io::Result<Self> {
        let mut connection = Connection::open(address)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let asked = Instant::now();
                let (status, _) = connection.request("GET", path)?;
                if status != 200 {
                    return Err(io::Error::other(format!("{path} answered {status}")));
                }
                worst = worst.max(asked.elapsed());
                thread::sleep(BEAT.saturating_sub(asked.elapsed()));
            }
            Ok(worst)
        });
        Ok(Self { is_over, thread })
    }

    /// The slowest answer. Waits for the present one: not to be called on the thread of the server.
    ///
    /// # Errors
    /// Those of the socket, and where an answer was not 200.
    pub fn worst(self) -> io::Result<Duration> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .map_err(|_| io::Error::other("the thread panicked"))?
    }
}
