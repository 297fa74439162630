//! The token of a cart, for a program that works in its store, and what the program reports back about it.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::token_problem::problem_of;
use crate::{
    app::App,
    carts::token_issue::{HandedToken, MIN_LEFT_MAX, RefusalEffect, RefusedToken},
    clock,
    platforms::shopify::credential::AccessToken,
    web::{
        api::{
            caller::{ApiCaller, SeenCartId},
            media,
            problem::{FieldMistake, Problem},
            request_body::JsonBody,
        },
        urls,
    },
};

/// What is left of a token if the program does not say what it needs: 5 minutes.
const MIN_SECONDS: u64 = 300;
/// Longest `token_id` that is looked at, in bytes.
const TOKEN_ID_MAX_LEN: usize = 100;

/// What a program needs of a token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenNeed)]
pub struct TokenNeedBody {
    /// How many seconds the program will use the token. If less is left, the token is renewed first.
    #[serde(default = "min_seconds")]
    #[schema(default = 300, minimum = 0, maximum = 14_400)]
    min_seconds: u64,
}

const fn min_seconds() -> u64 {
    MIN_SECONDS
}

/// A token that works now, as far as the server knows.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenBody {
    /// The token. Keep it in memory only.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String, format = Password)]
    token: AccessToken,
    /// The header to send it in.
    header: &'static str,
    /// The only store to send it to.
    #[schema(example = "https://northwind-tea.myshopify.com")]
    store_url: String,
    /// The version of Shopify's API that connections are tested with.
    #[schema(example = "2026-10")]
    api_version: &'static str,
    /// Names the token without revealing it. Send it when you report that the store refused the token.
    token_id: String,
    #[schema(format = DateTime)]
    issued_at: String,
    /// When the store stops accepting it; `null` if it does not expire.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Ask again then. Until then, use this token and do not ask.
    #[schema(format = DateTime)]
    use_until: String,
    /// What the store granted, including what that implies.
    scopes: Vec<String>,
    /// What is needed and was not granted. Calls that need one of these fail.
    missing_scopes: Vec<String>,
    /// The addresses that the operator calls Shopify from; `null` if the operator lists none. An app that accepts calls
    /// only from listed addresses accepts yours only if it is listed too.
    allowed_from: Option<Vec<String>>,
}

fn expose<S: Serializer>(token: &AccessToken, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.secret().expose_secret())
}

impl TokenBody {
    fn of(handed: HandedToken, allowed_from: Vec<String>) -> Self {
        Self {
            token: handed.token,
            header: "X-Shopify-Access-Token",
            store_url: format!("https://{}", handed.address.host()),
            api_version: handed.api_version,
            token_id: handed.token_id,
            issued_at: clock::utc_text(handed.issued_at),
            expires_at: handed.expires_at.map(clock::utc_text),
            use_until: clock::utc_text(handed.use_until),
            scopes: handed.scopes,
            missing_scopes: handed.missing_scopes,
            allowed_from: Some(allowed_from).filter(|list| !list.is_empty()),
        }
    }
}

/// A token that a store refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRefusal)]
pub struct TokenRefusalBody {
    /// The `token_id` that came with the token.
    token_id: String,
    /// The HTTP status of the store's response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The `X-Request-Id` of the store's response.
    request_id: Option<String>,
}

/// What the report caused.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenRefusalResult)]
pub struct TokenRefusalResultBody {
    #[schema(inline)]
    result: RefusalResult,
    /// What to do now.
    detail: &'static str,
}

/// `renewed` and `newer-exists`: ask for the token again. `check-queued`: the server tests the connection within seconds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum RefusalResult {
    Renewed,
    CheckQueued,
    NewerExists,
}

impl From<RefusalEffect> for TokenRefusalResultBody {
    fn from(effect: RefusalEffect) -> Self {
        let (result, detail) = match effect {
            RefusalEffect::Renewed => (RefusalResult::Renewed, "The token was renewed. Ask for it again."),
            RefusalEffect::CheckQueued => (
                RefusalResult::CheckQueued,
                "The connection is tested now. Ask for the token again in a few seconds: you get it, or the reason.",
            ),
            RefusalEffect::NewerExists => {
                (RefusalResult::NewerExists, "This is not the newest token. Ask for the token again.")
            }
        };
        Self { result, detail }
    }
}

/// Get the token of a cart
///
/// A token that works now and for at least `min_seconds`, or a problem that says why there is none: never an expired token
/// and never `null`. Each token that leaves is in the activity of the cart.
#[utoipa::path(
    post,
    path = urls::API_TOKEN,
    operation_id = "issueToken",
    tag = "Tokens",
    params(("cart" = String, Path, description = "The id of the cart.")),
    request_body = TokenNeedBody,
    responses(
        (status = 200, description = "A token that works now.", body = TokenBody),
        (status = 409, description = "The cart is not in use, or no token of its app lives that long."),
        (status = 422, description = "The time is longer than any token is promised for."),
        (status = 424, description = "The store does not accept the credential; `class` says why.")
    )
)]
pub async fn create(
    State(app): State<App>,
    caller: ApiCaller,
    SeenCartId(cart): SeenCartId,
    JsonBody(need): JsonBody<TokenNeedBody>,
) -> Result<Response, Problem> {
    let min_left = Duration::from_secs(need.min_seconds);
    if min_left > MIN_LEFT_MAX {
        let message = format!("min_seconds may be at most {}", MIN_LEFT_MAX.as_secs());
        return Err(Problem::of_fields(vec![FieldMistake {
            field: "min_seconds",
            class: "MIN_SECONDS_TOO_LONG",
            message,
        }]));
    }
    let issued = app.tokens.issue(&caller.by(), cart, min_left).await;
    let handed = issued.map_err(|error| problem_of(error, cart))?;
    Ok(no_store(media::json(StatusCode::OK, &TokenBody::of(handed, app.site.egress_addresses.texts()))))
}

/// Report a refused token
///
/// For a response with status 401 or 403 of a store to a token that you got here. The server renews the token once, or tests
/// the connection, which also tells the people who look after it.
#[utoipa::path(
    post,
    path = urls::API_TOKEN_REFUSALS,
    operation_id = "reportTokenRefusal",
    tag = "Tokens",
    params(("cart" = String, Path, description = "The id of the cart.")),
    request_body = TokenRefusalBody,
    responses(
        (status = 200, description = "What the report caused.", body = TokenRefusalResultBody),
        (status = 409, description = "The cart is not in use."),
        (status = 422, description = "A field needs another value."),
        (status = 424, description = "The token could not be renewed: the store refuses the credential.")
    )
)]
pub async fn report(
    State(app): State<App>,
    caller: ApiCaller,
    SeenCartId(cart): SeenCartId,
    JsonBody(body): JsonBody<TokenRefusalBody>,
) -> Result<Response, Problem> {
    let mistake = |field, class, message: &str| {
        Problem::of_fields(vec![FieldMistake { field, class, message: message.to_owned() }])
    };
    if !(400..600).contains(&body.status) {
        return Err(mistake("status", "NO_ERROR_STATUS", "status must be an HTTP status from 400 to 599"));
    }
    if body.token_id.is_empty() || body.token_id.len() > TOKEN_ID_MAX_LEN {
        return Err(mistake("token_id", "NO_TOKEN_ID", "token_id must be the one that came with the token"));
    }
    let refused = RefusedToken { token_id: body.token_id, status: body.status, request_id: body.request_id };
    let reported = app.tokens.report_refusal(&caller.by(), cart, refused).await;
    let effect = reported.map_err(|error| problem_of(error, cart))?;
    Ok(no_store(media::json(StatusCode::OK, &TokenRefusalResultBody::from(effect))))
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
