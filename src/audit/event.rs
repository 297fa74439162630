//! The closed set of audit events. No variant has a field for a secret.
//!
//! A new event needs a variant here, its group in `event_group.rs`, and its words in `web::admin::activity::words`;
//! without them it does not compile. Fields may be added with `#[serde(default)]` but never renamed, because old rows
//! must stay readable.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// One field before and after a change, as text that a page may show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<S = &'static str> {
    pub field: S,
    pub before: String,
    pub after: String,
}

impl Change {
    /// A change of *Active* on a cart that stays off until its test passes.
    pub fn of_requested_active(was_ticked: bool) -> Self {
        let words = |is_ticked| if is_ticked { "On when the test passes" } else { "Off" }.to_owned();
        Self { field: "Active", before: words(was_ticked), after: words(!was_ticked) }
    }
}

/// An audit event. `S` is the type of fixed strings: `&'static str` when an event is written, `String` when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<S = &'static str> {
    SignedIn,
    /// `account` is the address of an existing account. An address without an account may be a mistyped password, so it
    /// is not stored; `digest` distinguishes several such addresses.
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
    /// A Viewer requested a page for administrators; `page` is its path with `…` for each ID.
    WasRefused {
        page: String,
    },
    /// A signed-in user entered a wrong password at a password confirmation.
    CouldNotConfirm,
    PasswordChanged,
    DetailsChanged {
        changes: Vec<Change<S>>,
    },
    /// The user ended their other sessions, but not the current one.
    SignedOutOthers {
        browsers: u64,
    },
    UserInvited {
        person: String,
        email: String,
        role: S,
    },
    /// An invited user chose a password.
    UserJoined,
    SignInLinkMade {
        person: String,
        /// The user's address, because users choose their own names. Missing in old rows.
        #[serde(default)]
        email: Option<String>,
    },
    RoleChanged {
        person: String,
        #[serde(default)]
        email: Option<String>,
        /// The previous role; missing in old rows.
        before: Option<S>,
        role: S,
    },
    /// Another user ended all of this user's sessions.
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
        /// The generation of the cart's secret from this event on; missing in old rows. Here and below,
        /// [`crate::carts::verify_generations`] compares it with the cart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i64>,
    },
    CartChanged {
        changes: Vec<Change<S>>,
    },
    /// Follows the change itself; `of` is the user whose save was overwritten.
    CartOverwritten {
        of: String,
    },
    /// A bulk action on many carts; each cart has its own event as well.
    BulkStarted {
        kind: S,
        carts: i32,
    },
    BulkCancelled,
    CartTurnedOn,
    CartTurnedOff,
    /// `ending`: the last four characters, if the secret is long enough to show them.
    CredentialReplaced {
        kind: S,
        ending: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i64>,
    },
    CartDisconnected {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i64>,
    },
    CartDeleted {
        store: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i64>,
    },
    Tested {
        store: String,
        class: S,
        title: String,
        /// The ID of the test, whose page exists as long as its cart.
        #[serde(default)]
        test: Option<uuid::Uuid>,
    },
    SecretUnreadable,
    /// `secrets` is the number of secrets now sealed under a new key.
    EncryptionKeyRotated {
        secrets: i64,
        /// The format that every secret had at the end of the rotation; missing if some had another, and in old rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<u8>,
    },
    /// `secrets` is the number of secrets that users must enter again.
    EncryptionKeyForgotten {
        key: String,
        secrets: i64,
    },
    /// Found by a health check, not reported by a user.
    CartNeedsAttention {
        class: S,
        title: String,
    },
    CartNotConnected {
        class: S,
        title: String,
    },
    /// `class` and `title` describe the problem that ended.
    CartRecovered {
        class: S,
        title: String,
        lasted_seconds: i64,
    },
    TokenRenewed,
    TokenNotRenewed {
        class: S,
        /// Shopify's error code, such as `invalid_client`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_name: Option<String>,
    },
    /// A program got the token of a cart. Written before the token leaves, once per program, cart and minute.
    TokenHandedOut,
    /// The program got it more often in that minute. Written when the minute is over.
    TokenHandedOutAgain {
        times: i64,
        /// Start of the minute.
        #[serde(with = "time::serde::rfc3339")]
        minute: time::OffsetDateTime,
    },
    /// A program reported that the store refused a token.
    TokenRefusalReported {
        status: u16,
        /// Shopify's request ID, as the program reported it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
        /// Whether it was the cart's newest token.
        is_current: bool,
    },
    AlertsChanged {
        changes: Vec<Change<S>>,
    },
    /// Sent by e-mail, or as a test alert by e-mail or webhook.
    AlertSent {
        addresses: usize,
    },
    AlertNotDelivered,
    /// A program may use the API with this key. `name` is the name of the key, `ending` its last four characters.
    ApiKeyMade {
        name: String,
        ending: String,
        changes: Vec<Change<S>>,
    },
    /// A second key with the same name was made; the first one works until it is revoked or ends.
    ApiKeyRotated {
        name: String,
        ending: String,
        changes: Vec<Change<S>>,
    },
    ApiKeyRevoked {
        name: String,
        ending: String,
    },
    /// A month of the audit log exceeded the retention period and was dropped. Written by the database function that
    /// drops it.
    ActivityMonthDropped {
        /// The month as `YYYY-MM`.
        month: String,
        rows: i64,
        /// The head of the hash chain before the drop.
        head: String,
    },
}

impl<S: Serialize> Event<S> {
    /// The stored form: the name of the event, and its fields as JSON.
    pub(super) fn parts(&self) -> (String, Value) {
        let mut data = serde_json::to_value(self).expect("events are plain data");
        let tag = data.as_object_mut().and_then(|fields| fields.remove("event"));
        let name = tag.and_then(|tag| tag.as_str().map(str::to_owned)).expect("every event has its tag");
        (name, data)
    }
}

impl<S: DeserializeOwned> Event<S> {
    /// Parses the event of a stored row; `None` if a newer version wrote an event that this version does not know.
    pub(super) fn from_parts(name: &str, data: &Value) -> Option<Self> {
        let mut whole = data.as_object().cloned().unwrap_or_default();
        whole.insert("event".into(), name.into());
        serde_json::from_value(Value::Object(whole)).ok()
    }
}

/// The stored names of all events, for tests that must cover each of them.
#[cfg(test)]
pub(crate) fn names() -> Vec<String> {
    let refused = serde_json::from_value::<Event<String>>(serde_json::json!({ "event": "?" })).expect_err("no event");
    let told = refused.to_string();
    let names: Vec<String> = told.split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(names.len() >= 20, "serde lists the variants in its error: {told}");
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_round_trips() {
        let written = Event::CartChanged {
            changes: vec![Change { field: "Website Name", before: "Old".into(), after: "New".into() }],
        };
        let (name, data) = written.parts();
        let read = Event::<String>::from_parts(&name, &data).expect("an event");
        assert_eq!(read.parts(), written.parts());
        assert_eq!(Event::<String>::from_parts("signed_in", &Value::Null), Some(Event::SignedIn));
    }

    #[test]
    fn rows_of_older_and_newer_versions_are_read() {
        let data = serde_json::json!({ "store": "a", "class": "CONNECTED", "title": "Connected to A", "later": 1 });
        let read = Event::<String>::from_parts("tested", &data);
        assert!(matches!(read, Some(Event::Tested { test: None, .. })), "{read:?}");
        assert_eq!(Event::<String>::from_parts("cart_frobbed", &data), None);
        assert_eq!(Event::<String>::from_parts("tested", &Value::Null), None);
    }
}
