//! What Shopify says when a Client ID and Client secret are exchanged for a token of 24 hours.
//! Surprising: the same errors come as JSON or as an HTML page, and fixtures disagree about the status of a wrong secret.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::{NOT_OUR_SHAPE, Refusal, forbidden, json, refused_by_status};
use crate::ecommerce::shopify::address::StoreAddress;
use crate::ecommerce::shopify::client::{Answer, Body};
use crate::ecommerce::shopify::credential::AccessToken;
use crate::ecommerce::verdict::Class;

/// Shortest plausible life of a minted token, taken where Shopify names none: an hour. The longest: a day.
const USUAL_LIFE: u64 = 3600;
const LONGEST_LIFE: u64 = 86_400;

/// A token that Shopify minted for us.
#[derive(Debug)]
pub struct Minted {
    pub token: AccessToken,
    pub lives: Duration,
}

/// Reads the answer to a token exchange. The granted scopes in it are only a hint and are not read.
///
/// # Errors
/// The one finding that the answer amounts to.
pub fn exchanged(asked: &StoreAddress, answer: &Answer) -> Result<Minted, Refusal> {
    match answer.head.status {
        400 | 401 => return Err(refused(answer)),
        // Only a GET is answered so without a known text, and we send none.
        403 => {
            let known = forbidden(answer).filter(|class| *class != Class::NotAllowed);
            return Err(Refusal::of(known.unwrap_or(Class::OurBug)));
        }
        _ => {}
    }
    if let Some(refusal) = refused_by_status(asked, &answer.head) {
        return Err(refusal);
    }
    let typed: Token = serde_json::from_value(json(answer)?).map_err(|_| Refusal::foreign(NOT_OUR_SHAPE))?;
    let token = AccessToken::issued(SecretString::from(typed.access_token)).ok_or(Refusal::foreign(NOT_OUR_SHAPE))?;
    let seconds = typed.expires_in.as_ref().and_then(Value::as_u64).filter(|seconds| *seconds > 0);
    Ok(Minted { token, lives: Duration::from_secs(seconds.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE)) })
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: Option<Value>,
}

fn refused(answer: &Answer) -> Refusal {
    let name = match json(answer) {
        Ok(body) => body.get("error").and_then(Value::as_str).map(str::to_owned),
        Err(foreign) => match html_error(&answer.body) {
            Some(name) => Some(name),
            None if answer.head.status == 401 => None,
            None => return foreign,
        },
    };
    Refusal::of(match name.as_deref() {
        Some("shop_not_permitted") => Class::CcWrongOrg,
        Some("app_not_installed") => Class::CcNotInstalled,
        Some("application_cannot_be_found" | "invalid_client" | "invalid_request") => Class::CcRefused,
        _ if answer.head.status == 401 => Class::CcRefused,
        _ => Class::OurBug,
    })
}

/// The name in a page titled `400 - Oauth error {name}`, in any case.
fn html_error(body: &Body) -> Option<String> {
    let Body::Read(bytes) = body else { return None };
    let page = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let (_, after) = page.split_once("- oauth error ")?;
    let name: String = after.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').take(64).collect();
    (!name.is_empty()).then_some(name)
}
