//! The pages for everything that goes wrong outside of a form's own fields. They name no cause that a stranger could use.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Shell;

/// One page for each status; [`Trouble::status`] is the answer's status.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Without a person where nobody is known to be signed in.
    pub shell: Shell,
    pub problem: Trouble,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    NotFound,
    /// A Viewer wanted to change something; the names of up to a few administrators.
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
    /// 503. For a POST: where to, and what was typed but no secrets, to be sent again.
    Busy {
        again: Option<Again>,
    },
    /// 403: the form token was too old. What was typed but no secrets, and where the form stands.
    OldForm {
        again: Again,
    },
    /// 403: the browser sent back none of our cookies.
    NoCookies,
}

/// A form to be sent or loaded again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    pub action: String,
    /// Names and values; secrets and `csrf` left out by the caller.
    pub fields: Vec<(String, String)>,
    /// Whether the form had a field for a secret, which is not among them.
    pub had_secrets: bool,
}

impl Again {
    /// Without the button that sent it, for one that loads it.
    #[must_use]
    pub fn to_load(mut self) -> Self {
        self.fields.retain(|(name, _)| name != "intent");
        self
    }
}

impl Trouble {
    /// The status of the answer.
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

/// The answer to a link from another site: it loads itself again as the same site, so that the session counts.
#[derive(Debug, Template)]
#[template(path = "opening.html")]
pub struct Opening {
    pub shell: Shell,
    /// What is opened, such as "Northwind Tea", or the product's name.
    pub page: String,
    /// Path and query on this server: never a foreign address.
    pub to: String,
}
