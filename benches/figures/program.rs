//! Runs the release build as a separate process, as an operator does.

use std::{
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::browser::Browser;

pub struct Program {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    pub address: SocketAddr,
    /// Time from the spawn until `/-/ready` returned 200.
    pub took: Duration,
}

impl Program {
    /// Runs `cartwright serve` on this data folder and a free loopback port.
    pub async fn start(data_dir: &Path, more: &[&str]) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cartwright"));
        command.arg("serve").args(more).env_clear();
        for (name, value) in
            std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "PG_BIN" || name == "HOME")
        {
            command.env(name, value);
        }
        command.env("CARTWRIGHT_DATA_DIR", data_dir).env("CARTWRIGHT_LISTEN", "127.0.0.1:0");
        command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the server")?;
        let mut said = BufReader::new(child.stdout.take().context("standard output is piped")?).lines();
        let address = loop {
            let Some(line) = said.next_line().await? else { bail!("the server ended before it was ready") };
            if let Some(origin) = line.strip_prefix("Cartwright is ready at http://") {
                break origin.parse()?;
            }
        };
        let answer = Browser::open(address, "").await?.get("/-/ready").await?;
        anyhow::ensure!(answer.status == 200, "ready said {}", answer.status);
        Ok(Self { child, said, address, took: began.elapsed() })
    }

    /// Returns the path of the set-up link, which is printed while no user exists.
    pub async fn set_up_link(&mut self) -> anyhow::Result<String> {
        while let Some(line) = self.said.next_line().await? {
            if let Some((_, code)) = line.split_once("/set-up/") {
                return Ok(format!("/set-up/{code}"));
            }
        }
        bail!("no set-up link was printed")
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
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    }

    /// Sends SIGTERM and waits for the exit.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).context("it has exited")?;
        kill_process(pid, Signal::TERM)?;
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.context("the server did not stop within 30 s")??;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}
