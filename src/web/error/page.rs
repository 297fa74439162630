//! The pages of errors outside a form's own fields. They name no cause that an attacker could use.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Shell;

/// One page per error kind; [`Trouble::status`] is the response's status.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Has no user where none is known to be signed in.
    pub shell: Shell,
    pub problem: Trouble,
}

/// Which error the page describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    NotFound,
    /// A Viewer tried to make a change; the names of up to a few administrators.
    CannotChange {
        administrators: Vec<String>,
    },
    /// 400, 413 or 415.
    UnreadableForm {
        status: u16,
    },
    /// 400: a field held U+0000. Nothing that was typed is kept.
    NulInForm,
    NotPossible,
    TooManyRequests {
        seconds: u32,
    },
    /// 500.
    Ours {
        reference: String,
    },
    /// Status 503. For a POST: its address and what was typed, without secrets, to be sent again.
    Busy {
        again: Option<ResubmitForm>,
    },
    /// Status 403: the form token was too old. Holds what was typed, without secrets, and the form's address.
    OldForm {
        again: ResubmitForm,
    },
    /// Status 403: the browser sent back none of our cookies.
    NoCookies,
}

/// A form to be sent or loaded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResubmitForm {
    pub action: String,
    /// Names and values; the caller leaves out secrets and `csrf`.
    pub fields: Vec<(String, String)>,
    /// Whether the form had a secret field, which is left out of `fields`.
    pub had_secrets: bool,
}

impl ResubmitForm {
    /// Removes the `intent` of the button that sent the form, for a button that loads it.
    #[must_use]
    pub fn to_load(mut self) -> Self {
        self.fields.retain(|(name, _)| name != "intent");
        self
    }
}

impl Trouble {
    /// The status of the response.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::CannotChange { .. } | Self::OldForm { .. } | Self::NoCookies => 403,
            Self::UnreadableForm { status } => *status,
            Self::NulInForm => 400,
            Self::NotPossible => 405,
            Self::TooManyRequests { .. } => 429,
            Self::Ours { .. } => 500,
            Self::Busy { .. } => 503,
        }
    }

    fn title(&self, product: &str) -> String {
        match self {
            Self::NotFound => "Page not found".into(),
            Self::CannotChange { .. } => "You cannot change this".into(),
            Self::UnreadableForm { .. } => "We could not read that form".into(),
            Self::NulInForm => "A character cannot be saved".into(),
            Self::NotPossible => "That is not possible here".into(),
            Self::TooManyRequests { .. } => "Too many requests".into(),
            Self::Ours { .. } => format!("There is a problem with {product}"),
            Self::Busy { .. } => format!("{product} is busy"),
            Self::OldForm { .. } => "This page was open too long".into(),
            Self::NoCookies => "Your browser does not keep cookies".into(),
        }
    }
}

/// The response to a link from another site: reloads itself as a same-site request, so that the browser sends the
/// session cookie.
#[derive(Debug, Template)]
#[template(path = "opening.html")]
pub struct SameSiteReload {
    pub shell: Shell,
    /// The page that opens, such as "Northwind Tea", or the product's name.
    pub page: String,
    /// Path and query on this server, never a foreign address.
    pub to: String,
}
