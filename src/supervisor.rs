//! Restarts background loops that end, panic or stop sending heartbeats. Each restart is logged and counted.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};

/// How a loop is supervised.
#[derive(Clone, Copy, Debug)]
struct Watch {
    /// Time without a heartbeat after which the loop is restarted.
    silence: Duration,
    /// Interval between checks of the heartbeat.
    look: Duration,
    /// Pause before a restart.
    pause: Duration,
}

/// The heartbeat of one loop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Heartbeat(Arc<Mutex<Instant>>);

impl Heartbeat {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Records that the loop is alive.
    pub fn beat(&self) {
        *self.0.lock().expect("lock is never poisoned") = Instant::now();
    }

    fn age(&self) -> Duration {
        self.0.lock().expect("lock is never poisoned").elapsed()
    }
}

/// Runs the loop that `start` creates. Restarts it when it ends, panics or sends no heartbeat for `silence`. Dropping
/// or aborting this future stops the loop.
pub async fn supervise<F>(name: &'static str, silence: Duration, start: impl Fn(Heartbeat) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let watch = Watch { silence, look: Duration::from_secs(5), pause: Duration::from_secs(1) };
    watch.supervise(name, start).await;
}

impl Watch {
    async fn supervise<F>(self, name: &'static str, start: impl Fn(Heartbeat) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        metrics::counter!("cartwright_loop_restarts_total", "loop" => name).absolute(0);
        loop {
            let heartbeat = Heartbeat::new();
            let mut running = Running(tokio::spawn(start(heartbeat.clone())));
            let why = loop {
                match tokio::time::timeout(self.look, &mut running.0).await {
                    Ok(Ok(())) => break "ended",
                    Ok(Err(_)) => break "panicked",
                    Err(_) if heartbeat.age() > self.silence => break "fell silent",
                    Err(_) => {}
                }
            };
            drop(running);
            metrics::counter!("cartwright_loop_restarts_total", "loop" => name).increment(1);
            tracing::error!("the background loop {name} {why}; it is started again");
            tokio::time::sleep(self.pause).await;
        }
    }
}

/// Aborts its task on drop.
struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const WATCH: Watch =
        Watch { silence: Duration::from_millis(30), look: Duration::from_millis(10), pause: Duration::from_millis(1) };

    /// Returns after the loop was started for the third time.
    async fn third_start<F>(body: impl Fn(Heartbeat) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (count, third) = (AtomicUsize::new(0), Notify::new());
        let supervised = WATCH.supervise("test", |heartbeat| {
            if count.fetch_add(1, Ordering::Relaxed) == 2 {
                third.notify_one();
            }
            body(heartbeat)
        });
        tokio::select! {
            () = supervised => unreachable!("supervision never ends"),
            () = third.notified() => {}
        }
    }

    #[tokio::test]
    async fn silent_loop_is_restarted() {
        third_start(|_| std::future::pending()).await;
    }

    #[tokio::test]
    async fn ended_or_panicked_loop_is_restarted() {
        third_start(async |_| {}).await;
        third_start(async |_| panic!("on purpose")).await;
    }

    #[tokio::test]
    async fn loop_with_heartbeats_keeps_running() {
        let (starts, beats) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let done = Arc::new(Notify::new());
        let patient = Watch { silence: Duration::from_secs(20), look: Duration::from_millis(1), ..WATCH };
        let supervised = patient.supervise("test", |heartbeat| {
            starts.fetch_add(1, Ordering::Relaxed);
            let (beats, done) = (beats.clone(), done.clone());
            async move {
                while beats.fetch_add(1, Ordering::Relaxed) < 50 {
                    heartbeat.beat();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                done.notify_one();
                std::future::pending::<()>().await;
            }
        });
        tokio::select! {
            () = supervised => unreachable!("supervision never ends"),
            () = done.notified() => {}
        }
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn dropped_supervisor_stops_its_loop() {
        let alive = Arc::new(());
        let held = alive.clone();
        let supervised = WATCH.supervise("test", move |_| {
            let held = held.clone();
            async move {
                std::future::pending::<()>().await;
                drop(held);
            }
        });
        assert!(futures_util::future::poll_immediate(Box::pin(supervised)).await.is_none());
        while Arc::strong_count(&alive) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
