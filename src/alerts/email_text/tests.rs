use time::macros::datetime;

use super::*;
use crate::{
    alerts::{AlertCredential, CartStatus, change::tests::change},
    causes::{AlertWords, Class, PASSWORD_PAGE, TitleContext, Verdict},
    outbound::egress_addresses::EgressAddresses,
};

const AT: OffsetDateTime = datetime!(2026-11-21 08:54:40 UTC);
const LINK: &str = "https://orders.northwind.example/admin/ecommerce/shopify/000000000000000000000000000198f3/health";

fn letter(alert: &Alert) -> EmailText {
    write(&[(AT, alert)], 40, &house()).expect("a message")
}

#[test]
fn text_for_a_cart_that_is_not_connected() {
    let alert = change(CartStatus::Connected, CartStatus::NotConnected).alert().expect("an alert");
    let EmailText { subject, text } = letter(&alert);
    assert_eq!(subject, "Northwind Tea is not connected: the access token stopped working");
    let expected = format!(
        "Orders from Northwind Tea stopped coming in on 21 November 2026 at 08:14 UTC.\n\
         What happened: Shopify no longer accepts the access token. It last worked at 07:59 UTC.\n\
         What to do: 1. Check that the app is still installed in Shopify. 2. Copy its current access token. 3. Open the cart, select Replace token and paste it.\n\
         Orders are safe in Shopify and come in when the connection is back.\n\
         {LINK}\n\
         You get this because an administrator entered your address under Admin, Alerts."
    );
    assert_eq!(text, expected);
}

#[test]
fn right_to_left_name_is_isolated() {
    let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
    news.website_name = "متجر 12".into();
    let EmailText { subject, text } = letter(&news.alert().expect("an alert"));
    assert_eq!(subject, "\u{2068}متجر 12\u{2069} is not connected: the access token stopped working");
    assert!(text.starts_with("Orders from \u{2068}متجر 12\u{2069} stopped coming in on 21 November"), "{text}");
}

#[test]
fn text_for_a_cart_that_needs_attention() {
    let mut news = change(CartStatus::Connected, CartStatus::NeedsAttention);
    news.class = "SCOPES_MISSING".into();
    news.title = "Connected, but 2 permissions are missing".into();
    news.missing_permissions = vec!["write_inventory".into(), "read_gift_cards".into()];
    news.what_stops = vec!["stock levels will not update in Shopify".into(), "gift card payments will not show".into()];
    let EmailText { subject, text } = letter(&news.alert().expect("an alert"));
    assert_eq!(subject, "Northwind Tea needs attention: 2 permissions are missing");
    assert!(text.starts_with("Northwind Tea still syncs, but stock levels will not update in Shopify and gift card payments will not show since 21 November 2026 at 08:14 UTC.\n"), "{text}");
    assert!(text.contains("2. Add write_inventory and read_gift_cards and select Save (Release)."), "{text}");
    assert!(!text.contains("last worked") && !text.contains('{'), "{text}");
}

#[test]
fn refused_address_lists_ours_and_does_not_blame_the_token() {
    let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
    news.class = "ADDRESS_REFUSED".into();
    news.title = "Shopify does not accept calls from our address".into();
    let alert = news.alert().expect("an alert");
    let text = letter(&alert).text;
    assert!(text.contains("The access token is not the cause"), "{text}");
    assert!(text.contains("2. Add the outgoing addresses of Order Time; whoever runs it knows them."), "{text}");
    let egress_addresses = EgressAddresses::parse("8.8.4.4,2606:4700::/48").expect("public addresses");
    let EmailText { subject, text } =
        write(&[(AT, &alert)], 40, &SiteInfo { egress_addresses, ..house() }).expect("a message");
    assert_eq!(subject, "Northwind Tea is not connected: Shopify does not accept calls from our address");
    assert!(
        text.contains("then Settings, then IP allowlist. 2. Add our addresses: 8.8.4.4, 2606:4700::/48."),
        "{text}"
    );
}

/// Classes whose advice is to use a Client ID and Client secret, regardless of the cart's credential.
const NAME_CLIENT_SECRET: [Class; 4] =
    [Class::TokenKindRefused, Class::CcWrongOrg, Class::CcNotInstalled, Class::CcRefused];

#[test]
fn email_names_the_credential_of_the_cart() {
    for class in Class::ALL {
        let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
        news.class = class.as_str().into();
        news.title = "This store has a problem".into();
        let text = |credential| {
            let news = StatusChange { credential, ..news.clone() };
            letter(&news.alert().expect("an alert")).text
        };
        let of_secret = text(AlertCredential::ClientSecret);
        assert!(!of_secret.contains("access token") && !of_secret.contains("Replace token"), "{class:?}: {of_secret}");
        let of_token = text(AlertCredential::AccessToken);
        assert_eq!(of_token.contains("Client secret"), NAME_CLIENT_SECRET.contains(&class), "{class:?}: {of_token}");
    }
}

#[test]
fn text_for_a_recovery_and_a_test_alert() {
    let over = change(CartStatus::NotConnected, CartStatus::Connected).alert().expect("an alert");
    let EmailText { subject, text } = letter(&over);
    assert_eq!(subject, "Northwind Tea is connected again");
    assert!(text.starts_with("\"The access token stopped working\" lasted 40 minutes and ended on 21 November 2026 at 08:54 UTC. You need not do anything.\n"), "{text}");
    let trial = letter(&Alert::Trial);
    assert_eq!(trial.subject, "Trial alert from Order Time");
    assert!(trial.text.starts_with("If you can read this, alerts reach you.\n"));
}

#[test]
fn subject_is_one_line_for_any_cart_name() {
    let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
    news.website_name = "Tea\r\nBcc: evil@example.com\u{0}".into();
    let EmailText { subject, .. } = letter(&news.alert().expect("an alert"));
    assert!(!subject.contains(['\r', '\n', '\0']), "{subject:?}");
    assert!(subject.starts_with("Tea Bcc: evil@example.com is not connected"), "{subject}");
}

#[test]
fn problem_that_ended_before_sending_is_reported_as_over() {
    let start = change(CartStatus::Connected, CartStatus::NotConnected).alert().expect("an alert");
    let end = change(CartStatus::NotConnected, CartStatus::Connected).alert().expect("an alert");
    let told = write(&[(AT, &start), (AT, &end)], 40, &house()).expect("a message");
    assert_eq!(told.subject, "Northwind Tea is connected again");
    assert_eq!(write(&[], 40, &house()), None);
}

#[test]
fn every_problem_class_has_its_own_text_without_placeholders() {
    for class in Class::ALL {
        let is_trouble = !matches!(class, Class::Connected | Class::ApiVersionOld | Class::TestLimit);
        assert_eq!((class.cause().alert)("") != AlertWords::title_only(""), is_trouble, "{class:?}");
        let mut news = change(CartStatus::Connected, CartStatus::NotConnected);
        news.class = class.as_str().into();
        let text = letter(&news.alert().expect("an alert")).text;
        assert!(!text.contains(['{', '}']), "{text}");
        assert_eq!(text.matches("://").count(), 1, "one link: {text}");
    }
}

#[test]
fn page_of_the_store_is_not_called_a_proxy() {
    let mut news = change(CartStatus::Connected, CartStatus::NeedsAttention);
    let title = |remark: Option<&str>| {
        let mut verdict = Verdict::of(Class::NotShopify);
        verdict.details.remark = remark.map(str::to_owned);
        verdict.title(&TitleContext { host: "", credential: "" })
    };
    news.class = Class::NotShopify.as_str().into();
    news.title = title(Some(PASSWORD_PAGE));
    let text = letter(&news.clone().alert().expect("an alert")).text;
    assert!(text.contains("Shopify sent us to this store's password page instead of answering."), "{text}");
    news.title = title(None);
    let text = letter(&news.alert().expect("an alert")).text;
    assert!(text.contains("such as a proxy or a sign-in page"), "{text}");
}
