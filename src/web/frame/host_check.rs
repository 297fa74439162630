//! Refuses requests before routing: a foreign or ambiguous `Host`, headers beyond 16 KiB, and paths that a guard and a
//! router could read differently. Stops DNS rebinding against a loopback server and look-alike paths (`//`, dot
//! segments, encoded slashes; ASVS 8.3.1).

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::server::HEADER_BYTES;
use crate::{app::App, web::urls};

/// Checks requests for this host; `refuse` makes the response to a refused request from its status and one sentence.
#[derive(Clone, Debug)]
pub struct HostCheck {
    pub app: App,
    pub refuse: fn(&Request, StatusCode, &'static str) -> Response,
}

pub async fn gate(State(HostCheck { app, refuse }): State<HostCheck>, request: Request, next: Next) -> Response {
    // hyper limits its buffer, but one read can exceed that limit twofold.
    if are_too_long(request.headers()) {
        return refuse(&request, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are longer than 16 KiB.\n");
    }
    let path = request.uri().path();
    if is_ambiguous_path(path) {
        return refuse(&request, StatusCode::BAD_REQUEST, "That address cannot be read.\n");
    }
    let is_probe = path.starts_with(urls::PROBES);
    let Ok(host) = host_of(&request) else {
        return refuse(&request, StatusCode::BAD_REQUEST, "A request names one host, once.\n");
    };
    if !is_probe && !host.is_some_and(|host| answers_for(app.site.public_url.host.as_deref(), host)) {
        misdirected::note(host.unwrap_or_default(), app.site.public_url.host.as_deref());
        return refuse(&request, StatusCode::MISDIRECTED_REQUEST, "This server does not answer for that host name.\n");
    }
    next.run(request).await
}

/// A request with an ambiguous host.
#[derive(Debug, PartialEq, Eq)]
struct AmbiguousHost;

/// Returns the host of a request; `None` for an HTTP/1.0 request without one. A proxy in front and this server must not
/// read two different hosts out of one request (RFC 9112, sections 3.2 and 3.2.2).
///
/// # Errors
/// No `Host` line (from HTTP/1.1 on), two of them, an empty one, or one that differs from the authority in the request
/// line.
fn host_of(request: &Request) -> Result<Option<&str>, AmbiguousHost> {
    let mut lines = request.headers().get_all(header::HOST).into_iter();
    let authority = request.uri().authority().map(Authority::as_str);
    let Some(line) = lines.next() else {
        return if request.version() < Version::HTTP_11 { Ok(authority) } else { Err(AmbiguousHost) };
    };
    let host = line.to_str().map_err(|_| AmbiguousHost)?;
    let is_other = authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host));
    if lines.next().is_some() || host.is_empty() || is_other { Err(AmbiguousHost) } else { Ok(Some(host)) }
}

/// Logs requests for other hosts, such as from a proxy that does not pass on `Host`.
mod misdirected {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use crate::platforms::shopify::sanitize_foreign_text;

    /// Minimum interval between two log lines, since any client can send such requests.
    const PAUSE: Duration = Duration::from_mins(1);
    /// Longest host name that is logged, in characters.
    const HEADERS_MAX_LEN: usize = 253;

    static LAST: Mutex<Option<Instant>> = Mutex::new(None);

    pub(super) fn note(asked: &str, ours: Option<&str>) {
        if is_due(&mut LAST.lock().unwrap_or_else(PoisonError::into_inner), Instant::now()) {
            let (asked, ours) = (sanitize_foreign_text(asked, HEADERS_MAX_LEN), ours.unwrap_or("localhost"));
            tracing::warn!(
                asked,
                ours,
                "a request for another host was answered with 421; CARTWRIGHT_PUBLIC_URL names ours, and a proxy in front must pass Host on"
            );
        }
    }

    pub(super) fn is_due(last: &mut Option<Instant>, now: Instant) -> bool {
        let is_due = last.is_none_or(|last| now.duration_since(last) >= PAUSE);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

/// Counts the header lines as sent, with separators and line ends.
fn are_too_long(headers: &HeaderMap) -> bool {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    bytes > HEADER_BYTES
}

/// Whether a path has double slashes, dot segments, backslashes, encoded slashes, dots or NUL, or parameters after `;`.
fn is_ambiguous_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.contains("//")
        || ["\\", ";", "%2f", "%5c", "%2e", "%00"].iter().any(|trick| lower.contains(trick))
        || lower.split('/').any(|segment| segment == "." || segment == "..")
}

/// Whether `host` is the host of `PUBLIC_URL`, or any loopback name if no public URL is set.
fn answers_for(public: Option<&str>, host: &str) -> bool {
    if let Some(public) = public {
        return host.eq_ignore_ascii_case(public);
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name.to_ascii_lowercase().as_str(), "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_may_take_16_kib_with_everything() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, "text/html".parse().expect("a header value"));
        let so_far = "accept: text/html\r\nx-note: \r\n".len();
        for (more, are_long) in [(0, false), (1, true)] {
            let note = "x".repeat(HEADER_BYTES - so_far + more);
            headers.insert("x-note", note.parse().expect("a header value"));
            assert_eq!(are_too_long(&headers), are_long, "{more} bytes beyond");
        }
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in [
            "//admin",
            "/admin//",
            "/./admin",
            "/admin/..",
            "/a/%2e%2e/b",
            "/admin%2Fecommerce",
            "/a\\b",
            "/a;b",
            "/a%5Cb",
        ] {
            assert!(is_ambiguous_path(path), "{path}");
        }
        for path in ["/", "/admin/ecommerce", "/static/app.0a1b.css", "/-/live"] {
            assert!(!is_ambiguous_path(path), "{path}");
        }
    }

    #[test]
    fn requests_for_other_hosts_are_logged_once_a_minute() {
        use std::time::{Duration, Instant};
        let (mut last, first) = (None, Instant::now());
        let due = [0, 1, 59, 60, 61, 119, 120].map(|seconds| {
            let now = first + Duration::from_secs(seconds);
            misdirected::is_due(&mut last, now)
        });
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }

    #[test]
    fn only_own_host_names_are_accepted() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:9", "[::1]:8080", "LOCALHOST"] {
            assert!(answers_for(None, host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.2", "evil.example:8080", ""] {
            assert!(!answers_for(None, host), "{host}");
        }
        assert!(answers_for(Some("orders.example.com"), "Orders.Example.com"));
        assert!(!answers_for(Some("orders.example.com"), "localhost"));
        assert!(!answers_for(Some("orders.example.com"), "orders.example.com:8443"));
    }
}
