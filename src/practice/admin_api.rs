//! The HTTP side of a store: routes a request and checks its access. As at Shopify, the guard in front of all stores
//! answers before the token is checked, and the API answers after.

use std::{error, fmt};

use http_body_util::{BodyExt, Limited};
use hyper::{Response, body::Incoming};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    Wire,
    canned::{self, Canned},
    documents::Operation,
    endpoint::Endpoint,
    graphql,
    journal::RecordedRequest,
    reply::{Reply, ReplyBody, ResponseBody, SLOW_REPLY_LIMIT},
    scenario::Scenario,
    stores::PracticeStore,
    token_exchange,
};

/// Maximum length of a body that is read and kept in the journal: 16 KiB.
const BODY_MAX_LEN: usize = 16 << 10;
/// A request for an older version is answered as this one.
const OLDEST_VERSION: &str = "2026-01";

/// The connection of a request, and the store that it is for.
pub(super) struct Caller {
    pub connection: u64,
    pub host: String,
    pub handle: String,
    pub server_name: Option<String>,
}

/// No answer: the connection closes.
#[derive(Debug)]
pub(super) struct Silence;

impl fmt::Display for Silence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closed without an answer, on purpose")
    }
}

impl error::Error for Silence {}

/// # Errors
/// [`Silence`], if the scenario does not answer or the body did not arrive.
pub(super) async fn answer(
    wire: &Wire,
    caller: &Caller,
    request: hyper::Request<Incoming>,
) -> Result<Response<ResponseBody>, Silence> {
    let request = read(caller, request).await?;
    let _present = wire.journal.enter(&caller.host);
    wire.journal.requested(request.clone());
    let reply = decide(wire, &caller.handle, &request).await?;
    Ok(reply.into_response())
}

async fn read(caller: &Caller, request: hyper::Request<Incoming>) -> Result<RecordedRequest, Silence> {
    let (parts, body) = request.into_parts();
    let bytes = Limited::new(body, BODY_MAX_LEN).collect().await.map_err(|_| Silence)?.to_bytes();
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let token = parts.headers.get("x-shopify-access-token").map(|value| text(value).into());
    let others = parts.headers.iter().filter(|(name, _)| *name != "x-shopify-access-token");
    Ok(RecordedRequest {
        connection: caller.connection,
        host: caller.host.clone(),
        server_name: caller.server_name.clone(),
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        token,
        headers: others.map(|(name, value)| (name.to_string(), text(value))).collect(),
        operation: document(&bytes).as_deref().and_then(Operation::recognise),
        body: String::from_utf8_lossy(&bytes).into_owned().into(),
    })
}

/// The GraphQL document of a body `{"query": …}`.
fn document(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("query")?.as_str()?.to_owned())
}

/// The cursor variable of a page after the first.
fn after(request: &RecordedRequest) -> Option<String> {
    let body: Value = serde_json::from_slice(request.body.expose_secret().as_bytes()).ok()?;
    Some(body.get("variables")?.get("after")?.as_str()?.to_owned())
}

async fn decide(wire: &Wire, handle: &str, request: &RecordedRequest) -> Result<Reply, Silence> {
    let endpoint = endpoint(request);
    let Some((store, scenario)) = settled(wire, handle, endpoint).await? else {
        return Ok(Canned::NoStore.reply(&Value::Null));
    };
    let is_misbehaving = scenario.answers(endpoint);
    let is_for_known_callers = matches!(&scenario, Scenario::Says(canned) if canned.is_from_api());
    if is_misbehaving && !is_for_known_callers {
        return misbehave(&scenario, handle, &store, endpoint, request).await;
    }
    if let Scenario::Delayed(time) = scenario {
        tokio::time::sleep(time).await;
    }
    let reply = match endpoint {
        Endpoint::Exchange => token_exchange::answer(&wire.stores, handle, &store, request),
        Endpoint::Nowhere => nowhere(request),
        _ if !is_let_in(wire, handle, request) => canned::unauthorized(),
        _ if document(request.body.expose_secret().as_bytes()).is_none() || !is_json(request) => canned::bad_request(),
        _ if is_misbehaving => misbehave(&scenario, handle, &store, endpoint, request).await?,
        Endpoint::Locations => Reply::json(200, &graphql::locations(&store, after(request).as_deref())),
        _ => Reply::json(200, &good(handle, &store, endpoint)),
    };
    Ok(sign(reply, &store, &scenario, request))
}

fn endpoint(request: &RecordedRequest) -> Endpoint {
    let is_post = request.method == "POST";
    match request.operation {
        _ if is_post && request.path == "/admin/oauth/access_token" => Endpoint::Exchange,
        _ if !is_post || version(request).is_none() => Endpoint::Nowhere,
        Some(Operation::ConnectionTest) => Endpoint::ConnectionTest,
        Some(Operation::CustomerVisibility) => Endpoint::CustomerVisibility,
        Some(Operation::Locations) => Endpoint::Locations,
        Some(Operation::ShopName) => Endpoint::ShopName,
        None => Endpoint::Foreign,
    }
}

/// The version of a GraphQL path, such as `2026-10`.
fn version(request: &RecordedRequest) -> Option<&str> {
    let version = request.path.strip_prefix("/admin/api/")?.strip_suffix("/graphql.json")?;
    let is_digits = |part: &str, count| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    version.split_once('-').filter(|(year, month)| is_digits(year, 4) && is_digits(month, 2)).map(|_| version)
}

/// Waits until the store is not held, and returns it with its scenario; `None` if there is no such store.
async fn settled(
    wire: &Wire,
    handle: &str,
    endpoint: Endpoint,
) -> Result<Option<(std::sync::Arc<PracticeStore>, Scenario)>, Silence> {
    let mut changes = wire.stores.changes();
    let wait = async {
        loop {
            let Some(store) = wire.stores.find(handle) else { return Ok(None) };
            let scenario = store.scenario_at(endpoint).clone();
            if scenario != Scenario::Held {
                return Ok(Some((store, scenario)));
            }
            changes.changed().await.map_err(|_| Silence)?;
        }
    };
    tokio::time::timeout(SLOW_REPLY_LIMIT, wait).await.unwrap_or(Err(Silence))
}

async fn misbehave(
    scenario: &Scenario,
    handle: &str,
    store: &PracticeStore,
    endpoint: Endpoint,
    request: &RecordedRequest,
) -> Result<Reply, Silence> {
    let good = || good(handle, store, endpoint);
    let reply = match scenario {
        Scenario::Says(canned) => canned.reply(&good()),
        Scenario::Redirect(status, location) => {
            let empty = Reply::new(*status, ReplyBody::Whole(Vec::new()));
            location.iter().fold(empty, |reply, location| reply.header("location", location))
        }
        Scenario::Raw(raw) => {
            let body = ReplyBody::Whole(raw.body.clone());
            return Ok(Reply { headers: raw.headers.clone(), ..Reply::new(raw.status, body) });
        }
        Scenario::Exchange(refusal) => refusal.reply(!token_exchange::asks_for_json(request)),
        Scenario::ExchangePage(refusal) => refusal.reply(true),
        Scenario::CloseMidBody => Reply::json(200, &good()).body(ReplyBody::Cut),
        // white space may precede any JSON, so only a limit of the reader's own stops it
        Scenario::EndlessBody => Reply::json(200, &good()).body(|_| ReplyBody::Endless(b" ".to_vec())),
        Scenario::DrippingBody => Reply::json(200, &good()).body(ReplyBody::Drip),
        Scenario::Hang => {
            tokio::time::sleep(SLOW_REPLY_LIMIT).await;
            return Err(Silence);
        }
        _ => return Err(Silence),
    };
    Ok(sign(reply, store, scenario, request))
}

fn good(handle: &str, store: &PracticeStore, endpoint: Endpoint) -> Value {
    match endpoint {
        Endpoint::ConnectionTest => graphql::answer(Operation::ConnectionTest, handle, store),
        Endpoint::CustomerVisibility => graphql::answer(Operation::CustomerVisibility, handle, store),
        Endpoint::Locations => graphql::locations(store, None),
        Endpoint::ShopName => graphql::answer(Operation::ShopName, handle, store),
        Endpoint::Exchange => json!({"access_token": "practice", "scope": "", "expires_in": 86_399}),
        Endpoint::Foreign | Endpoint::Nowhere => graphql::refuse(),
    }
}

fn nowhere(request: &RecordedRequest) -> Reply {
    if request.path == "/admin/oauth/access_token" {
        return Canned::ForbiddenPage.reply(&Value::Null);
    }
    let canned = if version(request).is_some() { Canned::WrongMethod } else { Canned::WrongPath };
    canned.reply(&Value::Null)
}

fn is_let_in(wire: &Wire, handle: &str, request: &RecordedRequest) -> bool {
    request.token.as_ref().is_some_and(|token| wire.stores.knows(handle, token.expose_secret()))
}

fn is_json(request: &RecordedRequest) -> bool {
    request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
}

/// Adds what only the store knows: its number, the API version of the answer, and a request ID.
fn sign(reply: Reply, store: &PracticeStore, scenario: &Scenario, request: &RecordedRequest) -> Reply {
    if !reply.is_from_store {
        return reply;
    }
    let reply =
        reply.header("x-request-id", &uuid::Uuid::new_v4().to_string()).header("x-shopid", &store.shop_id.to_string());
    match (scenario, version(request)) {
        (Scenario::NoVersionHeader, _) | (_, None) => reply,
        (Scenario::AnsweredAs(other), _) => reply.header("x-shopify-api-version", other),
        (_, Some(asked)) => reply.header("x-shopify-api-version", asked.max(OLDEST_VERSION)),
    }
}
