//! The printed report: one line per figure.

use super::rounds::Rounds;

/// The bound that a figure must meet.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// For comparison only; no bound.
    None,
}

#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<[String; 5]>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a figure measured in several rounds.
    pub fn figure(&mut self, what: &str, unit: &str, rounds: &Rounds, goal: Goal) {
        let median = rounds.median();
        let (low, high) = rounds.spread();
        let spread =
            if low.total_cmp(&high).is_eq() { String::new() } else { format!("{}–{}", short(low), short(high)) };
        let (goal, met) = match goal {
            Goal::AtMost(limit) => (format!("≤ {}", short(limit)), if median <= limit { "yes" } else { "NO" }),
            Goal::AtLeast(limit) => (format!("≥ {}", short(limit)), if median >= limit { "yes" } else { "NO" }),
            Goal::None => (String::new(), ""),
        };
        self.lines.push([
            what.to_owned(),
            format!("{} {unit}", short(median)).trim().to_owned(),
            spread,
            goal,
            met.to_owned(),
        ]);
    }

    /// Adds a line for a figure that could not be measured on this machine.
    pub fn missing(&mut self, what: &str) {
        self.lines.push([what.to_owned(), "not measured".into(), String::new(), String::new(), String::new()]);
    }

    /// Adds a note below the figures.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub fn print(&self) {
        let head = ["figure", "median", "rounds", "goal", "kept"].map(str::to_owned);
        let width = |column: usize| {
            self.lines.iter().chain([&head]).map(|line| line[column].chars().count()).max().unwrap_or_default()
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        println!();
        for line in [&head].into_iter().chain(&self.lines) {
            let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            println!("{}", cells.join("  ").trim_end());
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
    }
}

/// Formats a value with three significant digits.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
