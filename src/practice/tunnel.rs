//! The way to the real Shopify, for every host that is not played here. Stops a server-side request forgery by way of the
//! practice proxy: only public addresses are dialled, and they are the very addresses that were checked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::proxy::refuse;

/// Longest look-up, and longest attempt to connect: 5 s each.
const REACHING: Duration = Duration::from_secs(5);

/// Joins the stream with port 443 of this host until one side is done.
pub(super) async fn open(mut stream: TcpStream, host: &str) -> io::Result<()> {
    let Ok(Ok(found)) = timeout(REACHING, lookup_host((host, 443))).await else {
        return refuse(stream, "502 Bad Gateway").await;
    };
    let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() {
        return refuse(stream, "403 Forbidden").await;
    }
    let Ok(Ok(mut real)) = timeout(REACHING, TcpStream::connect(public.as_slice())).await else {
        return refuse(stream, "504 Gateway Timeout").await;
    };
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut real).await.map(|_| ())
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// All but the special ranges of IANA's registry.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        (0 | 10 | 127 | 224.., ..)
        | (100, 64..=127, _)
        | (169, 254, _)
        | (172, 16..=31, _)
        | (192, 168, _)
        | (192, 0, 0 | 2)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113) => true,
        _ => false,
    };
    !is_special
}

/// Global unicast (2000::/3) without the ranges that are examples or wrap an IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = first & 0xe000 == 0x2000;
    let is_special = first == 0x2002 || (first == 0x2001 && matches!(second, 0 | 0x0db8));
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_this_machine_or_its_network_is_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "23.227.38.74", "172.32.0.1", "100.128.0.1", "192.0.66.1", "2620:127:f00f:e::"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
