//! The page behind a one-time link: the first administrator, an invited person, a new password.

use askama::Template;

use crate::web::fields::{Complaint, Field, Problem};
use crate::web::filters;
use crate::web::shell::Shell;

/// Posts `csrf`, `name`, `email`, `password` to its own address; GET changes nothing.
#[derive(Debug, Template)]
#[template(path = "set_up.html")]
pub struct SetUp {
    pub shell: Shell,
    /// The code of the link, as it stands in the URL.
    pub code: String,
    pub purpose: SetUpPurpose,
    pub name: Field,
    pub email: Field,
    /// Only its complaint: a typed password is never drawn.
    pub password: Option<Complaint>,
}

/// What the link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpPurpose {
    FirstAdministrator,
    /// The e-mail address is fixed.
    Invitation,
    /// Name and e-mail address are fixed.
    NewPassword,
}

impl SetUp {
    fn problems(&self) -> Vec<Problem> {
        let fields = [("name", &self.name.complaint), ("email", &self.email.complaint), ("password", &self.password)];
        Problem::list(&fields)
    }

    fn heading(&self) -> String {
        match self.purpose {
            SetUpPurpose::FirstAdministrator => format!("Set up {}", self.shell.product),
            SetUpPurpose::Invitation => format!("Join {}", self.shell.product),
            SetUpPurpose::NewPassword => "Choose a new password".into(),
        }
    }

    const fn button(&self) -> &'static str {
        match self.purpose {
            SetUpPurpose::FirstAdministrator => "Create my account",
            SetUpPurpose::Invitation => "Join",
            SetUpPurpose::NewPassword => "Save password",
        }
    }
}

/// The link was used or is too old (410), or somebody was faster (409).
#[derive(Debug, Template)]
#[template(path = "set_up_over.html")]
pub struct SetUpOver {
    pub shell: Shell,
    /// Somebody has set this up already: then the page leads to the sign-in.
    pub is_already_set_up: bool,
}
