//! Parses the command line, hands over, reports.

use std::process::ExitCode;

fn main() -> ExitCode {
    cartwright::cli::main()
}
