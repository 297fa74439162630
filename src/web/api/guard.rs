//! Access control of the API: every endpoint states in the table what its caller needs, and the guard is applied where the
//! router is built. A missing, unknown, expired and revoked key all read the same.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::{
    caller::ApiCaller,
    limits::{KeyLimits, count_failure},
    media::demand_json_accepted,
    parameters::demand_known_parameters,
    problem::{Problem, ProblemKind},
};
use crate::{
    api_keys::{Program, Scope},
    app::App,
    web::frame::client_address::{client_address, origin},
};

/// What the caller of an endpoint needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointAccess {
    /// No key.
    Open,
    /// A live key, whatever its scopes.
    AnyKey,
    /// A live key with this scope.
    Scope(Scope),
}

/// The checks before an endpoint's handler.
#[derive(Clone, Debug)]
pub(super) struct EndpointGuard {
    pub app: App,
    pub limits: Arc<KeyLimits>,
    pub access: EndpointAccess,
    /// The query parameters that the endpoint has.
    pub parameters: Arc<[String]>,
}

/// Authenticates the caller, counts the request, and checks scope, query and `Accept`, in this order.
pub(super) async fn guard(
    State(guard): State<EndpointGuard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if guard.access != EndpointAccess::Open {
        let program = {
            let client = client_address(&guard.app, &request);
            authenticate(&guard.app, presented(request.headers()), client).await?
        };
        if let Some(wait) = guard.limits.count(&guard.app.pool, program.id).await? {
            let detail = "This key sent too many requests. Wait as long as Retry-After says.";
            return Err(Problem::new(ProblemKind::TooManyRequests, detail).retry_after(wait));
        }
        if let EndpointAccess::Scope(scope) = guard.access
            && !program.has(scope)
        {
            return Err(insufficient_scope(scope));
        }
        let origin = origin(&guard.app, &request);
        request.extensions_mut().insert(ApiCaller { program: Arc::new(program), origin });
    }
    demand_known_parameters(request.uri().query(), &guard.parameters)?;
    demand_json_accepted(request.headers())?;
    Ok(next.run(request).await)
}

async fn authenticate(app: &App, presented: Option<&str>, client: Option<IpAddr>) -> Result<Program, Problem> {
    let Some(presented) = presented else { return Err(Problem::no_live_key(false)) };
    if let Some(program) = app.api_keys.authenticate(presented, client).await? {
        return Ok(program);
    }
    // Counted only now: a client with a wrong key must not lock out another one behind the same address.
    match count_failure(&app.pool, client).await? {
        Some(wait) => {
            let detail = "Too many requests with no live key came from this network.";
            Err(Problem::new(ProblemKind::TooManyRequests, detail).retry_after(wait))
        }
        None => Err(Problem::no_live_key(true)),
    }
}

/// The presented key: `None` without `Authorization`; a header that is not one bearer key counts as an unknown key.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let line = lines.next()?;
    let bearer = line.to_str().ok().and_then(|line| line.split_once(' '));
    let key = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    Some(key.filter(|_| lines.next().is_none()).unwrap_or_default())
}

fn insufficient_scope(scope: Scope) -> Problem {
    let name = scope.as_str();
    let challenge = format!("Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{name}\"");
    Problem::new(ProblemKind::InsufficientScope, format!("This key does not have the scope {name}."))
        .with_challenge(HeaderValue::from_str(&challenge).expect("scopes are plain ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(lines: &[&str]) -> HeaderMap {
        let value = |line: &&str| (header::AUTHORIZATION, HeaderValue::from_str(line).expect("a header's value"));
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(value) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn one_bearer_key_is_presented() {
        assert_eq!(presented(&with(&["Bearer cwk_x"])), Some("cwk_x"));
        assert_eq!(presented(&with(&["bearer  cwk_x "])), Some("cwk_x"));
        assert_eq!(presented(&with(&[])), None);
        for unusable in [&["Basic cwk_x"][..], &["cwk_x"], &[""], &["Bearer cwk_x", "Bearer cwk_x"], &["Bearer"]] {
            assert_eq!(presented(&with(unusable)), Some(""), "{unusable:?}");
        }
    }
}
