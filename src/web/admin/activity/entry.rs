//! An activity entry as a user reads it: one line, and under *Details* what changed, where the request came from, and
//! our reference.

use serde_json::Value;
use time::{Date, OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::words;
use crate::{
    audit::{AuditEvent, AuditRecord, Event},
    direction::bidi_isolate_len,
    platforms::CredentialKind,
    web::admin::filters,
};

/// One line with its details. Every text is encoded, so that a name with a line feed or a terminal escape sequence
/// stays one line of text.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: OffsetDateTime,
    pub person: String,
    /// The user's e-mail address, since users choose their own name.
    pub email: Option<String>,
    pub sentence: String,
    pub changes: Vec<EntryRow>,
    /// Names and values listed after the changes.
    pub facts: Vec<(String, String)>,
    pub cart: Option<(Uuid, String)>,
    /// The connection test that the line is about.
    pub test: Option<Uuid>,
}

/// A field's value before and after. A secret is "Changed", never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    pub field: String,
    pub before: String,
    pub after: String,
}

impl Entry {
    pub fn of(row: &AuditRecord, product: &str) -> Self {
        let cart = row.cart.as_ref().map(|cart| cart.name.as_str());
        let (sentence, changes, mut facts, test) = match &row.event {
            AuditEvent::Known(event) => (words::words(event, cart), changes(event), facts(event), test(event)),
            AuditEvent::Unknown { name, data } => (words::unknown(name, cart), Vec::new(), data_rows(data), None),
        };
        let origin = [("Reference", &row.request_id), ("IP address", &row.ip), ("Browser", &row.user_agent)];
        facts.push(("Time".into(), date_time_with_seconds(row.at)));
        facts.extend(origin.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
        Self {
            at: row.at.to_offset(UtcOffset::UTC),
            person: actor_name(&row.actor_kind, &row.actor_name, product),
            email: row.actor_email.as_deref().map(encoded),
            sentence: encoded(&sentence),
            changes: changes
                .into_iter()
                .map(|(field, before, after)| EntryRow {
                    field: encoded(&field),
                    before: encoded(&before),
                    after: encoded(&after),
                })
                .collect(),
            facts: facts.into_iter().map(|(name, value)| (encoded(&name), encoded(&value))).collect(),
            cart: row.cart.as_ref().map(|cart| (cart.id, encoded(&cart.name))),
            test,
        }
    }

    pub fn day(&self) -> Date {
        self.at.date()
    }

    /// The time of day in UTC, such as "19:31".
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.at.hour(), self.at.minute())
    }

    /// The time with seconds, for `datetime` attributes and the download.
    pub fn iso(&self) -> String {
        let at = self.at;
        format!("{}T{:02}:{:02}:{:02}Z", at.date(), at.hour(), at.minute(), at.second())
    }
}

/// An actor's name as text. That of a program says that it is none of a user, because keys are named freely.
pub(super) fn actor_name(kind: &str, name: &str, product: &str) -> String {
    match kind {
        "system" => encoded(product),
        "program" => format!("{} (API key)", encoded(name)),
        _ => encoded(name),
    }
}

/// What the event changed, before and after. No wildcard arm: a new event must say here what it changes.
fn changes(event: &Event<String>) -> Vec<(String, String, String)> {
    let one = |field: &str, before: &str, after: &str| vec![(field.to_owned(), before.to_owned(), after.to_owned())];
    match event {
        Event::CartChanged { changes }
        | Event::DetailsChanged { changes }
        | Event::AlertsChanged { changes }
        | Event::ApiKeyMade { changes, .. }
        | Event::ApiKeyRotated { changes, .. } => {
            let row = |change: &crate::audit::Change<String>| {
                (change.field.clone(), change.before.clone(), change.after.clone())
            };
            changes.iter().map(row).collect()
        }
        Event::CartTurnedOn | Event::IntegrationTurnedOn => one("Active", "Off", "On"),
        Event::CartTurnedOff | Event::IntegrationTurnedOff => one("Active", "On", "Off"),
        Event::CredentialReplaced { kind, .. } => {
            one(CredentialKind::parse(kind).map_or("Credential", CredentialKind::label), "–", "Changed")
        }
        Event::CartDisconnected { .. } => one("Credential", "Saved", "None"),
        Event::PasswordChanged => one("Password", "–", "Changed"),
        Event::RoleChanged { before, role, .. } => {
            one("Role", before.as_deref().map_or("–", words::role_label), words::role_label(role))
        }
        Event::ApiKeyRevoked { .. } => one("Key", "Works", "Revoked"),
        Event::UserTurnedOff { .. } => one("Account", "On", "Off"),
        Event::UserTurnedOn { .. } => one("Account", "Off", "On"),
        // Something started or ended, or nothing was changed: the sentence and the facts say all of it.
        Event::SignedIn
        | Event::CouldNotSignIn { .. }
        | Event::SignedOut
        | Event::UserAdded { .. }
        | Event::SetUpLinkMade
        | Event::WasRefused { .. }
        | Event::CouldNotConfirm
        | Event::SignedOutOthers { .. }
        | Event::UserInvited { .. }
        | Event::UserJoined
        | Event::SignInLinkMade { .. }
        | Event::UserSignedOut { .. }
        | Event::CartAdded { .. }
        | Event::CartOverwritten { .. }
        | Event::BulkStarted { .. }
        | Event::BulkCancelled
        | Event::CartDeleted { .. }
        | Event::Tested { .. }
        | Event::SecretUnreadable
        | Event::EncryptionKeyRotated { .. }
        | Event::EncryptionKeyForgotten { .. }
        | Event::CartNeedsAttention { .. }
        | Event::CartNotConnected { .. }
        | Event::CartRecovered { .. }
        | Event::TokenRenewed
        | Event::TokenNotRenewed { .. }
        | Event::TokenHandedOut
        | Event::TokenHandedOutAgain { .. }
        | Event::TokenRefusalReported { .. }
        | Event::AlertSent { .. }
        | Event::AlertNotDelivered
        | Event::ActivityMonthDropped { .. } => Vec::new(),
    }
}

fn facts(event: &Event<String>) -> Vec<(String, String)> {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match event {
        Event::CartAdded { store, .. } | Event::CartDeleted { store, .. } => vec![fact("Store", store)],
        Event::Tested { store, class, .. } => vec![fact("Store", store), fact("Result", class)],
        Event::CouldNotSignIn { digest: Some(digest), .. } => vec![fact("Digest of the address", digest)],
        Event::TokenNotRenewed { class, error_name } => {
            let said = error_name.as_deref().map(|name| fact("Shopify's reason", name));
            std::iter::once(fact("Result", class)).chain(said).collect()
        }
        Event::TokenRefusalReported { request: Some(request), .. } => vec![fact("Shopify's request", request)],
        Event::ActivityMonthDropped { head, .. } => vec![fact("Head of the hash chain before", head)],
        Event::UserInvited { role, .. } => vec![fact("Role", words::role_label(role))],
        _ => Vec::new(),
    }
}

const fn test(event: &Event<String>) -> Option<Uuid> {
    match event {
        Event::Tested { test, .. } => *test,
        _ => None,
    }
}

/// The data of an event that a newer version recorded, field by field.
fn data_rows(data: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    data.as_object().into_iter().flatten().map(|(name, value)| (name.replace('_', " "), text(value))).collect()
}

/// "23 November 2026, 19:31:07 UTC".
fn date_time_with_seconds(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{}, {:02}:{:02}:{:02} UTC", filters::date(at), at.hour(), at.minute(), at.second())
}

/// Escapes line feeds, terminal sequences and bidirectional control characters, as in `\u{1b}`. Only a name that is
/// isolated from end to end keeps its two isolation marks, since they contain any change of direction.
pub fn encoded(text: &str) -> String {
    let bends = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let whole = bidi_isolate_len(rest).unwrap_or(letter.len_utf8());
        if whole == letter.len_utf8() && bends(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push_str(&rest[..whole]);
        }
        rest = &rest[whole..];
    }
    shown
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::audit::CartRef;

    fn row(event: AuditEvent) -> AuditRecord {
        AuditRecord {
            id: Uuid::nil(),
            at: datetime!(2026-11-23 20:31:07 +01:00),
            actor_kind: "system".into(),
            actor_name: "System".into(),
            actor_email: None,
            event,
            cart: Some(CartRef { id: Uuid::nil(), name: "Tea\n\u{1b}[31mred\u{202e}".into() }),
            request_id: Some("0198f3".into()),
            ip: None,
            user_agent: None,
        }
    }

    #[test]
    fn control_characters_in_a_name_are_escaped() {
        let entry = Entry::of(&row(AuditEvent::Known(Event::CartTurnedOn)), "Order Time");
        assert_eq!(entry.person, "Order Time");
        assert_eq!(entry.sentence, "Turned on Tea\\u{a}\\u{1b}[31mred\\u{202e}");
        assert_eq!((entry.clock().as_str(), entry.iso().as_str()), ("19:31", "2026-11-23T19:31:07Z"));
        assert_eq!(encoded("Zoë’s 茶 “shop” – é"), "Zoë’s 茶 “shop” – é");
    }

    #[test]
    fn right_to_left_name_is_isolated() {
        let mut named = row(AuditEvent::Known(Event::CartOverwritten { of: "\u{202e}دينا".into() }));
        named.cart = Some(CartRef { id: Uuid::nil(), name: "2026 متجر".into() });
        let entry = Entry::of(&named, "Order Time");
        assert_eq!(entry.sentence, "Saved over \u{2068}دينا\u{2069}'s changes to \u{2068}2026 متجر\u{2069}");
        assert_eq!(
            encoded("a\u{2068}b\u{202e}c\u{2069}"),
            "a\\u{2068}b\\u{202e}c\\u{2069}",
            "isolation marks around an override are escaped"
        );
    }

    #[test]
    fn user_and_alert_changes_show_before_and_after() {
        let change = || crate::audit::Change { field: "Name".to_owned(), before: "Ada".into(), after: "Eve".into() };
        let (person, email) = (|| "Sam Lee".to_owned(), || Some("sam@northwind.example".to_owned()));
        let role = |before: Option<&str>| Event::RoleChanged {
            person: person(),
            email: email(),
            before: before.map(str::to_owned),
            role: "administrator".into(),
        };
        for (event, field, before, after) in [
            (Event::DetailsChanged { changes: vec![change()] }, "Name", "Ada", "Eve"),
            (Event::AlertsChanged { changes: vec![change()] }, "Name", "Ada", "Eve"),
            (role(Some("viewer")), "Role", "Viewer", "Administrator"),
            (role(None), "Role", "–", "Administrator"),
            (Event::UserTurnedOff { person: person(), email: email() }, "Account", "On", "Off"),
            (Event::UserTurnedOn { person: person(), email: email() }, "Account", "Off", "On"),
            (Event::PasswordChanged, "Password", "–", "Changed"),
            (Event::CartDisconnected { generation: None }, "Credential", "Saved", "None"),
        ] {
            let entry = Entry::of(&row(AuditEvent::Known(event)), "Order Time");
            let expected = EntryRow { field: field.into(), before: before.into(), after: after.into() };
            assert_eq!(entry.changes, [expected], "{}", entry.sentence);
        }
    }

    #[test]
    fn secret_is_never_shown_and_unknown_event_lists_its_data() {
        let replaced =
            Event::CredentialReplaced { kind: "access_token".into(), ending: Some("77ab".into()), generation: Some(3) };
        let entry = Entry::of(&row(AuditEvent::Known(replaced)), "Order Time");
        let changed = EntryRow { field: "Access Token".into(), before: "–".into(), after: "Changed".into() };
        assert_eq!(entry.changes, [changed]);
        let unknown = AuditEvent::Unknown {
            name: "cart_frobbed".into(),
            data: serde_json::json!({ "how_often": 2, "by": "hand" }),
        };
        let entry = Entry::of(&row(unknown), "Order Time");
        assert!(entry.sentence.starts_with("Did something that a newer version recorded: cart frobbed"));
        assert!(entry.facts.contains(&("how often".into(), "2".into())), "{:?}", entry.facts);
        assert!(entry.facts.contains(&("by".into(), "hand".into())), "{:?}", entry.facts);
    }
}
