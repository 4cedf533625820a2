//! What the fixtures are started with.

use super::Failure;

/// A runtime with its adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// tokio, one thread; `mcp-tokio`.
    Tokio,
    /// smol, one thread; `mcp-smol`.
    Smol,
}

impl Runtime {
    /// The runtime of this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "tokio" => Some(Self::Tokio),
            "smol" => Some(Self::Smol),
            _ => None,
        }
    }
}

/// `conformance-server --runtime NAME --port N`, or `--stdio` in place of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerArguments {
    /// What to run on.
    pub runtime: Runtime,
    /// Where to listen, on loopback; `None` is standard input and output.
    pub port: Option<u16>,
}

/// `conformance-client --runtime NAME URL`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientArguments {
    /// What to run on.
    pub runtime: Runtime,
    /// The endpoint of the server.
    pub url: String,
}

impl ServerArguments {
    /// Reads the arguments that follow the name of the program.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut read = Read::new(arguments)?;
        let runtime = read.runtime;
        if read.rest == ["--stdio"] && read.port.is_none() {
            let port = None;
            return Ok(Self { runtime, port });
        }
        let port = read.port.take().ok_or("--port N or --stdio is missing")?;
        read.rest_is_empty()?;
        let port = Some(port.parse().map_err(|_| format!("{port:?} is no port"))?);
        Ok(Self { runtime, port })
    }
}

impl ClientArguments {
    /// Reads the arguments that follow the name of the program.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut read = Read::new(arguments)?;
        let url = read.rest.pop().ok_or("the URL of the server is missing")?;
        read.rest_is_empty()?;
        let runtime = read.runtime;
        Ok(Self { runtime, url })
    }
}

/// The arguments, taken apart.
struct Read {
    runtime: Runtime,
    port: Option<String>,
    rest: Vec<String>,
}

impl Read {
    fn new(arguments: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let (mut runtime, mut port, mut rest) = (None, None, Vec::new());
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--runtime" => runtime = arguments.next(),
                "--port" => port = arguments.next(),
                _ => rest.push(argument),
            }
        }
        let runtime = runtime.ok_or("--runtime NAME is missing")?;
        let runtime = Runtime::parse(&runtime).ok_or_else(|| format!("there is no runtime {runtime:?} here"))?;
        Ok(Self { runtime, port, rest })
    }

    fn rest_is_empty(&self) -> Result<(), Failure> {
        match (&self.rest.first(), &self.port) {
            (Some(argument), _) => Err(format!("{argument:?} means nothing here").into()),
            (None, Some(_)) => Err("--port means nothing here".into()),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(String::from).collect()
    }

    #[test]
    fn a_server_has_a_runtime_and_a_port() {
        let parsed = ServerArguments::parse(words("--port 8801 --runtime tokio")).unwrap();
        let (runtime, port) = (Runtime::Tokio, Some(8801));
        assert_eq!(parsed, ServerArguments { runtime, port });
        let parsed = ServerArguments::parse(words("--runtime tokio --stdio")).unwrap();
        assert_eq!(parsed, ServerArguments { runtime, port: None });
        for line in [
            "--port 1",
            "--runtime tokio",
            "--runtime x --port 1",
            "--runtime tokio --port 65536",
            "--runtime tokio --port 1 x",
            "--runtime tokio --port 1 --stdio",
        ] {
            assert!(ServerArguments::parse(words(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn a_client_has_a_runtime_and_a_url() {
        let parsed = ClientArguments::parse(words("--runtime tokio http://localhost:1/mcp")).unwrap();
        let url = String::from("http://localhost:1/mcp");
        assert_eq!(
            parsed,
            ClientArguments {
                runtime: Runtime::Tokio,
                url
            }
        );
        for line in [
            "--runtime tokio",
            "http://h",
            "--runtime tokio http://h http://h",
            "--runtime tokio --port 1 http://h",
        ] {
            assert!(ClientArguments::parse(words(line)).is_err(), "{line}");
        }
    }
}
