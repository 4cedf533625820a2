//! The growth series: what one of a thousand costs, and what one of a hundred thousand.

use crate::ours::pools::grow;
use crate::time::thread_time;

const SERIES: &[(&str, &str)] = &[
    ("a task that waits for ready()", "ready"),
    ("a task that waits for a session of a pool", "callers"),
    ("a session of a pool with a follower each", "followers"),
    ("a session of a full pool: another goes", "evictions"),
    ("a session of a pool that closes", "close"),
];

const NUMBERS: [u64; 3] = [1_000, 10_000, 100_000];

/// The most that one may cost of the greatest number, in multiples of what it costs of the least: caches are missed and
/// trees are deeper, and nothing more.
const MOST: f64 = 5.0;

/// How long the next number may take, in seconds, or it is left out.
const PATIENCE: f64 = 60.0;

/// Measures the series and prints their table.
pub(crate) fn table(word: &str) {
    let matches = |what: &str, subject: &str| what.contains(word) || subject.contains(word) || word == "growth";
    let series: Vec<_> = SERIES.iter().filter(|(what, subject)| matches(what, subject)).collect();
    if series.is_empty() {
        return;
    }
    println!("\nGrowth: processor time of one of so many");
    println!(
        "  {:<7} {:<44} {:>10} {:>10} {:>10} {:>8}",
        "", "", "1,000", "10,000", "100,000", "growth"
    );
    for (what, subject) in series {
        print(what, &measure(subject));
    }
}

/// Microseconds of one of each number; fewer figures where it takes too long.
fn measure(subject: &str) -> Vec<f64> {
    grow(subject, 1000, thread_time);
    let mut figures: Vec<f64> = Vec::new();
    for number in NUMBERS {
        // Where each looks at all others, it takes a hundred times as long as the number before.
        if figures.len() > 1 && figures[figures.len() - 1] > 3.0 * figures[0] {
            let time = figures[figures.len() - 1] * 10.0 * number as f64 / 1e6;
            if time > PATIENCE {
                break;
            }
        }
        figures.push(grow(subject, number, thread_time) / number as f64 * 1e6);
    }
    figures
}

fn print(what: &str, figures: &[f64]) {
    let figure = |n: usize| {
        figures
            .get(n)
            .map_or("too long".to_owned(), |figure| format!("{figure:.2} µs"))
    };
    let growth = figures[figures.len() - 1] / figures[0];
    let mark = if growth <= MOST && figures.len() == NUMBERS.len() {
        "* "
    } else {
        "! "
    };
    println!(
        "  {:<7} {what:<44} {:>10} {:>10} {:>10} {growth:>7.2}x{mark}",
        "growth",
        figure(0),
        figure(1),
        figure(2)
    );
}
