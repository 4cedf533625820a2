//! The world outside of the application: a plain HTTP client in another process, with threads of its own.
//!
//! It knows nothing of MCP and nothing of the runtime, and it judges by its own clock: were the application's
//! only thread stuck, this process would still notice, and say so.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::app::{Era, Failure, Outcome, Part};

/// After this long without an answer the application counts as hanging.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the application is left alone at first.
const REST: Duration = Duration::from_millis(300);

/// How often `/health` is asked.
const BEAT: Duration = Duration::from_millis(1);

/// What one application did, one outcome for each part, and its worst `/health` meanwhile.
pub(crate) struct Report {
    pub(crate) era: Era,
    /// In the order of [`Part::ALL`].
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) worst_health: Duration,
}

impl Report {
    /// How this part went.
    pub(crate) fn outcome(&self, part: Part) -> &Outcome {
        &self.outcomes[part as usize]
    }

    /// The longest time that something held the application's thread: the longest gap of its heartbeat, less the
    /// longest one on the idle thread.
    pub(crate) fn stall(&self) -> Duration {
        let longest = self
            .outcomes
            .iter()
            .map(|outcome| outcome.gap)
            .max()
            .unwrap_or_default();
        longest.saturating_sub(self.outcomes[0].idle_gap)
    }

    /// The most threads that the application had; `None` where the system does not tell.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.outcomes
            .iter()
            .map(|outcome| outcome.threads)
            .max()
            .filter(|threads| *threads > 0)
    }
}

/// Starts an application of this era, has it call itself in every way, and ends it.
pub(crate) fn examine(era: Era) -> Result<Report, Failure> {
    let application = Application::start(era)?;
    let health = Health::watch(application.address)?;
    let mut connection = Connection::open(application.address)?;
    let mut outcomes = Vec::new();
    // The gaps of the heartbeat on the idle thread are what the others are compared with.
    thread::sleep(REST);
    for part in Part::ALL {
        let failed = |why: &dyn Display| format!("{}, {}: {why}", era.name(), part.name());
        let answer = connection.request("POST", &format!("/run/{}", part.path()));
        let (status, body) = answer.map_err(|error| failed(&error))?;
        if status != 200 {
            return Err(failed(&body).into());
        }
        outcomes.push(serde_json::from_str(&body)?);
    }
    let worst_health = health.worst()?;
    Ok(Report {
        era,
        outcomes,
        worst_health,
    })
}

/// The application: this same program in another process. It ends with the value.
struct Application {
    process: Child,
    address: SocketAddr,
}

impl Application {
    fn start(era: Era) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg(era.name()).stdout(Stdio::piped()).spawn()?;
        let mut first_line = String::new();
        let output = process.stdout.take().ok_or("the application has no output")?;
        BufReader::new(output).read_line(&mut first_line)?;
        match first_line.trim().parse() {
            Ok(address) => Ok(Self { process, address }),
            Err(_) => {
                let status = process.wait()?;
                Err(format!("the application does not listen ({status})").into())
            }
        }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks for `/health` all the time, and remembers the slowest answer.
struct Health {
    is_over: Arc<AtomicBool>,
    poller: JoinHandle<io::Result<Duration>>,
}

impl Health {
    fn watch(address: SocketAddr) -> io::Result<Self> {
        let mut connection = Connection::open(address)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let poller = thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let asked = Instant::now();
                connection.request("GET", "/health")?;
                worst = worst.max(asked.elapsed());
                thread::sleep(BEAT.saturating_sub(asked.elapsed()));
            }
            Ok(worst)
        });
        Ok(Self { is_over, poller })
    }

    fn worst(self) -> Result<Duration, Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        let worst = self.poller.join().map_err(|_| "the poller of /health panicked")?;
        worst.map_err(|error| format!("/health: {error}").into())
    }
}

/// One HTTP/1.1 connection that is kept open.
struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request without a body; gives the status and the body of the response.
    fn request(&mut self, method: &str, path: &str) -> io::Result<(u16, String)> {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.response().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                io::Error::other(format!("no answer within {PATIENCE:?}: the application hangs"))
            }
            _ => error,
        })
    }

    fn response(&mut self) -> io::Result<(u16, String)> {
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
