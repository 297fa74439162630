//! Shared by tests/web, tests/faults, tests/cli.rs and the benchmarks: a page as users read it, an HTTP client with
//! cookies, the compiled program as a process, and the rules of every HTML page. A module and not a crate, so that the
//! build of the image, which copies only what it compiles, needs no member that it lacks.

#![allow(dead_code, reason = "no target uses all of it")]

pub mod html_rules;
pub mod http;
pub mod page;
pub mod program;
