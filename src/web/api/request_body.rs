//! JSON in: a body of known fields within a length and a time. A problem names the field and what was expected, and never
//! repeats a value: it may be a secret.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::error::Category;
use utoipa::ToSchema;

use super::problem::{Problem, ProblemKind};
use crate::{
    platforms::{redact_secrets, sanitize_foreign_text},
    web::frame::body::{self, SMALL_BODY_MAX_LEN},
};

/// Longest name or value of a request that is repeated in a problem, in characters.
const SHOWN_MAX_LEN: usize = 60;

/// A parsed body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// A secret in a body. Never part of an answer.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, format = Password)]
pub struct SecretField(pub SecretString);

impl<'de> Deserialize<'de> for SecretField {
    fn deserialize<D: Deserializer<'de>>(field: D) -> Result<Self, D::Error> {
        String::deserialize(field).map(|text| Self(SecretString::from(text)))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "Send the body as JSON, with Content-Type: application/json.";
            return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
        }
        // No permit is needed: the limit is the length that is read without one.
        let read = body::read(request.into_body(), SMALL_BODY_MAX_LEN, std::future::pending()).await;
        let bytes = read.map_err(unread)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Problem::bad_request(explain(&error)))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn unread(status: StatusCode) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(ProblemKind::BodyTooLarge, format!("A body may have {} KiB.", SMALL_BODY_MAX_LEN / 1_024))
        }
        StatusCode::REQUEST_TIMEOUT => {
            Problem::new(ProblemKind::BodyTimeout, "Send the whole body within a few seconds.")
        }
        _ => Problem::bad_request("The body broke off."),
    }
}

/// What is wrong with a body. The parser's own message repeats values, so only what it expected is taken from it.
fn explain(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Io | Category::Syntax => format!("The body is not JSON: see {place}."),
        Category::Eof => "The body is not JSON: it ends too early.".to_owned(),
        Category::Data => {
            let told = error.to_string();
            let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(told, _)| told);
            let named = ["unknown field", "missing field", "duplicate field"].into_iter().find_map(|what| {
                let name = told.strip_prefix(what)?.strip_prefix(" `")?.split('`').next()?;
                Some(format!("{what} {}", shown(name)))
            });
            match (named, told.rsplit_once(", expected ")) {
                (Some(named), _) => format!("The body has a problem at {place}: {named}."),
                (None, Some((_, expected))) => {
                    format!("The body has another value at {place} than expected: {expected}.")
                }
                (None, None) => format!("The body has a value that cannot be read at {place}."),
            }
        }
    }
}

/// Text of a request as a problem repeats it: short, in quotes, without secrets and control characters.
pub(super) fn shown(text: &str) -> String {
    format!("`{}`", sanitize_foreign_text(&redact_secrets(text), SHOWN_MAX_LEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Example {
        name: String,
        #[serde(default)]
        active: bool,
        secret: Option<SecretField>,
    }

    fn explained(body: &str) -> String {
        explain(&serde_json::from_str::<Example>(body).expect_err("a mistake"))
    }

    #[test]
    fn mistakes_are_named() {
        for (body, told) in [
            ("{", "The body is not JSON: it ends too early."),
            ("{]", "The body is not JSON: see line 1, column 2."),
            ("{\"name\":\"x\",\"nme\":1}", "The body has a problem at line 1, column 17: unknown field `nme`."),
            ("{}", "The body has a problem at line 1, column 2: missing field `name`."),
            (
                "{\"name\":\"x\",\"active\":1}",
                "The body has another value at line 1, column 22 than expected: a boolean.",
            ),
        ] {
            assert_eq!(explained(body), told, "{body}");
        }
    }

    #[test]
    fn values_are_never_repeated() {
        let token = format!("shpat_{}", "5e".repeat(16));
        for body in [
            format!("{{\"name\":\"x\",\"active\":\"{token}\"}}"),
            format!("{{\"name\":\"x\",\"active\":\"{token}, expected {token}\"}}"),
            format!("{{\"{token}\":1}}"),
            format!("\"{token}\""),
            format!("[\"{token}\"]"),
        ] {
            assert!(!explained(&body).contains("5e5e"), "{body}: {}", explained(&body));
        }
    }
}
