//! Write timeout: closes connections of clients that do not read their response, for which hyper would wait without
//! limit. The kernel buffers the first 64 KiB, so this affects long responses and many pipelined short ones.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Longest time a response waits for the client to read [`WRITE_PROGRESS_MIN`] more bytes.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(12);
/// Bytes that reset the timeout once written; a single byte now and then does not.
const WRITE_PROGRESS_MIN: usize = 16 * 1024;

/// A socket whose writes time out.
#[derive(Debug)]
pub struct WriteTimeout<S> {
    socket: S,
    timeout: Duration,
    /// Started by the first write that had to wait.
    end: Option<Pin<Box<Sleep>>>,
    taken: usize,
}

impl<S> WriteTimeout<S> {
    pub fn new(socket: S) -> Self {
        Self { socket, timeout: WRITE_TIMEOUT, end: None, taken: 0 }
    }

    fn disarm(&mut self) {
        (self.end, self.taken) = (None, 0);
    }

    /// Applies the timeout to a write's result: progress resets it, and a pending write fails once it has expired.
    fn heard(&mut self, context: &mut Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(wrote) = wrote {
            self.taken += wrote.as_ref().copied().unwrap_or_default();
            if self.taken >= WRITE_PROGRESS_MIN {
                self.disarm();
            }
            return Poll::Ready(wrote);
        }
        let timeout = self.timeout;
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.heard(context, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.heard(context, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes only after everything buffered was written.
        self.disarm();
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::Instant,
    };

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    /// A socket with a short timeout and its reader, connected by a buffer of 1 KiB.
    fn pair() -> (WriteTimeout<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(1024);
        (WriteTimeout { timeout: SHORT, ..WriteTimeout::new(ours) }, theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn write_times_out_when_nothing_is_read() {
        let (mut ours, _theirs) = pair();
        let begun = Instant::now();
        let told = ours.write_all(&[0; 4096]).await.expect_err("the write times out");
        assert_eq!(told.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= SHORT);
    }

    #[tokio::test(start_paused = true)]
    async fn occasional_bytes_do_not_reset_the_timeout() {
        let (mut ours, mut theirs) = pair();
        let reader = tokio::spawn(async move {
            while theirs.read_u8().await.is_ok() {
                sleep(SHORT / 10).await;
            }
        });
        let told = ours.write_all(&[0; 4096]).await.expect_err("the write times out");
        assert_eq!(told.kind(), io::ErrorKind::TimedOut);
        reader.abort();
    }

    /// Takes longer than the timeout in total, but never falls below the minimum rate.
    #[tokio::test(start_paused = true)]
    async fn slow_but_steady_reader_receives_everything() {
        let (ours, mut theirs) = duplex(WRITE_PROGRESS_MIN);
        let mut ours = WriteTimeout { timeout: SHORT * 10, ..WriteTimeout::new(ours) };
        let writer = tokio::spawn(async move { ours.write_all(&vec![0; 15 * WRITE_PROGRESS_MIN]).await });
        let begun = Instant::now();
        for _ in 0..15 {
            sleep(SHORT).await;
            theirs.read_exact(&mut [0; WRITE_PROGRESS_MIN]).await.expect("the next bytes arrive");
        }
        writer.await.expect("the writer finishes").expect("written");
        assert!(begun.elapsed() > SHORT * 10);
    }

    #[tokio::test(start_paused = true)]
    async fn flush_resets_the_timeout() {
        let (mut ours, mut theirs) = pair();
        for _ in 0..2 {
            let reader = async {
                sleep(SHORT / 10).await;
                theirs.read_exact(&mut [0; 1500]).await
            };
            let (wrote, read) = tokio::join!(ours.write_all(&[0; 1500]), reader);
            wrote.expect("written in time");
            read.expect("everything was read");
            ours.flush().await.expect("flushed");
            assert!(ours.end.is_none() && ours.taken == 0);
            sleep(SHORT).await;
        }
    }
}
