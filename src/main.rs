//! Entry point: runs the command line.

use std::{alloc::System, process::ExitCode};

use zeroizing_alloc::ZeroAlloc;

/// Zeroes memory when it is freed. Buffers of HTTP, TLS and the database driver hold copies of secrets that our types
/// cannot reach. docs/performance.md gives the cost.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    cartwright::cli::main()
}
