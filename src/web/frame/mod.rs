//! What every face of the server stands on: connections, limits, host check, response headers, request log, probes. Knows
//! no session, no page and no template: a face passes in the responses to show.

pub mod body;
pub mod client_address;
mod connection_limit;
pub mod deadline;
pub mod headers;
pub mod host_check;
pub mod large_forms;
pub mod probes;
pub mod server;
pub mod stream;
pub mod trace;
mod write_timeout;
