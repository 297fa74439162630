//! The contact for reports of security problems: `/.well-known/security.txt` (RFC 9116), generated from the operator's
//! settings.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use time::{Duration, format_description::well_known::Rfc3339};

use super::error::Error;
use crate::app::{App, Site};
use crate::web::urls;

/// RFC 9116 §2.5.5 recommends less than a year. Counted from the day of the request, since the settings are read at
/// each start.
const EXPIRES_AFTER: Duration = Duration::days(180);

/// GET `/.well-known/security.txt`; 404 without `CARTWRIGHT_SUPPORT_ADDRESS`.
pub async fn show(State(app): State<App>) -> Result<Response, Error> {
    let expires = app.clock.now().replace_time(time::Time::MIDNIGHT) + EXPIRES_AFTER;
    let text = text(&app.site, &expires.format(&Rfc3339)?).ok_or(Error::NotFound)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// `Canonical` is only for https addresses (§2.5.2).
fn text(site: &Site, expires: &str) -> Option<String> {
    let contact = site.support.as_deref().filter(|contact| !contact.contains(char::is_control))?;
    let canonical = match &site.public_url {
        url if url.is_https => format!("Canonical: {}{}\n", url.origin, urls::SECURITY_TXT),
        _ => String::new(),
    };
    Some(format!("Contact: {contact}\nExpires: {expires}\n{canonical}Preferred-Languages: en\n"))
}
