//! The benchmark of the core: our layers against the least that an honest program can do with the same parts.
//!
//! `cargo run --release -p mcp-tests --bin bench` measures everything and prints one table;
//! `bench <word>` only the rows with that word; `bench costs` holds what does not depend on the machine against
//! `tests/bench/costs.txt`. `tests/bench/README.md` says what each row means.
//!
//! Time is measured in interleaved rounds, as a ratio to the floor of the same round. Instructions and allocations
//! are counted by valgrind in processes of their own, as the difference of two runs of which one does twice as
//! much, so that they hold nothing but the operation itself, and times are not disturbed by the counting.

mod bodies;
mod child;
mod costs;
mod count;
mod flood;
mod floor;
mod growth;
mod large;
mod lines;
mod load;
mod messages;
mod nagle;
mod ours;
mod peer;
mod rows;
mod servers;
mod sessions;
mod sizes;
mod stdio;
mod subject;
mod table;
mod time;
mod trials;
mod wire;

use std::process::ExitCode;

use crate::messages::Era;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["run", subject, times] => subject::run(subject, times.parse().expect("a number of operations")),
        ["serve", server] => child::serve(server),
        ["stdio", server] => child::serve_stdio(server),
        ["profile", server, era, times, file] => {
            count::profile(server, Era::of(era), times.parse().expect("a number of requests"), file);
        }
        ["costs"] => return costs::check(),
        ["costs", "write"] => return costs::write(),
        [] => return rows::measure(""),
        [word] => return rows::measure(word),
        _ => {
            eprintln!("usage: bench [word], bench costs [write]");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
