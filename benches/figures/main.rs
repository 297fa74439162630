//! `cargo bench`: the performance figures that the project commits to, on one page. Needs no set-up: a private Postgres
//! in a temporary folder, loopback only, about five minutes. Compared sides alternate, so that load on the machine
//! slows both. No figure fails the run, because a timing test also measures the machine.

mod bare;
mod browser;
mod connection_test;
mod editor;
mod ground;
mod hanging;
#[path = "../../tests/kit/mod.rs"]
mod kit;
mod list;
mod memory;
mod program;
mod report;
mod rounds;
mod saving;
mod sides;
mod size;
mod start;
mod sweep;
mod weight;

use indicatif::{ProgressBar, ProgressStyle};

use report::Report;

/// Progress of the run, on standard error.
pub struct Progress(ProgressBar);

impl Progress {
    fn of(steps: u64) -> Self {
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {elapsed}  {msg}").expect("template is valid");
        Self(ProgressBar::new(steps).with_style(style))
    }

    /// Shows the name of the figure that starts.
    fn begin(&self, what: &'static str) {
        self.0.set_message(what);
        self.0.enable_steady_tick(std::time::Duration::from_millis(500));
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let progress = Progress::of(10);
    // Names of figures, such as `list start`; none selects all. Arguments that cargo adds (`--bench`) are skipped.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|one| one == name);
    let mut report = Report::default();
    macro_rules! figure {
        ($module:ident, $what:literal) => {
            if wants(stringify!($module)) {
                progress.begin($what);
                $module::measure(&mut report).await?;
            }
            progress.0.inc(1);
        };
    }
    figure!(start, "start to ready");
    figure!(memory, "memory after 10,000 page views");
    figure!(weight, "weight of the pages");
    figure!(list, "the list against a bare handler");
    figure!(editor, "the editor against a bare handler");
    figure!(size, "the list at 100, 10,000 and 100,000 carts");
    figure!(connection_test, "Test Connection against a bare client");
    figure!(hanging, "the list beside 200 hanging tests");
    figure!(saving, "a save against pgbench");
    figure!(sweep, "the health sweep of 10,000 carts");
    progress.0.finish_and_clear();
    report.note(machine());
    report.note("Each figure is the median of its rounds; sides that are compared take turns. docs/performance.md says what is compared.");
    report.print();
    Ok(())
}

/// Describes the machine, as far as the operating system reports it.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let memory: u64 =
        read("/proc/meminfo").split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default();
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown");
    match memory >> 20 {
        0 => format!("{cores} cores, load {load}."),
        gib => format!("{cores} cores, {gib} GiB of memory, load {load} at the end."),
    }
}
