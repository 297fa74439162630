//! `cartwright ready`: asks a running server whether it is ready, for the health check of a container that has no
//! shell.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, ensure};

use super::say;
use crate::config::ReadyFlags;

/// Timeout for the connection and for the answer, each. The server itself reports an unreachable database within 2 s.
const READY_TIMEOUT: Duration = Duration::from_secs(4);

/// # Errors
/// No server answers there, or it is not ready.
pub fn ready(flags: &ReadyFlags) -> anyhow::Result<()> {
    let address = flags.check()?;
    let nobody = || format!("Nobody answers at {address}");
    let mut stream = TcpStream::connect_timeout(&address, READY_TIMEOUT).with_context(nobody)?;
    stream.set_read_timeout(Some(READY_TIMEOUT))?;
    stream.set_write_timeout(Some(READY_TIMEOUT))?;
    write!(stream, "GET /-/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").with_context(nobody)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).with_context(nobody)?;
    let status = line.split(' ').nth(1).unwrap_or("nothing");
    ensure!(status == "200", "The server at {address} is not ready: it answers {status}");
    say(format_args!("The server at {address} is ready."));
    Ok(())
}
