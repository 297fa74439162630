//! The closed set of what can happen. No variant has a place for a secret.
//!
//! A new event is one variant here, its group in `what.rs`, and its words in `web::admin::activity::words`: without them it does
//! not compile. Fields may be added with `#[serde(default)]`, never renamed: what was written years ago must still be read.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// One field before and after; both are text that a page may show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<S = &'static str> {
    pub field: S,
    pub before: String,
    pub after: String,
}

impl Change {
    /// *Active* was ticked or unticked on a cart that cannot be on before its test passes.
    pub fn of_wish(was_ticked: bool) -> Self {
        let words = |is_ticked| if is_ticked { "On when the test passes" } else { "Off" }.to_owned();
        Self { field: "Active", before: words(was_ticked), after: words(!was_ticked) }
    }
}

/// `S` holds the words of ours: a literal when an event is written, a `String` when it is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<S = &'static str> {
    SignedIn,
    /// `account` is the address of an account. Where nobody has the address that was typed, it is not kept: it may be a
    /// password. `digest` tells several such addresses apart.
    CouldNotSignIn {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<String>,
    },
    SignedOut,
    UserAdded {
        email: String,
        role: S,
    },
    SetUpLinkMade,
    /// A Viewer wanted a page of an administrator's; `page` is its path with `…` for each id.
    WasRefused {
        page: String,
    },
    /// Somebody signed in typed another password than theirs where it is asked for again.
    CouldNotConfirm,
    PasswordChanged,
    DetailsChanged {
        changes: Vec<Change<S>>,
    },
    /// One's own browsers, but not the one in hand.
    SignedOutOthers {
        browsers: u64,
    },
    UserInvited {
        person: String,
        email: String,
        role: S,
    },
    /// Somebody who was invited chose a password.
    UserJoined,
    SignInLinkMade {
        person: String,
        /// Their address: a name is chosen by its owner. Not in old rows.
        #[serde(default)]
        email: Option<String>,
    },
    RoleChanged {
        person: String,
        #[serde(default)]
        email: Option<String>,
        /// The role before; not in old rows.
        before: Option<S>,
        role: S,
    },
    /// Everywhere, by somebody else.
    UserSignedOut {
        person: String,
        #[serde(default)]
        email: Option<String>,
        browsers: u64,
    },
    UserTurnedOff {
        person: String,
        #[serde(default)]
        email: Option<String>,
    },
    UserTurnedOn {
        person: String,
        #[serde(default)]
        email: Option<String>,
    },
    IntegrationTurnedOn,
    IntegrationTurnedOff,
    CartAdded {
        store: String,
        status: S,
    },
    CartChanged {
        changes: Vec<Change<S>>,
    },
    /// Follows the change itself; `of` is who had saved meanwhile.
    CartOverwritten {
        of: String,
    },
    /// One deed for many carts; each has its own line as well.
    BulkStarted {
        kind: S,
        carts: i32,
    },
    BulkCancelled,
    CartTurnedOn,
    CartTurnedOff,
    /// `ending`: the last four characters, where the secret is long enough to show them.
    CredentialReplaced {
        kind: S,
        ending: Option<String>,
    },
    CartDisconnected,
    CartDeleted {
        store: String,
    },
    Tested {
        store: String,
        class: S,
        title: String,
        /// The test's own page, while its cart is there.
        #[serde(default)]
        test: Option<uuid::Uuid>,
    },
    SecretUnreadable,
    /// So many secrets now rest under a new key.
    EncryptionKeyRotated {
        secrets: i64,
    },
    /// So many secrets ask to be entered again.
    EncryptionKeyForgotten {
        key: String,
        secrets: i64,
    },
    /// Told of by nobody: a check found it.
    CartNeedsAttention {
        class: S,
        title: String,
    },
    CartNotConnected {
        class: S,
        title: String,
    },
    /// `class` and `title` are of what ended.
    CartRecovered {
        class: S,
        title: String,
        lasted_seconds: i64,
    },
    TokenRenewed,
    TokenNotRenewed {
        class: S,
        /// Shopify's name for the reason, such as `invalid_client`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_name: Option<String>,
    },
    AlertsChanged {
        changes: Vec<Change<S>>,
    },
    /// By mail, or as a trial by either way.
    AlertSent {
        addresses: usize,
    },
    AlertNotDelivered,
    /// A month of the activity was older than what is kept. Written by the database's function that drops it.
    ActivityMonthDropped {
        /// Such as `2024-10`.
        month: String,
        rows: i64,
        /// The head of the hash chain before.
        head: String,
    },
}

impl<S: Serialize> Event<S> {
    /// The stored form: the tag on its own, the rest as data.
    pub(super) fn parts(&self) -> (String, Value) {
        let mut data = serde_json::to_value(self).expect("events are plain data");
        let tag = data.as_object_mut().and_then(|fields| fields.remove("event"));
        let name = tag.and_then(|tag| tag.as_str().map(str::to_owned)).expect("every event has its tag");
        (name, data)
    }
}

impl<S: DeserializeOwned> Event<S> {
    /// The event of a stored row; `None` where a newer version wrote what this one does not know.
    pub(super) fn from_parts(name: &str, data: &Value) -> Option<Self> {
        let mut whole = data.as_object().cloned().unwrap_or_default();
        whole.insert("event".into(), name.into());
        serde_json::from_value(Value::Object(whole)).ok()
    }
}

/// The names of all events as they are stored, for tests that must not forget one.
#[cfg(test)]
pub(crate) fn names() -> Vec<String> {
    let refused = serde_json::from_value::<Event<String>>(serde_json::json!({ "event": "?" })).expect_err("no event");
    let told = refused.to_string();
    let names: Vec<String> = told.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(names.len() >= 20, "serde names the variants in its refusal: {told}");
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let written = Event::CartChanged {
            changes: vec![Change { field: "Website Name", before: "Old".into(), after: "New".into() }],
        };
        let (name, data) = written.parts();
        let read = Event::<String>::from_parts(&name, &data).expect("an event");
        assert_eq!(read.parts(), written.parts());
        assert_eq!(Event::<String>::from_parts("signed_in", &Value::Null), Some(Event::SignedIn));
    }

    #[test]
    fn a_row_of_an_older_version_lacks_a_field_and_one_of_a_newer_has_more() {
        let data = serde_json::json!({ "store": "a", "class": "CONNECTED", "title": "Connected to A", "later": 1 });
        let read = Event::<String>::from_parts("tested", &data);
        assert!(matches!(read, Some(Event::Tested { test: None, .. })), "{read:?}");
        assert_eq!(Event::<String>::from_parts("cart_frobbed", &data), None);
        assert_eq!(Event::<String>::from_parts("tested", &Value::Null), None);
    }
}
