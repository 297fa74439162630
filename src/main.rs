//! Parses the command line, hands over, reports.

use std::{alloc::System, process::ExitCode};

use zeroizing_alloc::ZeroAlloc;

/// Wipes whatever is given back. The buffers of HTTP, TLS and the database driver hold copies of secrets that none of our types
/// can reach; what this costs stands in docs/performance.md.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    cartwright::cli::main()
}
