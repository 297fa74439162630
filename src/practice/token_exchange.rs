//! `POST /admin/oauth/access_token`: exchanges Client ID and Client secret for a token of one day. Errors are JSON for
//! a caller that requests it and a web page otherwise, which surprises every client once. From shopify.dev, checked
//! November 2026.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    exchange_error::ExchangeError,
    journal::RecordedRequest,
    reply::Reply,
    stores::{PracticeStore, Stores},
};

/// Lifetime of an issued token, in seconds.
const LIFETIME: u32 = 86_399;

/// The answer of a store without problems.
pub(super) fn answer(stores: &Stores, handle: &str, store: &PracticeStore, request: &RecordedRequest) -> Reply {
    match judge(store, request) {
        Ok(()) => granted(store, stores.mint(handle).expose_secret()),
        Err(refusal) => refusal.reply(!asks_for_json(request)),
    }
}

pub(super) fn asks_for_json(request: &RecordedRequest) -> bool {
    request.header("accept").is_some_and(|accept| accept.contains("application/json"))
}

fn granted(store: &PracticeStore, token: &str) -> Reply {
    Reply::json(200, &json!({"access_token": token, "scope": store.scopes.join(","), "expires_in": LIFETIME}))
}

fn judge(store: &PracticeStore, request: &RecordedRequest) -> Result<(), ExchangeError> {
    let fields = fields(request).ok_or(ExchangeError::UnknownClientOlder)?;
    let field = |name: &str| fields.iter().find_map(|(known, value)| (known == name).then_some(value.as_str()));
    if field("grant_type") != Some("client_credentials") || field("client_id") != Some(&store.client_id) {
        return Err(ExchangeError::UnknownClient);
    }
    if field("client_secret") != Some(store.client_secret.expose_secret()) {
        return Err(ExchangeError::WrongSecret);
    }
    Ok(())
}

/// Parses a form or JSON, depending on the content type.
fn fields(request: &RecordedRequest) -> Option<Vec<(String, String)>> {
    let (kind, body) = (request.header("content-type")?, request.body.expose_secret());
    if kind.starts_with("application/x-www-form-urlencoded") {
        return serde_urlencoded::from_str(body).ok();
    }
    let Ok(Value::Object(object)) = serde_json::from_str(body) else { return None };
    Some(object.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::practice::reply::ReplyBody;

    fn request(content_type: &str, accept: &str, body: String) -> RecordedRequest {
        RecordedRequest {
            connection: 0,
            host: "practice-tea.myshopify.com".to_owned(),
            server_name: None,
            method: "POST".to_owned(),
            path: "/admin/oauth/access_token".to_owned(),
            token: None,
            headers: vec![
                ("content-type".to_owned(), content_type.to_owned()),
                ("accept".to_owned(), accept.to_owned()),
            ],
            body: body.into(),
            operation: None,
        }
    }

    fn form(store: &PracticeStore, secret: &str) -> String {
        format!("grant_type=client_credentials&client_id={}&client_secret={secret}", store.client_id)
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn valid_pair_gets_a_token_that_the_store_accepts() {
        let stores = Stores::default();
        let store = stores.put("practice-tea", PracticeStore::sample("practice-tea"));
        let body = form(&store, store.client_secret.expose_secret());
        let reply = answer(&stores, "practice-tea", &store, &request(FORM, "application/json", body));
        assert_eq!(reply.status, 200);
        let ReplyBody::Whole(bytes) = reply.body else { panic!("a whole body") };
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["expires_in"], 86_399);
        assert!(stores.knows("practice-tea", value["access_token"].as_str().unwrap()));
        assert!(!stores.knows("practice-gone", value["access_token"].as_str().unwrap()));
    }

    #[test]
    fn json_is_accepted_as_well_as_a_form() {
        let stores = Stores::default();
        let store = PracticeStore::sample("practice-tea");
        let body = json!({
            "grant_type": "client_credentials", "client_id": store.client_id,
            "client_secret": store.client_secret.expose_secret(),
        });
        let request = request("application/json", "application/json", body.to_string());
        assert_eq!(answer(&stores, "practice-tea", &store, &request).status, 200);
    }

    #[test]
    fn wrong_secret_error_is_json_or_a_page_as_requested() {
        let stores = Stores::default();
        let store = PracticeStore::sample("practice-tea");
        let told = |accept: &str| {
            let reply = answer(&stores, "practice-tea", &store, &request(FORM, accept, form(&store, "wrong")));
            assert_eq!(reply.status, 400);
            let ReplyBody::Whole(bytes) = reply.body else { panic!("a whole body") };
            String::from_utf8(bytes).unwrap()
        };
        assert!(told("application/json").contains("\"error\":\"invalid_client\""));
        assert!(told("*/*").contains("<title>400 - Oauth error invalid_client</title>"));
    }
}
