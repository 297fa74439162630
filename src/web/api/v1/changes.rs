//! The feed of changes, with a cursor and a long poll.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::App,
    carts::{
        CartId,
        changes::{CartChange, ChangeCursor, ChangeKind, KEPT_FOR, PAGE_MAX, WAIT_MAX},
    },
    clock,
    web::{
        api::{
            caller::ApiCaller,
            media,
            parameters::{QueryParameters, parse},
            problem::{Problem, ProblemKind},
        },
        urls,
    },
};

/// Changes of one response if the program asks for no other number.
const LIMIT: usize = 100;
/// The cursor behind the newest change.
const NEWEST: &str = "newest";

#[derive(Deserialize)]
pub struct ChangesQuery {
    after: Option<String>,
    limit: Option<String>,
    wait: Option<String>,
}

/// Some changes, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Changes)]
pub struct ChangesBody {
    changes: Vec<ChangeBody>,
    /// Send it as `after` to read on. It moves even if no change is for this key.
    cursor: String,
    /// Whether there is more already.
    has_more: bool,
}

/// One change: the same type and fields as in the payload of a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeBody {
    /// What happened, such as `cart.needs-attention`. More may be added: ignore those you do not know.
    #[schema(example = "cart.needs-attention")]
    r#type: String,
    #[schema(format = DateTime)]
    timestamp: String,
    data: ChangeDataBody,
}

/// The cart as it was after the change.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangeData)]
pub struct ChangeDataBody {
    /// Missing for `integration.turned-on` and `integration.turned-off`, which are about all carts.
    #[serde(skip_serializing_if = "Option::is_none")]
    cart: Option<ChangedCartBody>,
    /// Missing after a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Only for a change of the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_status: Option<String>,
    /// The last result; for `cart.recovered`, the problem that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Only for a change of the status.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_permissions: Option<Vec<String>>,
    /// When the problem began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// When a check last passed.
    #[schema(format = DateTime)]
    last_good_at: Option<String>,
    /// How long the problem lasted; only for `cart.recovered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    lasted_seconds: Option<i64>,
    /// The page of the cart, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// The cart that changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedCart)]
pub struct ChangedCartBody {
    id: String,
    website_name: String,
    platform: &'static str,
    /// Such as `northwind-tea.myshopify.com`.
    store: String,
}

impl ChangeBody {
    fn of(change: CartChange, origin: &str) -> Self {
        let CartChange { kind, at, cart, facts, .. } = change;
        let (is_deleted, is_recovered) = (kind == ChangeKind::Deleted.as_str(), kind == ChangeKind::Recovered.as_str());
        let url = cart.filter(|_| !is_deleted).map(|cart| format!("{origin}{}", urls::cart_health(CartId(cart))));
        let is_of_status = facts.previous_status.is_some();
        let lasted = facts.since.filter(|_| is_recovered).map(|since| (at - since).whole_seconds().max(0));
        Self {
            r#type: kind,
            timestamp: clock::utc_text(at),
            data: ChangeDataBody {
                cart: cart.map(|cart| ChangedCartBody {
                    id: cart.as_simple().to_string(),
                    website_name: facts.website_name,
                    platform: "shopify",
                    store: facts.store,
                }),
                status: facts.status,
                previous_status: facts.previous_status,
                class: facts.class,
                title: facts.title,
                missing_permissions: is_of_status.then_some(facts.missing_permissions),
                since: facts.since.map(clock::utc_text),
                last_good_at: facts.last_good_at.map(clock::utc_text),
                lasted_seconds: lasted,
                url,
            },
        }
    }
}

/// Follow changes
///
/// Changes of the carts that this key sees, oldest first, deleted carts included. Read `after=newest` for a cursor, then list
/// the carts, then follow the cursor: nothing is missed between the two. Changes are kept for 30 days.
#[utoipa::path(
    get,
    path = urls::API_CHANGES,
    operation_id = "listChanges",
    tag = "Changes",
    params(
        ("after" = Option<String>, Query, description = "The `cursor` of the previous response, or `newest` for a cursor behind the newest change. Missing: from the oldest change that is kept."),
        ("limit" = Option<u32>, Query, description = "1 to 500 changes; 100 if missing.", minimum = 1, maximum = 500),
        ("wait" = Option<u32>, Query, description = "Wait up to so many seconds for the first change, at most 30.", minimum = 0, maximum = 30),
    ),
    responses(
        (status = 200, description = "Changes, possibly none.", body = ChangesBody),
        (status = 410, description = "The cursor is too old.")
    )
)]
pub async fn list(
    State(app): State<App>,
    caller: ApiCaller,
    QueryParameters(query): QueryParameters<ChangesQuery>,
) -> Result<Response, Problem> {
    let cursor = |text: &str| match text {
        NEWEST => Some(ChangeCursor::Newest),
        text if text.len() == 32 => Uuid::try_parse(text).ok().map(ChangeCursor::After),
        _ => None,
    };
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|digit| digit.is_ascii_digit()));
    let from = parse("after", query.after.as_deref(), "a cursor of this feed, or newest", cursor)?;
    let limit = parse("limit", query.limit.as_deref(), "a number from 1 to 500", |text| {
        number(text).and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=PAGE_MAX).contains(limit))
    })?;
    let wait = parse("wait", query.wait.as_deref(), "a number of seconds from 0 to 30", |text| {
        number(text).map(Duration::from_secs).filter(|wait| *wait <= WAIT_MAX)
    })?;
    let (from, limit) = (from.unwrap_or(ChangeCursor::Oldest), limit.unwrap_or(LIMIT));
    let sees = |cart| caller.program.sees(cart);
    let read = app.changes.wait(from, limit, sees, wait.unwrap_or_default(), &app.stop).await?;
    let Some(page) = read else {
        let detail = format!(
            "Changes are kept for {} days, and this cursor is older or not from this feed. Read after=newest for a new \
             cursor, and list the carts again.",
            KEPT_FOR.whole_days()
        );
        return Err(Problem::new(ProblemKind::CursorTooOld, detail));
    };
    let origin = &app.site.public_url.origin;
    let body = ChangesBody {
        changes: page.changes.into_iter().map(|change| ChangeBody::of(change, origin)).collect(),
        cursor: page.cursor.as_simple().to_string(),
        has_more: page.has_more,
    };
    Ok(media::json(StatusCode::OK, &body))
}
