//! The address of the client behind the operator's proxies, and what the audit log records of a request.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::header,
};

use super::trace::RequestId;
use crate::{app::App, audit::Origin};

/// Returns the client's address. `X-Forwarded-For` is trusted only from the operator's proxies, since any client can
/// send it.
pub fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for").into_iter();
    // A header line that is not text must end the chain, not be skipped.
    let lines: Vec<&str> = forwarded.map(|line| line.to_str().unwrap_or("unreadable")).collect();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(app.site.trusted_proxies.client(peer.0.ip(), lines.into_iter()))
}

/// Where a request came from.
pub fn origin(app: &App, request: &Request) -> Origin {
    let ip = client_address(app, request).map(|ip| ip.to_string());
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin {
        request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()),
        ip,
        user_agent: agent.map(|agent| agent.chars().take(200).collect()),
    }
}
