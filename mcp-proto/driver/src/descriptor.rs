//! The standard streams of this process, taken over so that they can be waited for and nobody disturbs them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, OFlags};
use rustix::net::{RecvFlags, SendFlags, Shutdown};

/// How much a relay carries at once, in bytes.
const RELAY_BYTES: usize = 16 << 10;

/// Whether someone has the standard streams.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The standard streams, taken over until this is dropped: for everyone else in the process, and for its children,
/// standard input is empty, and what is written to standard output goes to standard error.
#[derive(Debug)]
pub struct Taken {
    input: OwnedFd,
    output: OwnedFd,
}

impl Taken {
    /// Takes the standard streams over.
    pub fn take() -> io::Result<Self> {
        // Two servers on one input would take bytes from each other.
        if TAKEN.swap(true, Ordering::AcqRel) {
            let message = "standard input and output serve another connection";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        // What could not be taken is free for another attempt.
        Self::replace().inspect_err(|_| TAKEN.store(false, Ordering::Release))
    }

    fn replace() -> io::Result<Self> {
        let nothing = File::open("/dev/null")?;
        // Copies: 0 and 1 themselves are what the rest of the process uses, and are replaced.
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        // Kept before anything is replaced: where the second step fails, dropping this undoes the first.
        let taken = Self { input, output };
        rustix::stdio::dup2_stdin(nothing)?;
        // What a library prints would stand between the messages (2025-11-25, Transports, stdio: MUST NOT).
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok(taken)
    }

    /// What standard input was.
    pub fn input(&self) -> io::Result<Descriptor> {
        Descriptor::open(&self.input, OFlags::RDONLY, |from, to, fault| {
            start("mcp-stdin", move || relay(from, to, &fault))
        })
    }

    /// What standard output was.
    pub fn output(&self) -> io::Result<Descriptor> {
        Descriptor::open(&self.output, OFlags::WRONLY, |to, from, fault| {
            start("mcp-stdout", move || relay(from, to, &fault))
        })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // What was printed and is still in the buffer belongs to standard error.
        let _ = io::stdout().flush();
        let _ = rustix::stdio::dup2_stdout(&self.output);
        let _ = rustix::stdio::dup2_stdin(&self.input);
        TAKEN.store(false, Ordering::Release);
    }
}

/// A standard stream that never blocks, and that the reactor can wait for.
///
/// Whether a descriptor blocks belongs to what is open and not to the descriptor: changed here, it would change for
/// the parent's other children, and for standard error where that is the same terminal or pipe. It is left alone.
#[derive(Debug)]
pub struct Descriptor {
    descriptor: OwnedFd,
    kind: Kind,
    fault: Fault,
}

/// Why a relay has ended before its time: the number of the system's error.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<OnceLock<i32>>);

impl Fault {
    /// What the relay has failed with, if it has.
    pub fn outcome(&self) -> io::Result<()> {
        self.0
            .get()
            .map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(*code)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A pipe, opened once more for this process alone.
    Pipe,
    /// A socket, which is told with each message not to block.
    Socket,
    /// A socket to a thread that reads or writes something else: a file, a terminal, a pipe of somebody else's.
    Relay,
}

impl Descriptor {
    fn open(
        original: &OwnedFd,
        access: OFlags,
        relay: impl FnOnce(File, UnixStream, Fault) -> io::Result<()>,
    ) -> io::Result<Self> {
        let fault = Fault::default();
        let mode = rustix::fs::fstat(original)?.st_mode;
        let pipe = match FileType::from_raw_mode(mode) {
            FileType::Socket => {
                let (descriptor, kind) = (original.try_clone()?, Kind::Socket);
                return Ok(Self {
                    descriptor,
                    kind,
                    fault,
                });
            }
            // Opened once more it has flags of its own; a copy shares them.
            FileType::Fifo => reopen(original, access),
            _ => None,
        };
        if let Some(descriptor) = pipe {
            let kind = Kind::Pipe;
            return Ok(Self {
                descriptor,
                kind,
                fault,
            });
        }
        // What no reactor can wait for, as epoll cannot for a file, is waited for by a thread.
        let (near, far) = UnixStream::pair()?;
        relay(original.try_clone()?.into(), far, fault.clone())?;
        let (descriptor, kind) = (near.into(), Kind::Relay);
        Ok(Self {
            descriptor,
            kind,
            fault,
        })
    }

    /// Reads what is there. 0 is the end.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match self.kind {
            Kind::Pipe => rustix::io::read(&self.descriptor, buffer)?,
            _ => rustix::net::recv(&self.descriptor, buffer, RecvFlags::DONTWAIT)?.0,
        };
        // The relay has ended, maybe because what it reads has failed.
        if length == 0 {
            self.fault.outcome()?;
        }
        Ok(length)
    }

    /// What its relay fails with, where it has one; until that is over it may fail.
    pub fn fault(&self) -> Fault {
        self.fault.clone()
    }

    /// Writes what there is room for.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(match self.kind {
            Kind::Pipe => rustix::io::write(&self.descriptor, bytes)?,
            _ => match rustix::net::send(&self.descriptor, bytes, SendFlags::DONTWAIT) {
                Err(rustix::io::Errno::PIPE) => {
                    // What the relay has failed with says more than that it is gone.
                    self.fault.outcome()?;
                    return Err(rustix::io::Errno::PIPE.into());
                }
                sent => sent?,
            },
        })
    }

    /// Ends what is written. Whether [`read`](Self::read) will be at its end when all of it has arrived, and not before.
    pub fn end(&self) -> bool {
        self.kind == Kind::Relay && rustix::net::shutdown(&self.descriptor, Shutdown::Write).is_ok()
    }
}

/// Starts a thread that nobody waits for.
fn start(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // Not joined: it may be in a read that nothing ends, and must not hold up the end of the process.
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

/// Carries everything from one to the other, until the end or until one of them fails, which is told before both are
/// closed.
fn relay(mut from: impl Read + AsFd, mut to: impl Write + AsFd, fault: &Fault) {
    if let Err(error) = carry(&mut from, &mut to) {
        let code = error.raw_os_error().unwrap_or(rustix::io::Errno::IO.raw_os_error());
        let _ = fault.0.set(code);
    }
}

fn carry(from: &mut (impl Read + AsFd), to: &mut (impl Write + AsFd)) -> io::Result<()> {
    let mut buffer = vec![0; RELAY_BYTES];
    loop {
        let length = patiently(from, PollFlags::IN, |from| from.read(&mut buffer))?;
        if length == 0 {
            return Ok(());
        }
        let mut rest = buffer.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            match patiently(to, PollFlags::OUT, |to| to.write(rest))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => rest = rest.get(written..).unwrap_or_default(),
            }
        }
    }
}

/// Reads or writes, also where somebody else has switched what is shared with them to non-blocking.
fn patiently<T: AsFd>(
    file: &mut T,
    what: PollFlags,
    mut step: impl FnMut(&mut T) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match step(file) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut watched = [PollFd::new(file, what)];
                // Interrupted, it is tried again.
                let _ = rustix::event::poll(&mut watched, None);
                // It is not open: to wait for it would be over at once, for ever.
                if watched[0].revents().contains(PollFlags::NVAL) {
                    return Err(error);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Opens a pipe once more, without blocking, where the system can.
#[cfg(target_os = "linux")]
fn reopen(pipe: &OwnedFd, access: OFlags) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    // Not for children, who would hold the pipe open beyond its end.
    let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, rustix::fs::Mode::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn reopen(_: &OwnedFd, _: OFlags) -> Option<OwnedFd> {
    None
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}
