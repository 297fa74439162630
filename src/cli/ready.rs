//! `cartwright ready`: asks a running server whether it can serve, for the health check of a container that has no shell.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, ensure};

use super::say;
use crate::config::ReadyFlags;

/// Longest wait for the connection and for the answer, each. The server itself says within 2 s that its database is away.
const PATIENCE: Duration = Duration::from_secs(4);

/// # Errors
/// Nobody answers there, or the answer is not that the server is ready.
pub fn ready(flags: &ReadyFlags) -> anyhow::Result<()> {
    let address = flags.check()?;
    let nobody = || format!("Nobody answers at {address}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(nobody)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /-/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").with_context(nobody)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).with_context(nobody)?;
    let status = line.split(' ').nth(1).unwrap_or("nothing");
    ensure!(status == "200", "The server at {address} is not ready: it answers {status}");
    say(format_args!("The server at {address} is ready."));
    Ok(())
}
