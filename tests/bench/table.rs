//! One table that says how far each figure is from its target.

use crate::count::Count;
use crate::time::{Spread, Times};

/// What is asked of a row: at most so much, in multiples of the floor, instructions and allocations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    /// Time per operation as a multiple of the floor's.
    pub(crate) time: Option<f64>,
    /// The same of the time on a processor.
    pub(crate) cpu: Option<f64>,
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: Option<f64>,
}

impl Target {
    pub(crate) const NONE: Self = Self {
        time: None,
        cpu: None,
        instructions: None,
        allocations: None,
    };

    /// A rate, in percent of the floor's.
    pub(crate) const fn rate(percent: f64) -> Self {
        Self {
            time: Some(100.0 / percent),
            ..Self::NONE
        }
    }

    pub(crate) const fn with_allocations(self, allocations: f64) -> Self {
        Self {
            allocations: Some(allocations),
            ..self
        }
    }

    pub(crate) const fn with_cpu(self, cpu: f64) -> Self {
        Self { cpu: Some(cpu), ..self }
    }
}

/// How the time of a row is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// As a multiple of the floor's.
    Times,
    /// As the part of the floor's rate, in percent.
    Percent,
}

/// One line.
pub(crate) struct Line<'a> {
    /// The numbers of the targets.
    pub(crate) targets: &'a str,
    pub(crate) what: &'a str,
    pub(crate) unit: Unit,
    pub(crate) times: &'a Times,
    pub(crate) floor: &'a Times,
    pub(crate) count: Option<Count>,
    pub(crate) must: Target,
    pub(crate) stretch: Target,
}

pub(crate) fn print_heading(title: &str) {
    println!("\n{title}");
    println!(
        "  {:<7} {:<40} {:>9} {:>21} {:>8} {:>8} {:>7} {:>8}  {:<23} stretch",
        "", "", "each", "against the floor", "cpu", "instr", "allocs", "bytes", "must"
    );
}

impl Line<'_> {
    pub(crate) fn print(&self) {
        let each = Spread::of(self.times.wall.iter().copied());
        let ratio = Spread::of_ratios(&self.times.wall, &self.floor.wall);
        let cpu = Spread::of_ratios(&self.times.cpu, &self.floor.cpu);
        println!(
            "  {:<7} {:<40} {:>9} {:>21} {:>8} {:>8} {:>7} {:>8}  {:<23} {}",
            self.targets,
            self.what,
            each.map_or(String::new(), |each| duration(each.median)),
            ratio.map_or(String::new(), |ratio| self.ratio(ratio)),
            cpu.map_or(String::new(), |cpu| format!("{:.2}x", cpu.median)
                + mark(cpu.median, self.must.cpu, self.stretch.cpu)),
            self.counted(|count| count.instructions, |target| target.instructions, thousands),
            self.counted(
                |count| count.allocations,
                |target| target.allocations,
                |count| format!("{count:.0}")
            ),
            self.counted(|count| count.bytes, |_| None, thousands),
            self.unit.targets(self.must),
            self.unit.targets(self.stretch),
        );
    }

    fn ratio(&self, ratio: Spread) -> String {
        let mark = mark(ratio.median, self.must.time, self.stretch.time);
        match self.unit {
            Unit::Times => format!("{:.2}x ({:.2}..{:.2}){mark}", ratio.median, ratio.least, ratio.most),
            Unit::Percent => {
                let percent = |ratio: f64| 100.0 / ratio;
                let (least, most) = (percent(ratio.most), percent(ratio.least));
                format!("{:.0}% ({least:.0}..{most:.0}){mark}", percent(ratio.median))
            }
        }
    }

    fn counted(
        &self,
        figure: fn(&Count) -> f64,
        target: fn(&Target) -> Option<f64>,
        write: impl Fn(f64) -> String,
    ) -> String {
        let Some(count) = &self.count else {
            return String::new();
        };
        let figure = figure(count);
        write(figure) + mark(figure, target(&self.must), target(&self.stretch))
    }
}

/// One line of a figure that is no time.
pub(crate) struct Figure<'a> {
    pub(crate) targets: &'a str,
    pub(crate) what: &'a str,
    pub(crate) figure: f64,
    /// The same of the peer, where it was measured.
    pub(crate) peer: Option<f64>,
    pub(crate) must: Option<f64>,
    pub(crate) stretch: Option<f64>,
}

pub(crate) fn print_figures(title: &str, unit: &str) {
    println!("\n{title}");
    println!(
        "  {:<7} {:<40} {unit:>18}  {:>12}  {:<8} stretch",
        "", "", "rmcp", "must"
    );
}

impl Figure<'_> {
    pub(crate) fn print(&self) {
        let write = |figure: Option<f64>| figure.map_or(String::new(), in_digits);
        println!(
            "  {:<7} {:<40} {:>16}{}  {:>12}  {:<8} {}",
            self.targets,
            self.what,
            in_digits(self.figure),
            mark(self.figure, self.must, self.stretch),
            write(self.peer),
            write(self.must),
            write(self.stretch),
        );
    }
}

/// As many digits as mean something.
fn in_digits(figure: f64) -> String {
    match figure.abs() {
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// Whether a figure is within its targets.
pub(crate) fn mark(figure: f64, must: Option<f64>, stretch: Option<f64>) -> &'static str {
    match (must, stretch) {
        (_, Some(stretch)) if figure <= stretch => "**",
        (Some(must), _) if figure <= must => "* ",
        (Some(_), _) => "! ",
        _ => "  ",
    }
}

impl Unit {
    fn targets(self, target: Target) -> String {
        let time = target.time.map(|time| match self {
            Self::Times => format!("{time:.1}x"),
            Self::Percent => format!("{:.0}%", 100.0 / time),
        });
        let cpu = target.cpu.map(|cpu| format!("cpu {cpu:.2}x"));
        let instructions = target.instructions.map(thousands);
        let allocations = target.allocations.map(|count| format!("{count:.0}"));
        let words: Vec<String> = [time, cpu, instructions, allocations].into_iter().flatten().collect();
        words.join(", ")
    }
}

fn thousands(number: f64) -> String {
    format!("{:.1}k", number / 1000.0)
}

fn duration(seconds: f64) -> String {
    format!("{:.2} µs", seconds * 1e6)
}
