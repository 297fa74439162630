//! The closed set of what can happen. No variant has a place for a secret.

use serde::Serialize;

/// One field before and after; both are text that a page may show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub field: &'static str,
    pub before: String,
    pub after: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    SignedIn,
    CouldNotSignIn {
        email: String,
    },
    SignedOut,
    UserAdded {
        email: String,
        role: &'static str,
    },
    SetUpLinkMade,
    IntegrationTurnedOn,
    IntegrationTurnedOff,
    CartAdded {
        store: String,
        status: &'static str,
    },
    CartChanged {
        changes: Vec<Change>,
    },
    /// Somebody saw another person's changes and saved over them.
    CartOverwritten {
        of: String,
    },
    /// One deed for many carts; each has its own line as well.
    BulkStarted {
        kind: &'static str,
        carts: i32,
    },
    BulkCancelled,
    CartTurnedOn,
    CartTurnedOff,
    /// `ending`: the last four characters, where the secret is long enough to show them.
    CredentialReplaced {
        kind: &'static str,
        ending: Option<String>,
    },
    CartDisconnected,
    CartDeleted {
        store: String,
    },
    Tested {
        store: String,
        class: &'static str,
        title: String,
    },
    SecretUnreadable,
    TokenRenewed,
    TokenNotRenewed {
        class: &'static str,
    },
}

impl Event {
    /// The stored form: the tag on its own, the rest as data.
    pub(super) fn parts(&self) -> (String, serde_json::Value) {
        let mut data = serde_json::to_value(self).expect("events are plain data");
        let tag = data.as_object_mut().and_then(|fields| fields.remove("event"));
        let name = tag.and_then(|tag| tag.as_str().map(str::to_owned)).expect("every event has its tag");
        (name, data)
    }
}
