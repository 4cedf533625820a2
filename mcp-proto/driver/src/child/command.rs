//! What is to be started.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::ffi::{OsStr, OsString};

use super::stderr::Callback;
use super::{Exit, Stderr};

/// How long a child may take to exit after its input is closed, before it is asked to terminate.
const EXIT_AFTER: Duration = Duration::from_secs(2);

/// How long it may take then, before it is killed.
const KILL_AFTER: Duration = Duration::from_secs(2);

/// The variables of [`Environment::Basic`]: where things are, who the user is, which language they speak.
const BASIC: [&str; 28] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    // Windows.
    "APPDATA",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

/// A server to be started as a child process: the program, its arguments and surroundings, and how it is ended.
///
/// Starting a program of this name is as much trust as there is: it runs with the rights of this process. What it is
/// given of the environment is [`Environment::Basic`] unless told otherwise, so that the secrets of the host do not
/// reach every server.
///
/// Two commands are equal where they start the same thing with the same callbacks.
///
/// ```
/// use mcp_driver::child::{Command, Stderr};
///
/// let command = Command::new("weather-server")
///     .args(["--units", "metric"])
///     .env("WEATHER_KEY", "secret")
///     .stderr(Stderr::lines(|line| eprintln!("weather: {line}")));
/// assert!(!format!("{command:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    environment: Environment,
    variables: BTreeMap<OsString, OsString>,
    current_dir: Option<OsString>,
    stderr: Stderr,
    on_exit: Option<Callback<Exit>>,
    exit_after: Duration,
    kill_after: Duration,
}

/// What a child inherits of the environment of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Environment {
    /// What most programs need and no secret is expected in: `HOME`, `LANG`, `LC_ALL`, `LC_CTYPE`, `LOGNAME`, `PATH`,
    /// `SHELL`, `TERM`, `TMPDIR`, `TZ`, `USER`, and what corresponds to these on Windows.
    #[default]
    Basic,
    /// Everything.
    All,
    /// Nothing.
    Nothing,
}

impl Command {
    /// Starts `program`: a path, or a name that is looked for in `PATH`. No shell is involved.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            environment: Environment::default(),
            variables: BTreeMap::new(),
            current_dir: None,
            stderr: Stderr::default(),
            on_exit: None,
            exit_after: EXIT_AFTER,
            kill_after: KILL_AFTER,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// What is inherited of the environment. Default [`Environment::Basic`].
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// One variable of the environment, beside those inherited, or instead of one of them.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// The directory to start in. Default that of this process.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<OsStr>) -> Self {
        self.current_dir = Some(directory.as_ref().to_owned());
        self
    }

    /// What becomes of its standard error. Default [`Stderr::Inherit`].
    #[must_use]
    pub fn stderr(mut self, stderr: Stderr) -> Self {
        self.stderr = stderr;
        self
    }

    /// What is called when the child has exited, before its last output is received and the calls that wait end. It
    /// is called by the driver, and must not block.
    #[must_use]
    pub fn on_exit(mut self, on_exit: impl Fn(&Exit) + Send + Sync + 'static) -> Self {
        self.on_exit = Some(Callback::new(on_exit));
        self
    }

    /// How long the child may take to exit after its input is closed, before it is asked to terminate (`SIGTERM`).
    /// Default 2 seconds.
    #[must_use]
    pub fn exit_after(mut self, time: Duration) -> Self {
        self.exit_after = time;
        self
    }

    /// How long the child may take after it was asked to terminate, before it is killed (`SIGKILL`). Default 2 seconds.
    #[must_use]
    pub fn kill_after(mut self, time: Duration) -> Self {
        self.kill_after = time;
        self
    }

    /// The program.
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// All arguments.
    pub fn arguments(&self) -> &[OsString] {
        &self.args
    }

    /// The whole environment of the child, given that of this process.
    pub fn variables(&self, own: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<OsString, OsString> {
        let inherited = own.into_iter().filter(|(name, value)| match self.environment {
            Environment::Basic => is_basic(name, value),
            Environment::All => true,
            Environment::Nothing => false,
        });
        let mut variables: BTreeMap<_, _> = inherited.collect();
        // Last: what is said for this child counts over what it inherits.
        variables.extend(self.variables.clone());
        variables
    }

    /// The directory to start in, where it is not that of this process.
    pub fn directory(&self) -> Option<&OsStr> {
        self.current_dir.as_deref()
    }

    /// What becomes of its standard error.
    pub fn standard_error(&self) -> &Stderr {
        &self.stderr
    }

    pub(super) fn exit_callback(&self) -> Option<&Callback<Exit>> {
        self.on_exit.as_ref()
    }

    pub(super) fn patience(&self) -> (Duration, Duration) {
        (self.exit_after, self.kill_after)
    }
}

/// Whether a variable is one of the basic ones. Functions, which some shells put into variables, are not.
fn is_basic(name: &OsStr, value: &OsStr) -> bool {
    // On Windows it may be `Path`.
    let is_name = |basic: &&str| name.to_str().is_some_and(|name| name.eq_ignore_ascii_case(basic));
    BASIC.iter().any(is_name) && !value.as_encoded_bytes().starts_with(b"()")
}

/// Shows the names of the variables and no arguments: values may be secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.variables.keys().collect();
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.args.len())
            .field("environment", &self.environment)
            .field("variables", &names)
            .field("current_dir", &self.current_dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<(OsString, OsString)> {
        [
            ("PATH", "/bin"),
            ("Path", "C:"),
            ("AWS_SECRET", "x"),
            ("HOME", "() { :; }"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into()
    }

    fn names(command: &Command) -> Vec<OsString> {
        command.variables(own()).into_keys().collect()
    }

    #[test]
    fn secrets_and_shell_functions_of_the_host_are_not_inherited_unless_asked_for() {
        let command = Command::new("x").env("KEY", "k");
        assert_eq!(names(&command), ["KEY", "PATH", "Path"]);
        assert_eq!(names(&command.clone().environment(Environment::Nothing)), ["KEY"]);
        assert_eq!(names(&command.environment(Environment::All)).len(), 5);
    }

    #[test]
    fn what_was_set_wins() {
        let command = Command::new("x").env("PATH", "/mine");
        assert_eq!(command.variables(own())[OsStr::new("PATH")], "/mine");
    }

    #[test]
    fn commands_are_equal_with_the_same_callbacks_only() {
        let plain = Command::new("x").arg("y");
        assert_eq!(plain, Command::new("x").args(["y"]));
        assert_ne!(plain, Command::new("x"));
        let loud = plain.clone().on_exit(|_| {});
        assert_eq!(loud, loud.clone());
        assert_ne!(loud, plain.clone().on_exit(|_| {}));
        assert_ne!(loud, plain);
    }

    #[test]
    fn neither_arguments_nor_values_are_shown() {
        let command = Command::new("x").arg("--key=secret").env("KEY", "secret");
        let shown = alloc::format!("{command:?}");
        assert!(shown.contains("KEY") && !shown.contains("secret"), "{shown}");
    }
}
