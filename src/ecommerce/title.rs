//! The title of a verdict: the first heading of its page, the subject of its alert, the text of its line in the
//! activity. One sentence per class; cause and remedy are in the templates.

use time::OffsetDateTime;

use super::verdict::{ADMIN_PAGE, Class, Limit, PASSWORD_PAGE, UNKNOWN_CLIENT_ID, Verdict};
use crate::direction::bidi_isolate;

/// Values for a title that are not part of the verdict.
#[derive(Clone, Copy, Debug)]
pub struct TitleContext<'a> {
    /// The host that was called, such as `northwind-tea.myshopify.com`.
    pub host: &'a str,
    /// "access token" or "Client ID and Client secret".
    pub credential: &'a str,
    /// Tests that one user may run per minute.
    pub tests_a_minute: u32,
    pub now: OffsetDateTime,
}

/// Titles of `NOT_SHOPIFY` if a page of the same store answered.
pub const PASSWORD_PAGE_TITLE: &str = "Shopify sent us to this store's password page";
pub const ADMIN_PAGE_TITLE: &str = "Shopify sent us to this store's admin pages";

/// Whether a stored title names a page of the same store.
pub fn is_of_store_page(title: &str) -> bool {
    [PASSWORD_PAGE_TITLE, ADMIN_PAGE_TITLE].contains(&title)
}

/// The title of the whole verdict.
pub fn of(verdict: &Verdict, naming: &TitleContext<'_>) -> String {
    of_class(verdict.class, verdict, naming)
}

/// The title of one of the verdict's limits, or of its class.
pub fn of_class(class: Class, verdict: &Verdict, naming: &TitleContext<'_>) -> String {
    let TitleContext { host, credential, .. } = naming;
    match class {
        Class::Connected => format!("Connected to {}", bidi_isolate(store_name(verdict, host))),
        Class::ScopesMissing => scopes_missing(verdict),
        Class::CustomerDetailsHidden => "Connected, but customer names and addresses are hidden".into(),
        Class::Expires => format!("Connected until {}", ends(verdict, naming.now)),
        Class::ApiVersionOld => "Connected, but Shopify used a different version".into(),
        Class::NetworkDns => format!("We could not look up {host}"),
        Class::NetworkUnreachable => format!("We could not reach {host}"),
        Class::NetworkTimeout => "Shopify did not answer in time".into(),
        Class::TlsUntrusted => format!("We could not make a secure connection to {host}"),
        Class::NotShopify => not_shopify(verdict).into(),
        Class::StoreNotFound => format!("There is no Shopify store at {host}"),
        Class::StoreMoved => format!("This store is now called {}", moved_to(verdict)),
        Class::StoreFrozen => "This store is paused by Shopify".into(),
        Class::StoreLocked => "This store is locked".into(),
        Class::RateLimited => "Shopify asked us to slow down".into(),
        Class::RequestRejected => "Shopify turned this request away".into(),
        Class::ShopifyDown => "Shopify has a problem at the moment".into(),
        Class::TokenRefused => format!("Shopify did not accept the {credential}"),
        Class::TokenStopped => format!("The {credential} stopped working"),
        Class::TokenKindRefused => "Shopify no longer accepts this kind of token".into(),
        Class::NotAllowed => "Shopify knows this app but will not let it in".into(),
        Class::AddressRefused => "Shopify does not accept calls from our address".into(),
        Class::WrongStore => "This is a different store".into(),
        Class::Duplicate => "This store is already connected".into(),
        Class::CcWrongOrg => "This app and this store belong to different Shopify organizations".into(),
        Class::CcNotInstalled => "The app is not installed on this store".into(),
        Class::CcRefused => exchange_refused(verdict.error_name.as_deref()),
        Class::OurKey => format!("We cannot read the saved {credential}"),
        Class::OurBug => "A fault on our side stopped this test".into(),
        Class::TestLimit if verdict.wait_seconds.is_none() => "A test is already running".into(),
        Class::TestLimit => {
            format!("You have tested {} times in a minute", verdict.tests_a_minute.unwrap_or(naming.tests_a_minute))
        }
    }
}

/// Shopify's name of the store, else the host.
pub fn store_name<'a>(verdict: &'a Verdict, host: &'a str) -> &'a str {
    verdict.store.as_ref().map_or(host, |store| store.name.as_str())
}

fn scopes_missing(verdict: &Verdict) -> String {
    let missing = verdict.limits.iter().find_map(|limit| match limit {
        Limit::ScopesMissing { scopes } => Some(scopes.len()),
        _ => None,
    });
    match missing {
        Some(1) => "Connected, but 1 permission is missing".into(),
        n => format!("Connected, but {} permissions are missing", n.unwrap_or_default()),
    }
}

/// The title for Shopify's error name, since each error has a different remedy.
fn exchange_refused(error_name: Option<&str>) -> String {
    match error_name {
        Some(UNKNOWN_CLIENT_ID) => "Shopify knows no app with this Client ID".into(),
        Some("invalid_client") => "Shopify did not accept the Client secret".into(),
        Some("unauthorized_client") => "Shopify does not let this app use a Client secret".into(),
        Some(name) => format!("Shopify did not accept the Client ID or Client secret ({name})"),
        None => "Shopify did not accept the Client ID or Client secret".into(),
    }
}

fn not_shopify(verdict: &Verdict) -> &'static str {
    match verdict.details.remark.as_deref() {
        Some(PASSWORD_PAGE) => PASSWORD_PAGE_TITLE,
        Some(ADMIN_PAGE) => ADMIN_PAGE_TITLE,
        _ => "Something other than Shopify answered",
    }
}

fn moved_to(verdict: &Verdict) -> &str {
    let host = verdict.moved_to.as_deref().unwrap_or_default();
    host.strip_suffix(".myshopify.com").unwrap_or(host)
}

/// "tomorrow at 19:31 UTC", "today at …", else the date.
fn ends(verdict: &Verdict, now: OffsetDateTime) -> String {
    let at = verdict.limits.iter().find_map(|limit| match limit {
        Limit::Expires { at } => Some(at.to_offset(time::UtcOffset::UTC)),
        _ => None,
    });
    let Some(at) = at else { return "its token ends".into() };
    let clock = format!("{:02}:{:02} UTC", at.hour(), at.minute());
    match (at.date() - now.to_offset(time::UtcOffset::UTC).date()).whole_days() {
        0 => format!("today at {clock}"),
        1 => format!("tomorrow at {clock}"),
        _ => format!("{} {} {} at {clock}", at.day(), at.month(), at.year()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NAMING: TitleContext<'_> = TitleContext {
        host: "northwind-tea.myshopify.com",
        credential: "Client ID and Client secret",
        tests_a_minute: 10,
        now: datetime!(2026-11-23 23:50:00 UTC),
    };

    fn verdict(class: Class, limits: Vec<Limit>) -> Verdict {
        let moved_to = Some("northwind-tea-co.myshopify.com".into());
        Verdict { limits, moved_to, ..Verdict::of(class) }
    }

    #[test]
    fn one_missing_permission_is_singular() {
        let limits = vec![Limit::ScopesMissing { scopes: vec!["write_orders".into()] }];
        assert_eq!(of(&verdict(Class::ScopesMissing, limits), &NAMING), "Connected, but 1 permission is missing");
    }

    #[test]
    fn expiry_follows_the_calendar_day_and_not_the_hours_left() {
        let told = |at| of(&verdict(Class::Expires, vec![Limit::Expires { at }]), &NAMING);
        assert_eq!(told(datetime!(2026-11-23 23:59:00 UTC)), "Connected until today at 23:59 UTC");
        assert_eq!(told(datetime!(2026-11-24 00:05:00 UTC)), "Connected until tomorrow at 00:05 UTC");
        assert_eq!(told(datetime!(2026-12-01 07:00:00 UTC)), "Connected until 1 December 2026 at 07:00 UTC");
    }

    #[test]
    fn titles_name_the_credential_the_new_handle_and_the_limit() {
        let told = |class| of(&verdict(class, vec![]), &NAMING);
        assert_eq!(told(Class::TokenStopped), "The Client ID and Client secret stopped working");
        assert_eq!(told(Class::StoreMoved), "This store is now called northwind-tea-co");
        assert_eq!(told(Class::TestLimit), "A test is already running");
        let limited = |tests_a_minute| {
            let verdict = Verdict { wait_seconds: Some(7), tests_a_minute, ..verdict(Class::TestLimit, vec![]) };
            of(&verdict, &NAMING)
        };
        assert_eq!(limited(None), "You have tested 10 times in a minute");
        assert_eq!(limited(Some(100)), "You have tested 100 times in a minute");
    }
}
