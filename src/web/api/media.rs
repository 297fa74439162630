//! JSON out: bodies, and whether a client accepts them.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::problem::{Problem, ProblemKind};

/// A JSON response.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    of_bytes(status, to_bytes(body))
}

/// A body as it is sent, ending in a line break for people at a terminal.
pub(super) fn to_bytes(body: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(body).expect("a body is plain data");
    bytes.push(b'\n');
    bytes
}

pub(super) fn of_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Refuses a client that does not accept JSON (RFC 9110, section 12.5.1).
pub(super) fn demand_json_accepted(headers: &HeaderMap) -> Result<(), Problem> {
    let offers: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    if accepts_json(&offers) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::NotAcceptable, "Send Accept: application/json, or leave the header out."))
}

/// Whether JSON has a weight above zero in the most specific range that covers it. A missing header accepts everything.
fn accepts_json(offers: &[&str]) -> bool {
    let ranges = offers.iter().flat_map(|offer| offer.split(',')).map(str::trim).filter(|range| !range.is_empty());
    let weighed: Vec<(u8, bool)> = ranges.filter_map(specificity_and_use).collect();
    let is_absent = offers.iter().all(|offer| offer.trim().is_empty());
    is_absent || weighed.into_iter().max().is_some_and(|(_, is_wanted)| is_wanted)
}

/// How closely a range covers `application/json`, and whether its weight is above zero; `None` if it does not cover it.
fn specificity_and_use(range: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let specificity = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => 2,
        "application/*" => 1,
        "*/*" => 0,
        _ => return None,
    };
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let is_wanted = weight.is_none_or(|weight| weight.bytes().any(|digit| matches!(digit, b'1'..=b'9')));
    Some((specificity, is_wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_specific_range_decides() {
        for yes in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json"],
            &["text/html, application/*;q=0.1"],
            &["text/html", "Application/JSON; charset=utf-8"],
            &["*/*;q=0, application/json"],
        ] {
            assert!(accepts_json(yes), "{yes:?}");
        }
        for no in [
            &["text/html"][..],
            &["application/xml, text/*"],
            &["application/json;q=0"],
            &["application/json;q=0.000, */*"],
            &["application/problem+json"],
        ] {
            assert!(!accepts_json(no), "{no:?}");
        }
    }
}
