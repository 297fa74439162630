//! What the API answers instead of a result: one type, rendered in one place, `problem_body`.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use time::OffsetDateTime;

use crate::{audit, carts::CartId, causes::Class, database};

/// Time after which a request that met an unavailable database is worth repeating: 5 s.
const RETRY_WHEN_AWAY: Duration = Duration::from_secs(5);

/// Declares the kinds of problem: slug, status and title, one row each. Slugs are public and never renamed.
macro_rules! kinds {
    ($($(#[$note:meta])* $kind:ident = $slug:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong, and with it the status of the answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind {
            $($(#[$note])* $kind,)+
        }

        impl ProblemKind {
            pub const ALL: [Self; [$(Self::$kind),+].len()] = [$(Self::$kind),+];

            /// The last part of the problem's type.
            pub const fn slug(self) -> &'static str {
                match self {
                    $(Self::$kind => $slug,)+
                }
            }

            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)+
                }
            }

            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)+
                }
            }
        }
    };
}

kinds! {
    BadRequest = "bad-request", BAD_REQUEST, "The request could not be read";
    KeyInAddress = "key-in-address", BAD_REQUEST, "The key was sent in the address";
    NoLiveKey = "no-live-key", UNAUTHORIZED, "A live API key is needed";
    InsufficientScope = "insufficient-scope", FORBIDDEN, "The key lacks a scope";
    /// The key is limited to some carts, and this is about others.
    LimitedKey = "limited-key", FORBIDDEN, "The key is limited to some carts";
    NotFound = "not-found", NOT_FOUND, "There is nothing at this address";
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "This address does not have that method";
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "The API answers with JSON only";
    BodyTimeout = "body-timeout", REQUEST_TIMEOUT, "The body took too long to arrive";
    /// The cart has nothing to hand out: a draft, inactive, or the integration is off.
    NotActive = "not-active", CONFLICT, "The cart is not active";
    /// Another request changed the same thing meanwhile, or the state of the cart does not allow this.
    Conflict = "conflict", CONFLICT, "The state of the cart does not allow this";
    CursorTooOld = "cursor-too-old", GONE, "The cursor is too old";
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "The cart was changed meanwhile";
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too long";
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    Misdirected = "misdirected", MISDIRECTED_REQUEST, "This server does not answer for that host name";
    FieldErrors = "fields", UNPROCESSABLE_ENTITY, "Some fields need another value";
    /// The store refuses the credential, or the app is gone; `class` says which.
    StoreRefuses = "store-refuses", FAILED_DEPENDENCY, "The store does not accept the credential";
    PreconditionRequired = "precondition-required", PRECONDITION_REQUIRED, "If-Match is needed";
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long";
    Bug = "bug", INTERNAL_SERVER_ERROR, "There is a problem on this server";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The server is busy or cannot reach its database";
}

impl ProblemKind {
    /// The kind for a response that states only a status.
    pub fn of_status(status: StatusCode) -> Self {
        let same = Self::ALL.into_iter().find(|kind| kind.status() == status);
        same.unwrap_or(if status.is_server_error() { Self::Bug } else { Self::BadRequest })
    }
}

/// What is wrong with one field of a body. The class and the sentence are those of the editor's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMistake {
    pub field: &'static str,
    pub class: &'static str,
    pub message: String,
}

/// A problem, which is an error of every handler and extractor. Boxed, because most responses are none.
#[derive(Clone, Debug)]
pub struct Problem(pub(super) Box<ProblemFacts>);

/// The facts of a problem. Never holds a secret or unread text of the request.
#[derive(Clone, Debug)]
pub(super) struct ProblemFacts {
    pub kind: ProblemKind,
    pub detail: String,
    /// The class that the pages name the same condition by.
    pub class: Option<&'static str>,
    pub cart: Option<CartId>,
    pub since: Option<OffsetDateTime>,
    pub retry_after: Option<Duration>,
    pub errors: Vec<FieldMistake>,
    /// The value of `WWW-Authenticate`.
    pub challenge: Option<HeaderValue>,
    /// Goes to the log only.
    pub cause: Option<Arc<anyhow::Error>>,
}

impl Problem {
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemFacts {
            kind,
            detail: detail.into(),
            class: None,
            cart: None,
            since: None,
            retry_after: None,
            errors: Vec::new(),
            challenge: None,
            cause: None,
        }))
    }

    /// A request that could not be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::BadRequest, detail)
    }

    /// The same text for each reason. Only a request that presented something is told that its token is not accepted (RFC
    /// 6750, section 3.1).
    pub(super) fn no_live_key(was_presented: bool) -> Self {
        let challenge =
            if was_presented { "Bearer realm=\"api\", error=\"invalid_token\"" } else { "Bearer realm=\"api\"" };
        let detail =
            "Send a live API key in the header Authorization: Bearer. An administrator makes keys under API keys.";
        Self::new(ProblemKind::NoLiveKey, detail).with_challenge(HeaderValue::from_static(challenge))
    }

    /// No such cart, or one that the key does not see: both read the same.
    pub fn no_such_cart() -> Self {
        Self::new(ProblemKind::NotFound, "There is no cart with this id, or this key is not for it.")
    }

    /// What is wrong with the fields of a body.
    pub fn of_fields(errors: Vec<FieldMistake>) -> Self {
        let mut problem = Self::new(ProblemKind::FieldErrors, "Nothing was saved. `errors` has one entry per field.");
        problem.0.errors = errors;
        problem
    }

    /// Names the condition as the pages do.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.0.class = Some(class.as_str());
        self
    }

    #[must_use]
    pub fn about(mut self, cart: CartId) -> Self {
        self.0.cart = Some(cart);
        self
    }

    /// When the condition began.
    #[must_use]
    pub fn since(mut self, at: Option<OffsetDateTime>) -> Self {
        self.0.since = at;
        self
    }

    /// When the request is worth repeating; in the body, and as the header `Retry-After` in whole seconds.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    #[must_use]
    pub(super) fn with_challenge(mut self, challenge: HeaderValue) -> Self {
        self.0.challenge = Some(challenge);
        self
    }
}

/// A failure: an unavailable database, a key that was revoked while the request ran, or a bug.
impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        let cause = error.into();
        if audit::is_not_permitted(cause.as_ref()) {
            return Self::no_live_key(true);
        }
        let mut problem = if database::is_away(&cause) {
            Self::new(ProblemKind::Unavailable, "Nothing was changed. Repeat the request later.")
                .retry_after(RETRY_WHEN_AWAY)
        } else {
            Self::new(ProblemKind::Bug, "Nothing is wrong with the request. Report it with the value of `instance`.")
        };
        problem.0.cause = Some(Arc::new(cause));
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.kind.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Turns a panic in a handler into a problem; the process continues.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Problem::from(anyhow::anyhow!("an endpoint panicked")).into_response()
}

/// The response to a request that exceeded its deadline.
pub fn timed_out() -> Response {
    Problem::new(ProblemKind::Unavailable, "The server did not answer in time. Repeat the request later.")
        .retry_after(RETRY_WHEN_AWAY)
        .into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_slug_of_its_own_and_an_error_status() {
        let slugs: BTreeSet<_> = ProblemKind::ALL.into_iter().map(ProblemKind::slug).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
        }
    }

    #[test]
    fn unavailable_database_is_worth_repeating_and_a_bug_is_not() {
        let away = Problem::from(sqlx::Error::PoolTimedOut);
        assert_eq!((away.0.kind, away.0.retry_after), (ProblemKind::Unavailable, Some(RETRY_WHEN_AWAY)));
        let bug = Problem::from(anyhow::anyhow!("a bug"));
        assert_eq!((bug.0.kind, bug.0.retry_after), (ProblemKind::Bug, None));
        let revoked = Problem::from(sqlx::Error::from(audit::NotPermitted));
        assert_eq!(revoked.0.kind, ProblemKind::NoLiveKey);
    }

    #[test]
    fn bare_status_becomes_the_kind_with_this_status() {
        assert_eq!(ProblemKind::of_status(StatusCode::METHOD_NOT_ALLOWED), ProblemKind::MethodNotAllowed);
        assert_eq!(ProblemKind::of_status(StatusCode::IM_A_TEAPOT), ProblemKind::BadRequest);
        assert_eq!(ProblemKind::of_status(StatusCode::BAD_GATEWAY), ProblemKind::Bug);
    }
}
