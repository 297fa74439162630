//! The fields of a submitted form, for a page that offers to send it again.

use std::sync::{Arc, Mutex};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::error::Error;

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

/// The submitted form of a request, once it has been read; the extractor that fills it leaves secrets out.
#[derive(Clone, Debug, Default)]
pub struct FormStash(Arc<Mutex<Option<(ResubmitForm, bool)>>>);

impl FormStash {
    /// Stores the form, and whether its route renders it again from its fields.
    pub fn keep(&self, form: ResubmitForm, redraws: bool) {
        *self.0.lock().expect("the lock is not poisoned") = Some((form, redraws));
    }

    /// The stored form, if any.
    pub fn kept(&self) -> Option<ResubmitForm> {
        self.0.lock().expect("the lock is not poisoned").clone().map(|(form, _)| form)
    }

    /// The stored form, if its route renders it again from its fields.
    pub fn to_redraw(&self) -> Option<ResubmitForm> {
        self.0.lock().expect("the lock is not poisoned").clone().filter(|(_, redraws)| *redraws).map(|(form, _)| form)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FormStash {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
