//! Query parameters: known ones only, each at most once, and a sentence that names the one that cannot be read.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use super::{problem::Problem, request_body::shown};

/// Refuses a query with a parameter that the endpoint does not have, or with one twice.
pub(super) fn demand_known_parameters(query: Option<&str>, known: &[String]) -> Result<(), Problem> {
    let Ok(pairs) = serde_urlencoded::from_str::<Vec<(String, String)>>(query.unwrap_or_default()) else {
        return Err(Problem::bad_request("The query of the address cannot be read."));
    };
    for (at, (name, _)) in pairs.iter().enumerate() {
        if !known.contains(name) {
            return Err(Problem::bad_request(unknown(name, known)));
        }
        if pairs.iter().skip(at + 1).any(|(other, _)| other == name) {
            return Err(Problem::bad_request(format!("The parameter {name} may be sent once.")));
        }
    }
    Ok(())
}

fn unknown(name: &str, known: &[String]) -> String {
    let name = shown(name);
    match known {
        [] => format!("This endpoint has no parameters, and no parameter {name}."),
        _ => format!("There is no parameter {name}. This endpoint has: {}.", known.join(", ")),
    }
}

/// The query as a struct of texts, which the guard has checked for unknown names.
#[derive(Debug)]
pub struct QueryParameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
        read.map(Self).map_err(|_| Problem::bad_request("The query of the address cannot be read."))
    }
}

/// Parses one parameter; `expected` completes "must be …".
pub fn parse<T>(
    name: &'static str,
    text: Option<&str>,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let parsed = parse(text);
    parsed.map(Some).ok_or_else(|| Problem::bad_request(format!("{name} must be {expected}, not {}.", shown(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let known = ["limit".to_owned(), "after".to_owned()];
        let detail = |query: &str, known: &[String]| {
            demand_known_parameters(Some(query), known).err().map(|problem| problem.0.detail)
        };
        assert_eq!(detail("limit=5&after=x", &known), None);
        assert_eq!(detail("", &[]), None);
        let told = "There is no parameter `page`. This endpoint has: limit, after.";
        assert_eq!(detail("limit=5&page=2", &known).as_deref(), Some(told));
        assert_eq!(detail("limit=5&limit=6", &known).as_deref(), Some("The parameter limit may be sent once."));
        assert!(detail("limit=5", &[]).is_some());
    }
}
