//! The page on which a person signs in, and the notes that lead there: signed out, idle, expired.

use askama::Template;

use crate::web::fields::{Complaint, Field, Problem};
use crate::web::filters;
use crate::web::shell::Shell;

/// Posts `csrf`, `return_to`, `email`, `password` to `/sign-in`.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    pub shell: Shell,
    /// Path and query to return to; empty for the Admin home.
    pub return_to: String,
    pub note: Option<SignInNote>,
    pub email: Field,
    /// Only its complaint: a typed password is never drawn.
    pub password: Option<Complaint>,
    /// Stands alone in the summary, such as "Check your email address and password. One of them is not right." or a limit.
    pub refused: Option<String>,
}

/// Why a person sees this page without having asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNote {
    /// After Sign out.
    SignedOut,
    /// 30 minutes without activity.
    Idle,
    /// 12 hours after the sign-in.
    Expired,
}

impl SignIn {
    fn problems(&self) -> Vec<Problem> {
        if let Some(sentence) = &self.refused {
            return vec![Problem { field: "email", sentence: sentence.clone() }];
        }
        Problem::list(&[("email", &self.email.complaint), ("password", &self.password)])
    }
}
