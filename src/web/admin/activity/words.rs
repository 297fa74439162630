//! One sentence per event. It follows the user's name, so it starts with a verb in the past tense. The match has no
//! wildcard: an event without a sentence does not compile. A new event is one line here.

use crate::{
    audit::{Change, Event},
    causes::{Class, TitleContext, Verdict},
    clock::lasted,
    direction::bidi_isolate,
    platforms::CredentialKind,
};

/// The sentence. `cart` is the cart's name at that time, `None` if the event is not about a cart.
pub fn words(event: &Event<String>, cart: Option<&str>) -> String {
    let cart = cart.map(bidi_isolate);
    let saved = cart.as_deref().unwrap_or("a cart");
    match event {
        Event::CartAdded { status, .. } if status == "draft" => format!("Added {saved} as a draft"),
        Event::CartAdded { .. } => format!("Added {saved}"),
        Event::CartChanged { changes } => format!("Changed {} of {saved}", fields(changes)),
        Event::CartOverwritten { of } => format!("Saved over {}'s changes to {saved}", bidi_isolate(of)),
        Event::CartTurnedOn => format!("Turned on {saved}"),
        Event::CartTurnedOff => format!("Turned off {saved}"),
        Event::CredentialReplaced { kind, ending, .. } => {
            format!("Replaced the {} of {saved}{}", credential(kind), ends(ending.as_deref()))
        }
        Event::BulkStarted { kind, carts } => {
            let action = if kind == "test" { "test" } else { "turn off" };
            format!("Started to {action} {}", count(*carts, "cart"))
        }
        Event::BulkCancelled => "Stopped a bulk action".into(),
        Event::CartDisconnected { .. } => format!("Disconnected {saved}"),
        Event::CartDeleted { .. } => format!("Deleted {saved}"),

        Event::Tested { title, .. } => {
            format!("Tested {}: {}", cart.as_deref().unwrap_or("a store that is not saved"), on(title))
        }
        Event::CartNeedsAttention { title, .. } => format!("{saved} needs attention: {}", on(title)),
        Event::CartNotConnected { title, .. } => format!("{saved} is not connected: {}", on(title)),
        Event::CartRecovered { lasted_seconds, .. } => {
            format!("{saved} is connected again after {}", lasted(time::Duration::seconds(*lasted_seconds)))
        }
        Event::TokenRenewed => format!("Renewed the token of {saved}"),
        Event::TokenNotRenewed { class, error_name } => {
            format!("Could not renew the token of {saved}: {}", on(&title_of(class, error_name.as_ref())))
        }
        Event::TokenHandedOut => format!("Got the token of {saved}"),
        Event::TokenHandedOutAgain { times, .. } => {
            format!("Got the token of {saved} {} in the same minute", count_more(*times))
        }
        Event::TokenRefusalReported { status, is_current, .. } => {
            let which = if *is_current { "the token" } else { "an older token" };
            format!("Reported that the store refused {which} of {saved} (status {status})")
        }
        Event::SecretUnreadable => format!("Could not read the secret of {saved}"),

        Event::IntegrationTurnedOn => "Turned on Ecommerce Integration".into(),
        Event::IntegrationTurnedOff => "Turned off Ecommerce Integration".into(),

        Event::AlertsChanged { .. } => "Changed the alert settings".into(),
        Event::AlertSent { addresses } => format!("Sent an alert to {}", count_of(*addresses)),
        Event::AlertNotDelivered => "Could not deliver an alert to the webhook".into(),

        Event::SignedIn => "Signed in".into(),
        Event::CouldNotSignIn { account: Some(account), .. } => {
            format!("Could not sign in ({})", bidi_isolate(account))
        }
        Event::CouldNotSignIn { account: None, .. } => "Could not sign in (unknown address)".into(),
        Event::SignedOut => "Signed out".into(),
        Event::UserAdded { email, role } => format!("Made {} {}", bidi_isolate(email), role_of(role)),
        Event::SetUpLinkMade => "Made a set-up link".into(),
        Event::CouldNotConfirm => "Could not confirm their password".into(),
        Event::PasswordChanged => "Changed their password".into(),
        Event::DetailsChanged { changes } => format!("Changed their {}", fields(changes)),
        Event::SignedOutOthers { browsers } => format!("Signed out {}", count(*browsers, "other browser")),
        Event::UserInvited { person, email, .. } => format!("Invited {}", named(person, Some(email))),
        Event::UserJoined => "Joined".into(),
        Event::SignInLinkMade { person, email } => {
            format!("Made a new sign-in link for {}", named(person, email.as_deref()))
        }
        Event::RoleChanged { person, email, role, .. } => {
            format!("Made {} {}", named(person, email.as_deref()), role_of(role))
        }
        Event::UserSignedOut { person, email, browsers } => {
            format!("Signed out {} everywhere: {}", named(person, email.as_deref()), count(*browsers, "browser"))
        }
        Event::UserTurnedOff { person, email } => format!("Turned off {}", named(person, email.as_deref())),
        Event::UserTurnedOn { person, email } => format!("Turned on {}", named(person, email.as_deref())),
        Event::ActivityMonthDropped { month, rows, .. } => {
            format!("Dropped the activity of {month} ({})", count(*rows, "row"))
        }
        Event::ApiKeyMade { name, ending, .. } => {
            format!("Made the API key {}{}", bidi_isolate(name), ends(Some(ending)))
        }
        Event::ApiKeyRotated { name, ending, .. } => {
            format!("Made a second API key {}{}", bidi_isolate(name), ends(Some(ending)))
        }
        Event::ApiKeyRevoked { name, ending } => {
            format!("Revoked the API key {}{}", bidi_isolate(name), ends(Some(ending)))
        }
        Event::WasRefused { page } => format!("Was refused {page}"),
        Event::EncryptionKeyRotated { secrets, .. } => {
            format!("Rotated the encryption key ({})", count(*secrets, "secret"))
        }
        Event::EncryptionKeyForgotten { key, secrets } => {
            format!("Forgot the encryption key {key} ({})", count(*secrets, "secret"))
        }
    }
}

/// The sentence for an event that only a newer version knows.
pub fn unknown(name: &str, cart: Option<&str>) -> String {
    let of = cart.map(|cart| format!(" ({})", bidi_isolate(cart))).unwrap_or_default();
    format!("Did something that a newer version recorded: {}{of}", name.replace('_', " "))
}

/// "Sam Lee (sam@northwind.example)": users choose their own name, the address identifies them.
fn named(person: &str, email: Option<&str>) -> String {
    let email = email.map(|email| format!(" ({})", bidi_isolate(email))).unwrap_or_default();
    format!("{}{email}", bidi_isolate(person))
}

fn count_of(addresses: usize) -> String {
    if addresses == 1 { "1 address".into() } else { format!("{addresses} addresses") }
}

/// "once more", "12 more times".
fn count_more(times: i64) -> String {
    if times == 1 { "once more".into() } else { format!("{times} more times") }
}

/// "1 secret", "12 secrets".
fn count(n: impl Into<i128>, one: &str) -> String {
    let n: i128 = n.into();
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// "Website Name", "Website Name and API URL", "A, B and C".
fn fields(changes: &[Change<String>]) -> String {
    let names: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    match &names[..] {
        [] => "nothing".into(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn credential(kind: &str) -> &'static str {
    CredentialKind::parse(kind).map_or("credential", CredentialKind::noun)
}

fn ends(ending: Option<&str>) -> String {
    ending.map(|ending| format!(" (ends in {ending})")).unwrap_or_default()
}

/// A role as the user's page names it.
pub(super) fn role_label(role: &str) -> &'static str {
    if role == "administrator" { "Administrator" } else { "Viewer" }
}

fn role_of(role: &str) -> &'static str {
    if role == "administrator" { "an Administrator" } else { "a Viewer" }
}

/// Lower-cases the first letter of a title after a colon; a name keeps its own.
pub(super) fn on(title: &str) -> String {
    let mut letters = title.chars();
    match letters.next() {
        Some(first) if !title.starts_with("Shopify") => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}

/// The title of a class if only its name is known.
fn title_of(class: &str, error_name: Option<&String>) -> String {
    let naming = TitleContext { host: "the store", credential: CredentialKind::ClientCredentials.noun() };
    let verdict = |class| Verdict { error_name: error_name.cloned(), ..Verdict::of(class) };
    Class::from_stored(class).map_or_else(|| class.to_owned(), |class| verdict(class).title(&naming))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::event::names;

    /// Every event with its sentence, as specified in `experience.md`.
    #[expect(clippy::too_many_lines, reason = "a table is as long as what it lists")]
    fn said() -> Vec<(Event<String>, Option<&'static str>, &'static str)> {
        let tea = Some("Northwind Tea");
        let change = |field: &str| Change { field: field.to_owned(), before: "a".into(), after: "b".into() };
        let sam = || "Sam Lee".to_owned();
        let store = || "northwind-tea.myshopify.com".to_owned();
        let tested =
            |title: &str| Event::Tested { store: store(), class: "CONNECTED".into(), title: title.into(), test: None };
        let replaced = |kind: &str, ending: Option<&str>| Event::CredentialReplaced {
            kind: kind.into(),
            ending: ending.map(Into::into),
            generation: None,
        };
        let again = |times| Event::TokenHandedOutAgain { times, minute: time::macros::datetime!(2026-11-21 08:15 UTC) };
        let refused = |is_current| Event::TokenRefusalReported { status: 401, request: None, is_current };
        let added = |status: &str| Event::CartAdded { store: store(), status: status.into(), generation: Some(1) };
        let user = |role: &str| Event::UserAdded { email: "sam@northwind.example".into(), role: role.into() };
        vec![
            (added("connected"), tea, "Added Northwind Tea"),
            (added("draft"), tea, "Added Northwind Tea as a draft"),
            (Event::CartChanged { changes: vec![change("API URL")] }, tea, "Changed API URL of Northwind Tea"),
            (
                Event::CartChanged { changes: vec![change("Website Name"), change("API URL")] },
                tea,
                "Changed Website Name and API URL of Northwind Tea",
            ),
            (Event::CartOverwritten { of: "Sam Lee".into() }, tea, "Saved over Sam Lee's changes to Northwind Tea"),
            (Event::CartTurnedOn, tea, "Turned on Northwind Tea"),
            (Event::CartTurnedOff, tea, "Turned off Northwind Tea"),
            (replaced("access_token", Some("77ab")), tea, "Replaced the access token of Northwind Tea (ends in 77ab)"),
            (replaced("client_credentials", None), tea, "Replaced the Client ID and Client secret of Northwind Tea"),
            (Event::BulkStarted { kind: "test".into(), carts: 12 }, None, "Started to test 12 carts"),
            (Event::BulkStarted { kind: "turn-off".into(), carts: 1 }, None, "Started to turn off 1 cart"),
            (Event::BulkCancelled, None, "Stopped a bulk action"),
            (Event::CartDisconnected { generation: None }, tea, "Disconnected Northwind Tea"),
            (Event::CartDeleted { store: store(), generation: None }, tea, "Deleted Northwind Tea"),
            (
                tested("Connected, but 2 permissions are missing"),
                tea,
                "Tested Northwind Tea: connected, but 2 permissions are missing",
            ),
            (
                tested("Shopify did not answer in time"),
                None,
                "Tested a store that is not saved: Shopify did not answer in time",
            ),
            (
                Event::CartNeedsAttention { class: "SHOPIFY_DOWN".into(), title: "Shopify has a problem".into() },
                tea,
                "Northwind Tea needs attention: Shopify has a problem",
            ),
            (
                Event::CartNotConnected {
                    class: "TOKEN_STOPPED".into(),
                    title: "The access token stopped working".into(),
                },
                tea,
                "Northwind Tea is not connected: the access token stopped working",
            ),
            (
                Event::CartRecovered { class: "TOKEN_STOPPED".into(), title: "x".into(), lasted_seconds: 2_400 },
                tea,
                "Northwind Tea is connected again after 40 minutes",
            ),
            (Event::TokenRenewed, tea, "Renewed the token of Northwind Tea"),
            (
                Event::TokenNotRenewed { class: "CC_REFUSED".into(), error_name: None },
                tea,
                "Could not renew the token of Northwind Tea: Shopify did not accept the Client ID or Client secret",
            ),
            (
                Event::TokenNotRenewed { class: "NETWORK_DNS".into(), error_name: None },
                tea,
                "Could not renew the token of Northwind Tea: we could not look up the store",
            ),
            (Event::TokenHandedOut, tea, "Got the token of Northwind Tea"),
            (again(1), tea, "Got the token of Northwind Tea once more in the same minute"),
            (again(13), tea, "Got the token of Northwind Tea 13 more times in the same minute"),
            (refused(true), tea, "Reported that the store refused the token of Northwind Tea (status 401)"),
            (refused(false), tea, "Reported that the store refused an older token of Northwind Tea (status 401)"),
            (Event::SecretUnreadable, tea, "Could not read the secret of Northwind Tea"),
            (Event::IntegrationTurnedOn, None, "Turned on Ecommerce Integration"),
            (Event::IntegrationTurnedOff, None, "Turned off Ecommerce Integration"),
            (Event::AlertsChanged { changes: vec![change("E-mail")] }, None, "Changed the alert settings"),
            (Event::AlertSent { addresses: 1 }, None, "Sent an alert to 1 address"),
            (Event::AlertSent { addresses: 3 }, None, "Sent an alert to 3 addresses"),
            (Event::AlertNotDelivered, None, "Could not deliver an alert to the webhook"),
            (Event::SignedIn, None, "Signed in"),
            (
                Event::CouldNotSignIn { account: Some("priya@northwind.example".into()), digest: None },
                None,
                "Could not sign in (priya@northwind.example)",
            ),
            (
                Event::CouldNotSignIn { account: None, digest: Some("0011aabb".into()) },
                None,
                "Could not sign in (unknown address)",
            ),
            (Event::SignedOut, None, "Signed out"),
            (user("administrator"), None, "Made sam@northwind.example an Administrator"),
            (user("viewer"), None, "Made sam@northwind.example a Viewer"),
            (Event::SetUpLinkMade, None, "Made a set-up link"),
            (Event::CouldNotConfirm, None, "Could not confirm their password"),
            (Event::PasswordChanged, None, "Changed their password"),
            (Event::DetailsChanged { changes: vec![change("email address")] }, None, "Changed their email address"),
            (Event::SignedOutOthers { browsers: 2 }, None, "Signed out 2 other browsers"),
            (
                Event::UserInvited { person: sam(), email: "sam@northwind.example".into(), role: "viewer".into() },
                None,
                "Invited Sam Lee (sam@northwind.example)",
            ),
            (Event::UserJoined, None, "Joined"),
            (Event::SignInLinkMade { person: sam(), email: None }, None, "Made a new sign-in link for Sam Lee"),
            (
                Event::RoleChanged { person: sam(), email: None, before: None, role: "administrator".into() },
                None,
                "Made Sam Lee an Administrator",
            ),
            (
                Event::UserSignedOut { person: sam(), email: None, browsers: 1 },
                None,
                "Signed out Sam Lee everywhere: 1 browser",
            ),
            (Event::UserTurnedOff { person: sam(), email: None }, None, "Turned off Sam Lee"),
            (
                Event::UserTurnedOn { person: sam(), email: Some("sam@northwind.example".into()) },
                None,
                "Turned on Sam Lee (sam@northwind.example)",
            ),
            (
                Event::EncryptionKeyRotated { secrets: 12, format: Some(3) },
                None,
                "Rotated the encryption key (12 secrets)",
            ),
            (Event::EncryptionKeyRotated { secrets: 1, format: None }, None, "Rotated the encryption key (1 secret)"),
            (
                Event::EncryptionKeyForgotten { key: "0011223344556677".into(), secrets: 2 },
                None,
                "Forgot the encryption key 0011223344556677 (2 secrets)",
            ),
            (
                Event::ActivityMonthDropped { month: "2024-10".into(), rows: 312, head: "9:ab".into() },
                None,
                "Dropped the activity of 2024-10 (312 rows)",
            ),
            (
                Event::ApiKeyMade { name: "sync-prod".into(), ending: "77ab".into(), changes: Vec::new() },
                None,
                "Made the API key sync-prod (ends in 77ab)",
            ),
            (
                Event::ApiKeyRotated { name: "sync-prod".into(), ending: "88cd".into(), changes: Vec::new() },
                None,
                "Made a second API key sync-prod (ends in 88cd)",
            ),
            (
                Event::ApiKeyRevoked { name: "sync-prod".into(), ending: "77ab".into() },
                None,
                "Revoked the API key sync-prod (ends in 77ab)",
            ),
            (Event::WasRefused { page: "/admin/ecommerce/add".into() }, None, "Was refused /admin/ecommerce/add"),
        ]
    }

    #[test]
    fn each_event_has_its_sentence() {
        for (event, cart, sentence) in said() {
            assert_eq!(words(&event, cart), sentence);
        }
    }

    #[test]
    fn every_event_is_in_the_table_of_sentences() {
        let said: Vec<String> = said()
            .iter()
            .map(|(event, ..)| serde_json::to_value(event).expect("data")["event"].as_str().expect("a tag").to_owned())
            .collect();
        for name in names() {
            assert!(said.contains(&name), "{name} has no sentence in this test");
        }
    }
}
