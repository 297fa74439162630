//! Runs the release build as a separate process, as an operator does.

use std::{
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use super::{
    browser::Browser,
    kit::program::{Server, cartwright},
};

pub struct Program {
    server: Server,
    pub address: SocketAddr,
    /// Time from the spawn until `/-/ready` returned 200.
    pub took: Duration,
}

impl Program {
    /// Runs `cartwright serve` on this data folder and a free loopback port, with its default log.
    pub async fn start(data_dir: &Path, more: &[&str]) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut command = cartwright(data_dir, &["serve"]);
        command.args(more).env_remove("CARTWRIGHT_LOG").stderr(Stdio::null());
        let server = Server::start(command);
        let answer = Browser::open(server.address, "").await?.get("/-/ready").await?;
        anyhow::ensure!(answer.status == 200, "ready said {}", answer.status);
        Ok(Self { address: server.address, server, took: began.elapsed() })
    }

    /// Returns the path of the set-up link, which is printed while no user exists.
    pub fn set_up_link(&self) -> String {
        self.server.set_up_link()
    }

    /// Resident memory in MiB; available on Linux only.
    pub fn resident(&self) -> Option<f64> {
        self.status("VmRSS:")
    }

    /// Peak resident memory in MiB.
    pub fn peak(&self) -> Option<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Option<f64> {
        let pid = self.server.pid().as_raw_nonzero();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Sends SIGTERM and waits for the exit.
    pub fn stop(self) -> anyhow::Result<()> {
        let (status, ..) = self.server.stop();
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}
