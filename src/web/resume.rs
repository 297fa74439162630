//! Keeps a form that was posted without a live session: the sign-in page carries what was typed, and after sign-in the
//! form is rendered again with it. Nothing is saved until the signed-in user submits it. Secrets are never carried, nor
//! anything that another site may have sent.

use axum::{
    body::Body,
    extract::Request,
    http::{Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tower::ServiceExt;

use super::{
    error::{Error, ResubmitForm},
    form,
    guard::Access,
    routes,
    session::CurrentSession,
    shell::{Banner, Tone},
};
use crate::app::App;

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

/// Continues a kept form for the user who just signed in: renders the form as typed, or redirects to the page with its
/// button.
pub async fn resume(app: &App, session: &CurrentSession, form: ResubmitForm) -> Result<Response, Error> {
    let Some(route) = routes::find_post(&form.action).filter(|route| route.access != Access::Open) else {
        return Ok(Redirect::to("/admin").into_response());
    };
    if route.redraws {
        return redraw(app, session, form).await;
    }
    session.leave(app, &banner(&form, false)).await?;
    Ok(Redirect::to(&route.page_of(&form.action)).into_response())
}

/// Renders the form again through its own handler, behind its usual guard.
async fn redraw(app: &App, session: &CurrentSession, form: ResubmitForm) -> Result<Response, Error> {
    let banner = banner(&form, true);
    let ResubmitForm { action, fields, .. } = form.to_load();
    let token = session.browser.form_token();
    let fields = [("csrf", token.as_str()), ("intent", "load")]
        .into_iter()
        .chain(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .collect::<Vec<_>>();
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = action.parse()?;
    let form = serde_urlencoded::to_string(fields)?;
    request.extensions_mut().insert(form::ReceivedForm(Ok(form.into())));
    request.extensions_mut().insert(session.clone().told(banner));
    let Ok(response) = routes::router(app).with_state(app.clone()).oneshot(request).await;
    Ok(response)
}

fn banner(form: &ResubmitForm, is_kept: bool) -> Banner {
    let mut text = if is_kept {
        "What you typed is here and not saved yet.".to_owned()
    } else {
        "You were signed out before this was sent, so nothing was changed. Press the button again.".to_owned()
    };
    if form.had_secrets {
        text.push_str(" Passwords and tokens are not kept: enter them again.");
    }
    Banner { title: "You are signed in.".into(), text, tone: Tone::Info, ..Banner::default() }
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
