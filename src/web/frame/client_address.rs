//! The address of the client behind the operator's proxies.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

use crate::app::App;

/// Returns the client's address. `X-Forwarded-For` is trusted only from the operator's proxies, since any client can
/// send it.
pub fn client_address(app: &App, request: &Request) -> Option<IpAddr> {
    let forwarded = request.headers().get_all("x-forwarded-for").into_iter();
    // A header line that is not text must end the chain, not be skipped.
    let lines: Vec<&str> = forwarded.map(|line| line.to_str().unwrap_or("unreadable")).collect();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(app.site.trusted_proxies.client(peer.0.ip(), lines.into_iter()))
}
