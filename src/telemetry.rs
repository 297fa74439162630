//! What the operator sees: JSON logs, one line a request, and metrics with bounded labels. Never a body, a query, a header or a
//! secret; a log line has the method, the route's template, the status, the time and the request's id.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt};

/// Upper ends of the buckets for how long requests take, in seconds.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0];

/// Changes what is logged while the program runs.
#[derive(Clone, Debug)]
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// Logs by this filter from now on; one that cannot be read means `info`.
    pub fn set(&self, filter: &str) {
        self.0.reload(directives(filter)).ok();
    }
}

/// Starts logging to standard error as JSON lines. The libraries below us may log headers at trace, so they stay at warn.
pub fn start_logging(filter: &str) -> LogFilter {
    let (filter, handle) = reload::Layer::new(directives(filter));
    let lines = lines().with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    tracing_subscriber::registry().with(filter).with(lines).try_init().ok();
    LogFilter(handle)
}

fn directives(filter: &str) -> EnvFilter {
    let quiet = ["hyper", "hyper_util", "reqwest", "rustls", "h2", "sqlx"];
    let mut directives = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    for target in quiet {
        directives = directives.add_directive(format!("{target}=warn").parse().expect("a target and a level"));
    }
    directives
}

/// One JSON object a line: a name with a line feed or a terminal's sequence in it is encoded, and forges no line.
fn lines<S>() -> fmt::Layer<S, fmt::format::JsonFields, fmt::format::Format<fmt::format::Json>> {
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // Told on standard error, which is what could not be written to: that would panic.
        .log_internal_errors(false)
}

/// Starts the metrics recorder; without one, as in tests, counting costs nothing.
pub fn start_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().set_buckets(&SECONDS).ok()?.install_recorder().ok()
}

/// Folds what was measured into its buckets every few seconds: until then the recorder keeps each sample.
pub async fn keep_metrics(recorder: Option<PrometheusHandle>) {
    let Some(recorder) = recorder else { return };
    let mut rounds = tokio::time::interval(Duration::from_secs(5));
    loop {
        rounds.tick().await;
        recorder.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("the log").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_name_forges_no_line_and_moves_no_cursor() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::registry().with(lines().with_writer(move || writer.clone()));
        let name = "Tea\n{\"level\":\"ERROR\"}\u{1b}[2J\r\u{7}";
        tracing::subscriber::with_default(subscriber, || tracing::error!(cart = name, cause = %name, "told: {name}"));
        let written = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
        assert_eq!(written.matches('\n').count(), 1, "{written:?}");
        assert!(!written.trim_end_matches('\n').contains(char::is_control), "{written:?}");
        let line: serde_json::Value = serde_json::from_str(&written).expect("one object");
        assert_eq!((&line["cart"], &line["cause"]), (&name.into(), &name.into()));
    }
}
