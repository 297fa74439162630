//! The list of carts, page by page.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{CartBody, PlatformName, StatusName},
    cursor,
};
use crate::{
    app::App,
    carts::{Status, SummaryPage, SummaryQuery},
    platforms::Platform,
    web::{
        api::{
            caller::ApiCaller,
            conditional::TaggedJson,
            parameters::{QueryParameters, parse},
            problem::Problem,
        },
        urls,
    },
};

/// Carts per page, unless the request says otherwise.
const LIMIT: u8 = 50;
const LIMIT_MAX: u8 = 100;

/// The query as texts.
#[derive(Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CartListParameters {
    /// Only carts with this status.
    #[param(value_type = Option<StatusName>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Only carts of this platform.
    #[param(value_type = Option<PlatformName>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    /// Only carts that are turned on, or only those that are not.
    #[param(value_type = Option<bool>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<String>,
    /// Only carts that a user or a program changed at or after this time (RFC 3339). The list is then in the order of the
    /// last change. Checks do not count as changes.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_since: Option<String>,
    /// Carts per page.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 50)]
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
    /// Where the page starts: the value in the address that `Link` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// One page of carts.
#[derive(Serialize, ToSchema)]
#[schema(as = CartList)]
pub struct CartListBody {
    carts: Vec<CartBody>,
}

impl CartListParameters {
    /// The query for a key that is limited to some carts, or to none.
    fn query(&self, caller: &ApiCaller) -> Result<SummaryQuery, Problem> {
        let statuses = Status::ALL.map(Status::as_str).join(", ");
        let status = parse("status", self.status.as_deref(), &format!("one of {statuses}"), Status::parse)?;
        parse("platform", self.platform.as_deref(), "shopify", Platform::from_stored)?;
        let is_active = parse("active", self.active.as_deref(), "true or false", |text| text.parse().ok())?;
        let expected = format!("a number from 1 to {LIMIT_MAX}");
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let limit = parse("limit", self.limit.as_deref(), &expected, limit)?.unwrap_or(LIMIT);
        let expected = "a time such as 2026-11-21T08:15:02Z";
        let since = parse("updated_since", self.updated_since.as_deref(), expected, |text| {
            // A plus sign in a query reads as a space.
            let at = OffsetDateTime::parse(&text.replace(' ', "+"), &Rfc3339).ok()?;
            Some(at).filter(|at| (1970..3000).contains(&at.year()))
        })?;
        let expected = "the value of a Link of this list";
        let after = parse("after", self.after.as_deref(), expected, |text| cursor::parse(text, since.is_some()))?;
        let only = caller.program.carts.clone();
        Ok(SummaryQuery { only, status, is_active, updated_since: since, after, limit })
    }

    /// The address of the next page: the same query from there on.
    fn next(self, page: &SummaryPage, origin: &str) -> Option<HeaderValue> {
        let query = Self { after: Some(cursor::to_text(page.next?)), ..self };
        let query = serde_urlencoded::to_string(query).ok()?;
        HeaderValue::from_str(&format!("<{origin}{}?{query}>; rel=\"next\"", urls::API_CARTS)).ok()
    }
}

/// List carts
///
/// In the order in which they were added. `Link` with `rel="next"` names the next page, and is missing on the last one.
#[utoipa::path(
    get,
    path = urls::API_CARTS,
    operation_id = "listCarts",
    tag = "Carts",
    params(CartListParameters),
    responses(
        (status = 200, description = "One page of carts.", body = CartListBody,
         headers(("Link" = String, description = "The address of the next page, with `rel=\"next\"`."))),
        (status = 304, description = "The page is still as in `If-None-Match`.")
    )
)]
pub async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    QueryParameters(parameters): QueryParameters<CartListParameters>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = app.carts.list_summaries(&parameters.query(&caller)?).await?;
    let origin = &app.site.public_url.origin;
    let carts = page.carts.iter().map(|cart| CartBody::of(cart, origin)).collect();
    let mut response = TaggedJson::of(&CartListBody { carts }).read(&headers);
    if let Some(next) = parameters.next(&page, origin) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}
