//! The rows of large lines over standard input and output.

use std::thread;

use crate::child::Piped;
use crate::count;
use crate::lines::Lines;
use crate::messages::{Era, echo_of};
use crate::table::mark;

const MIB: usize = 1 << 20;

/// A size of the argument, in bytes, and the most heap that may be held for it, in multiples of that.
struct Size {
    bytes: usize,
    must: f64,
    stretch: f64,
}

const SIZES: &[Size] = &[
    Size {
        bytes: MIB,
        must: 4.2,
        stretch: 3.3,
    },
    Size {
        bytes: 15 * MIB,
        must: 3.3,
        stretch: 2.3,
    },
];

const SERVERS: &[(&str, &str)] = &[
    ("floor: std", "floor"),
    ("our server on tokio", "tokio"),
    ("our server on smol", "smol"),
];

/// Measures the servers and prints their table.
pub(crate) fn table(word: &str, counting: bool) {
    if !("L3".contains(word) || "large".contains(word)) {
        return;
    }
    println!("\nAn echo of so much over standard input and output");
    println!(
        "  {:<7} {:<40} {:>18}  {:<8} stretch",
        "", "", "peak heap/payload", "must"
    );
    for (what, server) in SERVERS.iter().filter(|_| counting) {
        let peaks: Vec<u64> = thread::scope(|scope| {
            let measure = |size: &'static Size| count::peak_of_piped(server, |lines| echo(lines, size.bytes));
            let running: Vec<_> = SIZES.iter().map(|size| scope.spawn(move || measure(size))).collect();
            running.into_iter().map(|peak| peak.join().expect("a count")).collect()
        });
        for (size, peak) in SIZES.iter().zip(peaks) {
            let is_floor = *server == "floor";
            let goal = |goal: f64| (!is_floor).then_some(goal);
            let times = peak as f64 / size.bytes as f64;
            println!(
                "  {:<7} {:<40} {:>16.2}{}  {:<8} {}",
                if is_floor { "" } else { "L3" },
                format!("{what}, {} MiB", size.bytes / MIB),
                times,
                mark(times, goal(size.must), goal(size.stretch)),
                goal(size.must).map_or(String::new(), |goal| format!("{goal:.1}")),
                goal(size.stretch).map_or(String::new(), |goal| format!("{goal:.1}")),
            );
        }
    }
    for (what, server) in SERVERS.iter().filter(|(_, server)| *server != "floor") {
        refuse_what_is_too_long(server);
        println!(
            "  {:<7} {what}, 17 MiB: answered with an error, and the next one with its result",
            "L3"
        );
    }
}

fn echo(lines: &mut Lines, bytes: usize) {
    let text = "x".repeat(bytes);
    let answer = lines.say(&echo_of(&text));
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.contains(r#""id":7"#) && answer.contains(&text), "no echo");
}

/// A line that is longer than a server takes is answered, and not the end.
fn refuse_what_is_too_long(server: &str) {
    let (server, input, output) = Piped::start(server);
    let mut lines = Lines::open(input, output, Era::Legacy, 1);
    let answer = lines.say(&echo_of(&"x".repeat(17 * MIB)));
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.contains(r#""error":{"#), "no error: {answer}");
    lines.drive(1);
    drop(lines);
    server.stop();
}
