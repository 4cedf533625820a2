//! The rows of what an application has to build: crates, processor time and size of the smallest programs.
//!
//! They take minutes, thus only `bench W1`, `bench W2`, `bench W3` and `bench build` measure them. Each program is a
//! package of its own in a folder that is emptied before, so that everything is built anew, one crate at a time.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::peer;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/minimal");
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Our adapter with these features.
macro_rules! ours {
    ($($feature:literal),*) => {
        concat!(
            r#"mcp-tokio = { path = "WORKSPACE/mcp-tokio", default-features = false, features = ["#,
            $('"', $feature, '"', ", ",)*
            "] }"
        )
    };
}

/// The peer with these features, beside its defaults.
macro_rules! rmcp {
    ($($feature:literal),*) => {
        concat!(r#"rmcp = { version = "=3.11.0", features = ["#, $('"', $feature, '"', ", ",)* "] }")
    };
}

/// A program, and what is asked of it: crates, processor time against the floor, megabytes.
struct Program {
    targets: &'static str,
    what: &'static str,
    source: &'static str,
    /// The floor that its time is held against.
    floor: &'static str,
    dependencies: &'static [&'static str],
    must: Option<(usize, f64, f64)>,
}

const TOKIO: &str = r#"tokio = { version = "1", features = ["macros", "net", "rt"] }"#;
const SERDE: &str = r#"serde = { version = "1", features = ["derive"] }"#;
const JSON: &str = r#"serde_json = "1""#;
const SCHEMARS: &str = r#"schemars = "1""#;

const PROGRAMS: &[Program] = &[
    Program {
        targets: "W1",
        what: "floor: a server over stdio",
        source: "floor_stdio",
        floor: "floor_stdio",
        dependencies: &[SERDE, JSON],
        must: None,
    },
    Program {
        targets: "W1",
        what: "our server over stdio",
        source: "ours_stdio",
        floor: "floor_stdio",
        dependencies: &[ours!("schema"), TOKIO, SERDE, SCHEMARS],
        must: Some((38, 3.0, 1.3)),
    },
    Program {
        targets: "W1",
        what: "rmcp, a server over stdio",
        source: "rmcp_stdio",
        floor: "floor_stdio",
        dependencies: &[rmcp!("transport-io"), TOKIO, SERDE],
        must: None,
    },
    Program {
        targets: "W2 W3",
        what: "floor: a server over HTTP",
        source: "floor_http",
        floor: "floor_http",
        dependencies: &[
            SERDE,
            JSON,
            TOKIO,
            r#"bytes = "1""#,
            r#"http-body-util = "0.1""#,
            r#"hyper = { version = "1", features = ["http1", "server"] }"#,
            r#"hyper-util = { version = "0.1", features = ["tokio"] }"#,
        ],
        must: None,
    },
    Program {
        targets: "W2",
        what: "our server over HTTP",
        source: "ours_http",
        floor: "floor_http",
        dependencies: &[ours!("http", "schema"), TOKIO, SERDE, SCHEMARS],
        must: Some((52, 2.4, 2.2)),
    },
    Program {
        targets: "W2",
        what: "rmcp, a server over HTTP",
        source: "rmcp_http",
        floor: "floor_http",
        dependencies: &[
            rmcp!("transport-streamable-http-server"),
            TOKIO,
            SERDE,
            r#"axum = "0.8""#,
        ],
        must: None,
    },
    Program {
        targets: "W3",
        what: "our client over HTTP, without TLS",
        source: "ours_client",
        floor: "floor_http",
        dependencies: &[ours!("http"), TOKIO, JSON],
        must: Some((55, 2.4, f64::INFINITY)),
    },
    Program {
        targets: "W3",
        what: "rmcp, a client over HTTP, without TLS",
        source: "rmcp_client",
        floor: "floor_http",
        dependencies: &[rmcp!("client", "transport-streamable-http-client-reqwest"), TOKIO, JSON],
        must: None,
    },
];

/// What was measured of a program.
struct Built {
    crates: usize,
    seconds: f64,
    bytes: u64,
}

/// Builds the programs with this word and prints their table.
pub(crate) fn table(word: &str) {
    if word.is_empty() {
        println!("\nW1 to W3, what an application has to build, take minutes: `bench build`.");
        return;
    }
    let matches = |program: &&Program| program.targets.contains(word) || word == "build";
    let programs: Vec<&Program> = PROGRAMS.iter().filter(matches).collect();
    if programs.is_empty() {
        return;
    }
    println!("\nWhat the smallest programs build: crates, processor time of a cold release build, stripped size");
    println!(
        "  {:<7} {:<40} {:>7} {:>9} {:>18} {:>9}  must",
        "", "", "crates", "CPU", "against the floor", "MB"
    );
    let mut floors: Vec<(&str, f64)> = Vec::new();
    for program in programs {
        let Some(built) = program.build() else {
            println!("  {:<7} {:<40} CANNOT BE BUILT", program.targets, program.what);
            continue;
        };
        if program.floor == program.source {
            floors.push((program.source, built.seconds));
        }
        let floor = floors.iter().find(|(source, _)| *source == program.floor);
        program.print(&built, floor.map(|(_, seconds)| built.seconds / seconds));
    }
}

impl Program {
    fn print(&self, built: &Built, ratio: Option<f64>) {
        let megabytes = built.bytes as f64 / 1e6;
        let (must, verdict) = match self.must {
            None => (String::new(), ""),
            Some((crates, times, size)) => {
                let is_met = built.crates <= crates && ratio.is_none_or(|ratio| ratio <= times) && megabytes <= size;
                let size = if size.is_finite() {
                    format!(", {size} MB")
                } else {
                    String::new()
                };
                (format!("{crates}, {times:.1}x{size}"), if is_met { "* " } else { "! " })
            }
        };
        println!(
            "  {:<7} {:<40} {:>7} {:>7.1} s {:>18} {:>9.2}  {verdict}{must}",
            self.targets,
            self.what,
            built.crates,
            built.seconds,
            ratio.map_or(String::new(), |ratio| format!("{ratio:.2}x")),
            megabytes,
        );
    }

    fn build(&self) -> Option<Built> {
        let home = self.write();
        // What is downloaded is not part of it.
        cargo(&home, &["fetch"])?;
        let tree = cargo(
            &home,
            &["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"],
        )?;
        let tree = String::from_utf8(tree.stdout).expect("text");
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(" (").next()).collect();
        let before = time_of_children();
        cargo(&home, &["build", "--quiet", "--release", "--jobs", "1"])?;
        let seconds = time_of_children() - before;
        let bytes = fs::metadata(home.join("target/release/minimal"))
            .expect("a program")
            .len();
        fs::remove_dir_all(home.join("target")).expect("a folder");
        Some(Built {
            // Without the program itself.
            crates: crates.len() - 1,
            seconds,
            bytes,
        })
    }

    /// Writes the package, and gives its folder.
    fn write(&self) -> PathBuf {
        let home = peer::target("minimal").join(self.source);
        drop(fs::remove_dir_all(&home));
        fs::create_dir_all(home.join("src")).expect("a folder");
        let source = Path::new(SOURCES).join(self.source).with_extension("rs");
        fs::copy(source, home.join("src/main.rs")).expect("a source");
        let dependencies = self.dependencies.join("\n").replace("WORKSPACE", WORKSPACE);
        let manifest = format!(
            "[package]\nname = \"minimal\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\n\
             [profile.release]\nlto = \"thin\"\ncodegen-units = 1\nstrip = true\n\n[workspace]\n"
        );
        fs::write(home.join("Cargo.toml"), manifest).expect("a file");
        home
    }
}

/// What cargo says; `None` where it fails, which it has told.
fn cargo(home: &Path, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(home).env_remove("CARGO_TARGET_DIR");
    let output = command.output().expect("cargo");
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success().then_some(output)
}

/// How long all processes that have ended under this one were on a processor, in seconds.
fn time_of_children() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, rest) = text.rsplit_once(") ").expect("a name");
    let ticks = |n: usize| {
        rest.split(' ')
            .nth(n)
            .and_then(|word| word.parse::<u64>().ok())
            .expect("a number")
    };
    // Fields 16 and 17, `cutime` and `cstime`, in hundredths: proc_pid_stat(5).
    (ticks(13) + ticks(14)) as f64 / 100.0
}
