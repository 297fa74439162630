//! Keeps a form that was posted without a live session: the sign-in page carries what was typed, and after sign-in the
//! form is rendered again with it. Nothing is saved until the signed-in user submits it. Secrets are never carried, nor
//! anything that another site may have sent.

use axum::{
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{form, form_stash::ResubmitForm, session::CurrentSession};

/// The form in a request without a signed-in user, if it held anything. The same-origin check has refused requests that
/// a browser marks as cross-site; a client that sends neither `Sec-Fetch-Site` nor `Origin` is not trusted either.
pub fn keep(request: &Parts) -> Option<ResubmitForm> {
    let says_origin =
        ["sec-fetch-site", header::ORIGIN.as_str()].iter().any(|name| request.headers.contains_key(*name));
    if request.method != Method::POST || !says_origin {
        return None;
    }
    form::typed(request).filter(|form| !form.fields.is_empty() || form.had_secrets)
}

/// Encodes a kept form as the value of one hidden field of the sign-in page.
pub fn encode(form: &ResubmitForm) -> String {
    let head = [("action", form.action.as_str()), ("had_secrets", if form.had_secrets { "yes" } else { "" })];
    let fields = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let pairs: Vec<_> = head.into_iter().chain(fields).collect();
    URL_SAFE_NO_PAD.encode(serde_urlencoded::to_string(pairs).unwrap_or_default())
}

/// Decodes the output of [`encode`]; `None` for anything else.
pub fn decode(text: &str) -> Option<ResubmitForm> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&bytes).ok()?;
    let is_whole = pairs.len() >= 2 && pairs[0].0 == "action" && pairs[1].0 == "had_secrets";
    if !is_whole {
        return None;
    }
    let fields = pairs.split_off(2);
    let [(_, action), (_, had_secrets)] = <[_; 2]>::try_from(pairs).ok()?;
    Some(ResubmitForm { action, fields, had_secrets: had_secrets == "yes" })
}

/// A response that the layer `resume` replaces by the continued form.
#[derive(Clone, Debug)]
pub struct ContinueForm {
    pub form: ResubmitForm,
    /// The session of the user who just signed in.
    pub session: CurrentSession,
}

impl IntoResponse for ContinueForm {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_form_round_trips() {
        for fields in [vec![], vec![("emails".to_owned(), "a@b.example,\r\nمتجر & = + %".to_owned()); 3]] {
            let form = ResubmitForm { action: "/admin/alerts".into(), fields, had_secrets: true };
            assert_eq!(decode(&encode(&form)), Some(form));
        }
        for text in ["", "x", "%", &URL_SAFE_NO_PAD.encode("action=/x"), &URL_SAFE_NO_PAD.encode("a=b&c=d&e=f")] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
