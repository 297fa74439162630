//! Continues a form that was kept while its user signed in.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use tower::ServiceExt;

use super::{
    admin::{
        banner::{Banner, Tone},
        error::Error,
        form::ReceivedForm,
        form_stash::ResubmitForm,
        guard::Access,
        kept_form::ContinueForm,
        session::CurrentSession,
    },
    frame::trace::RouteTemplate,
    routes,
};
use crate::app::App;
use crate::web::urls;

/// Middleware that answers a sign-in with the form that it kept, and the cookies of the sign-in.
pub async fn resume(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut signed_in = next.run(request).await;
    let Some(ContinueForm { form, session }) = signed_in.extensions_mut().remove() else { return signed_in };
    let mut response = continued(&app, &session, form).await.unwrap_or_else(IntoResponse::into_response);
    for cookie in signed_in.headers().get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    if let Some(route) = signed_in.extensions_mut().remove::<RouteTemplate>() {
        response.extensions_mut().insert(route);
    }
    response
}

/// Continues a kept form for the user who just signed in: renders the form as typed, or redirects to the page with its
/// button.
async fn continued(app: &App, session: &CurrentSession, form: ResubmitForm) -> Result<Response, Error> {
    let Some(route) = routes::find_post(&form.action).filter(|route| route.access != Access::Open) else {
        return Ok(Redirect::to(urls::ADMIN).into_response());
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
    request.extensions_mut().insert(ReceivedForm { body: Ok(form.into()), redraws: true });
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
