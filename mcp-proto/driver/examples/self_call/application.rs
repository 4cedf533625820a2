//! The application as the world outside sees it: a process that listens.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::era::Era;
use super::host::Failure;

/// The application: this same program in another process. It ends with the value.
pub(crate) struct Application {
    process: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Application {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(era: Era) -> Result<Self, Failure> {
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
