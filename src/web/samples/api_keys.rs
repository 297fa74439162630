//! The pages of API keys.

use time::Duration;
use uuid::Uuid;

use super::{LONG, NOW, complaint, draw, field, shell};
use crate::api_keys::{ApiKeyState, ApiKeyText, IssuedKey, KeyLifetime, Scope};
use crate::web::admin::api_keys::{
    IssuedKeyPage, KeyForm, KeyPage, KeyView, KeysPage, NewKeyPage, revocation::RevocationPage,
};
use crate::web::admin::fields::FormField;
use crate::web::admin::filters::{self, Moment};

/// GitHub's known answer for the checksum, behind our prefix: a key of the right form that was never issued.
const SAMPLE_KEY: &str = "cwk_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17";

fn key(name: &str, state: ApiKeyState, scopes: &[Scope]) -> KeyView {
    let days = if state == ApiKeyState::EndsSoon { 9 } else { 71 };
    KeyView {
        id: "0198f3c0f00070008000000000000001".into(),
        name: name.into(),
        ending: "Lq17".into(),
        state,
        scopes: scopes.iter().map(|scope| (scope.as_str().to_owned(), scope.meaning())).collect(),
        carts: None,
        networks: Vec::new(),
        made: Moment::new(NOW - Duration::days(19), NOW),
        made_by: "Priya Shah".into(),
        ends: filters::date(NOW + Duration::days(days)),
        revoked: (state == ApiKeyState::Revoked)
            .then(|| (Moment::new(NOW - Duration::hours(2), NOW), "Sam Lee".into())),
        last_used: Some(Moment::new(NOW - Duration::minutes(2), NOW)),
        last_address: Some("198.51.100.7".into()),
    }
}

pub(super) fn pages() -> Vec<(String, String)> {
    let live = key("sync-prod", ApiKeyState::Live, &[Scope::CartsRead, Scope::TokensIssue]);
    let limited = KeyView {
        carts: Some(3),
        networks: vec!["198.51.100.0/24".into(), "2001:db8:1234:5678::/64".into()],
        last_used: None,
        last_address: None,
        ..key(LONG, ApiKeyState::EndsSoon, &Scope::ALL)
    };
    let (ended, revoked) = (
        key("warehouse", ApiKeyState::Ended, &[Scope::CartsCheck]),
        key("old", ApiKeyState::Revoked, &[Scope::CartsRead]),
    );
    let list = |keys: &[&KeyView]| draw(&KeysPage { shell: shell(), keys: keys.iter().copied().cloned().collect() });
    let carts = vec![
        ("/admin/ecommerce/shopify/1/general".to_owned(), "Northwind Tea".to_owned()),
        ("/admin/ecommerce/shopify/2/general".to_owned(), LONG.to_owned()),
    ];
    let show = |key: &KeyView, refused: Option<&str>| {
        let carts = key.carts.map(|_| carts.clone());
        draw(&KeyPage { shell: shell(), key: key.clone(), carts, refused: refused.map(str::to_owned) })
    };
    let issued = |replaced: Option<&str>| {
        let key = IssuedKey {
            id: Uuid::nil(),
            name: "sync-prod".into(),
            text: ApiKeyText::parse(SAMPLE_KEY).expect("a key"),
            lifetime: KeyLifetime::DEFAULT,
            ends_at: NOW + Duration::days(90),
        };
        draw(&IssuedKeyPage { shell: shell(), key, replaced: replaced.map(str::to_owned) })
    };
    let new = |form| draw(&NewKeyPage { shell: shell(), form });
    let wrong =
        |value: &str, class, sentence| FormField { complaint: Some(complaint(class, sentence)), ..field(value) };
    let mistaken = KeyForm {
        name: wrong(LONG, "KEY_NAME", "Name must be 80 characters or fewer"),
        scopes: wrong("", "KEY_SCOPES", "Choose at least one thing that the key allows"),
        carts: wrong("northwind-tea\nnowhere", "KEY_CARTS", "Line 2: no cart has the ID or the store “nowhere”"),
        networks: wrong(
            "198.51.100.1/24",
            "KEY_NETWORKS",
            "Line 1: “198.51.100.1/24” is not the beginning of a network: write 198.51.100.0/24, or 198.51.100.1 alone",
        ),
        days: 365,
    };
    vec![
        ("keys".into(), list(&[&limited, &live, &ended, &revoked])),
        ("keys-none".into(), list(&[])),
        ("key".into(), show(&live, None)),
        ("key-limited".into(), show(&limited, None)),
        ("key-revoked".into(), show(&revoked, None)),
        ("key-refused".into(), show(&live, Some("Two keys with this name work already. Revoke one of them first."))),
        ("key-new".into(), new(KeyForm::default())),
        ("key-new-wrong".into(), new(mistaken)),
        ("key-issued".into(), issued(None)),
        ("key-issued-second".into(), issued(Some("Lq17"))),
        ("key-revocation".into(), draw(&RevocationPage { shell: shell(), key: live })),
        ("key-revocation-over".into(), draw(&RevocationPage { shell: shell(), key: revoked })),
    ]
}
