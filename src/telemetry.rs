//! Logs as JSON lines, one per request, and metrics with bounded labels. A request line has the method, the route
//! template, the status, the duration and the request ID; never a body, a query, a header or a secret.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt};

/// Upper bounds of the request duration buckets, in seconds.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0];

/// Changes the log filter at run time.
#[derive(Clone, Debug)]
pub struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
    /// Replaces the filter. An invalid filter means `info`.
    pub fn set(&self, filter: &str) {
        self.0.reload(directives(filter)).ok();
    }
}

/// Starts logging to standard error as JSON lines. Dependencies may log headers at trace level, so they stay at warn.
pub fn start_logging(filter: &str) -> LogFilter {
    let (filter, handle) = reload::Layer::new(directives(filter));
    let lines = lines().with_writer(std::io::stderr);
    // A second call, as in tests, keeps the first subscriber.
    tracing_subscriber::registry().with(filter).with(lines).try_init().ok();
    LogFilter(handle)
}

fn directives(filter: &str) -> EnvFilter {
    let quiet = ["hyper", "hyper_util", "reqwest", "rustls", "h2", "sqlx"];
    let mut directives = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    for target in quiet {
        directives = directives.add_directive(format!("{target}=warn").parse().expect("valid directive"));
    }
    directives
}

/// One JSON object per line. Line feeds and terminal escape sequences in names are encoded, so a name cannot forge a
/// line.
fn lines<S>() -> fmt::Layer<S, fmt::format::JsonFields, fmt::format::Format<fmt::format::Json>> {
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // Internal errors would go to standard error, the stream that just failed: that would panic.
        .log_internal_errors(false)
}

/// Starts the metrics recorder. Without a recorder, as in tests, metrics cost nothing.
pub fn start_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().set_buckets(&SECONDS).ok()?.install_recorder().ok()
}

/// Aggregates samples into their buckets every 5 seconds; until then the recorder keeps each sample.
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
    fn names_cannot_forge_lines_or_move_the_cursor() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::registry().with(lines().with_writer(move || writer.clone()));
        let name = "Tea\n{\"level\":\"ERROR\"}\u{1b}[2J\r\u{7}";
        tracing::subscriber::with_default(subscriber, || tracing::error!(cart = name, cause = %name, "told: {name}"));
        let written = String::from_utf8(log.0.lock().expect("the log").clone()).expect("UTF-8");
        assert_eq!(written.matches('\n').count(), 1, "{written:?}");
        assert!(!written.trim_end_matches('\n').contains(char::is_control), "{written:?}");
        let line: serde_json::Value = serde_json::from_str(&written).expect("one object");
        assert_eq!((&line["cart"], &line["cause"]), (&name.into(), &name.into()));
    }
}
