//! The standard streams of this process, taken over so that they can be waited for and nobody disturbs them.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{FileType, OFlags};
use rustix::net::{RecvFlags, SendFlags, Shutdown};

/// Whether someone has the standard streams.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The standard streams, taken over until this is dropped: for everyone else in the process, and for its children,
/// standard input is empty, and what is written to standard output goes to standard error.
#[derive(Debug)]
pub(crate) struct Taken {
    input: OwnedFd,
    output: OwnedFd,
}

impl Taken {
    /// Takes the standard streams over.
    pub(crate) fn take() -> io::Result<Self> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            let message = "standard input and output serve another connection";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        Self::replace().inspect_err(|_| TAKEN.store(false, Ordering::Release))
    }

    fn replace() -> io::Result<Self> {
        let nothing = File::open("/dev/null")?;
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        let taken = Self { input, output };
        rustix::stdio::dup2_stdin(nothing)?;
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok(taken)
    }

    /// What standard input was.
    pub(crate) fn input(&self) -> io::Result<Descriptor> {
        Descriptor::open(&self.input, OFlags::RDONLY, |mut from, mut to| {
            thread::Builder::new()
                .name("mcp-stdin".to_owned())
                .spawn(move || io::copy(&mut from, &mut to).map(drop))
        })
    }

    /// What standard output was.
    pub(crate) fn output(&self) -> io::Result<Descriptor> {
        Descriptor::open(&self.output, OFlags::WRONLY, |mut to, mut from| {
            thread::Builder::new()
                .name("mcp-stdout".to_owned())
                .spawn(move || io::copy(&mut from, &mut to).map(drop))
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
pub(crate) struct Descriptor {
    descriptor: OwnedFd,
    kind: Kind,
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
        relay: impl FnOnce(File, UnixStream) -> io::Result<thread::JoinHandle<io::Result<()>>>,
    ) -> io::Result<Self> {
        let mode = rustix::fs::fstat(original)?.st_mode;
        let pipe = match FileType::from_raw_mode(mode) {
            FileType::Socket => {
                let (descriptor, kind) = (original.try_clone()?, Kind::Socket);
                return Ok(Self { descriptor, kind });
            }
            FileType::Fifo => reopen(original, access),
            _ => None,
        };
        if let Some(descriptor) = pipe {
            let kind = Kind::Pipe;
            return Ok(Self { descriptor, kind });
        }
        let (near, far) = UnixStream::pair()?;
        relay(original.try_clone()?.into(), far)?;
        let (descriptor, kind) = (near.into(), Kind::Relay);
        Ok(Self { descriptor, kind })
    }

    /// Reads what is there. 0 is the end.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(match self.kind {
            Kind::Pipe => rustix::io::read(&self.descriptor, buffer)?,
            _ => rustix::net::recv(&self.descriptor, buffer, RecvFlags::DONTWAIT)?.0,
        })
    }

    /// Writes what there is room for.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(match self.kind {
            Kind::Pipe => rustix::io::write(&self.descriptor, bytes)?,
            _ => rustix::net::send(&self.descriptor, bytes, SendFlags::DONTWAIT)?,
        })
    }

    /// Ends what is written. Whether [`read`](Self::read) will be at its end when all of it has arrived, and not before.
    pub(crate) fn end(&self) -> bool {
        self.kind == Kind::Relay && rustix::net::shutdown(&self.descriptor, Shutdown::Write).is_ok()
    }
}

/// Opens a pipe once more, without blocking, where the system can.
#[cfg(target_os = "linux")]
fn reopen(pipe: &OwnedFd, access: OFlags) -> Option<OwnedFd> {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
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
