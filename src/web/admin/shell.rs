//! The frame around every page: the product's name, the user, the banner of the last action, the form token. A typed
//! field of every page struct, so that `layout.html` is checked at compile time too.

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};

use super::{banner::Banner, error::Error, session::CurrentSession};
use crate::web::urls;
use crate::{accounts::Role, app::App, outbound::egress_addresses::EgressAddresses};

/// The frame around a page.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// `PRODUCT_NAME`.
    pub product: String,
    /// The signed-in user; `None` on the pages before sign-in.
    pub person: Option<Person>,
    /// The masked form token, for the hidden field `csrf` of every form.
    pub csrf: String,
    /// Path and query of this page, to which the theme forms return.
    pub path: String,
    /// Whether the practice store is on.
    pub practice: bool,
    /// Shown once above the content, after a redirect.
    pub banner: Option<Banner>,
    /// `SUPPORT_ADDRESS`, a `mailto:` or `https:` link.
    pub support: Option<String>,
    /// `EGRESS_ADDRESSES`; `None` before sign-in, so that unauthenticated clients do not learn where this server calls
    /// from.
    pub egress_addresses: Option<EgressAddresses>,
}

impl FromRequestParts<App> for Shell {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Ok(Self::of(app, parts.extensions.get::<CurrentSession>(), &parts.uri))
    }
}

impl Shell {
    /// The frame for this session at this address; without a session, that of an unauthenticated client.
    pub fn of(app: &App, session: Option<&CurrentSession>, uri: &Uri) -> Self {
        let user = session.and_then(|session| session.user.as_ref());
        Self {
            product: app.site.product.clone(),
            person: user.map(|user| Person {
                name: user.name.clone(),
                email: user.email.clone(),
                can_change: user.role == Role::Administrator,
                theme: user.theme,
            }),
            csrf: session.map(|session| session.browser.form_token()).unwrap_or_default(),
            path: uri.path_and_query().map_or_else(|| urls::ADMIN.into(), ToString::to_string),
            practice: app.site.practices(),
            banner: session.and_then(|session| session.banner.clone()),
            support: app.site.support.clone(),
            egress_addresses: user.map(|_| app.site.egress_addresses.clone()),
        }
    }

    /// `system`, `light` or `dark`; before sign-in always `system`.
    pub fn theme(&self) -> &'static str {
        self.person.as_ref().map_or("system", |person| person.theme)
    }

    /// Whether this user may make changes.
    pub fn can_change(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.can_change)
    }

    /// Whether to say under the h1 that this user has read access only.
    pub fn is_viewer(&self) -> bool {
        self.person.as_ref().is_some_and(|person| !person.can_change)
    }

    /// Prefix of the title after an action, such as `Saved – `, because screen readers read titles but not banners.
    pub fn title_prefix(&self) -> String {
        match &self.banner {
            Some(banner) if !banner.short.is_empty() => format!("{} – ", banner.short),
            _ => String::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub email: String,
    /// True for an Administrator; a Viewer has read access only.
    pub can_change: bool,
    /// `system`, `light` or `dark`.
    pub theme: &'static str,
}

impl Person {
    /// First letters of the first and the last word of the name, for places too narrow for the whole name.
    pub fn initials(&self) -> String {
        let mut words = self.name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
        let first = words.next().or_else(|| self.name.chars().next());
        first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Person;

    #[test]
    fn initials_are_the_first_letters_of_the_first_and_last_word() {
        let initials = |name: &str| {
            Person { name: name.into(), email: String::new(), can_change: true, theme: "system" }.initials()
        };
        assert_eq!(initials("Priya Shah"), "PS");
        assert_eq!(initials("ana maria (ruiz)"), "AR");
        assert_eq!(initials("Cher"), "C");
        assert_eq!(initials("محمد بن سلمان"), "مس");
        assert_eq!(initials("🍵"), "🍵");
        assert_eq!(initials(""), "");
    }
}
