use proptest::prelude::*;

use super::*;

fn digits() -> String {
    "a1f3".repeat(8)
}

fn token_class(typed: &str) -> String {
    match AccessToken::parse(typed) {
        Ok((_, warning)) => warning.map_or("ok".into(), |warning| format!("{warning:?}")),
        Err(error) => error.class().to_owned(),
    }
}

#[test]
fn access_token_inputs_are_classified() {
    let d = digits();
    for (typed, expected) in [
        (format!("shpat_{d}"), "ok"),
        (format!("shpca_{d}"), "ok"),
        (format!("shppa_{d}"), "ok"),
        (format!("shpat_{d}00112233"), "ok"),
        (format!("shpat_{d}Copy"), "NotOnlyDigits"),
        (format!("shpat_{d}.json"), "NotOnlyDigits"),
        (format!("shpat_{d}shpat_{d}"), "NotOnlyDigits"),
        (format!("shpat_{d},shpat_{d}"), "NotOnlyDigits"),
        (format!("shpat_{},", &d[1..]), "PartMissing"),
        (format!("Secret: shpss_{d}."), "TOKEN_IS_SECRET"),
        (format!("key: {d} token: shpat_{d}"), "TOKEN_BAD_CHARACTERS"),
        (format!("shpca_{d} shpat_{d}"), "TOKEN_BAD_CHARACTERS"),
        (format!("https://key:shppa_{d}@nt.myshopify.com/admin"), "TOKEN_IS_ADDRESS"),
        (format!("curl -H X-Shopify-Access-Token:shpat_{d} https://nt.myshopify.com"), "TOKEN_IS_ADDRESS"),
        (format!("shpat_{}", &d[1..]), "PartMissing"),
        ("shpat_".into(), "PartMissing"),
        (d.clone(), "MaybeApiKey"),
        (format!("shpua_{d}"), "OneUserOnly"),
        ("correct-horse-battery".into(), "NotLikeAToken"),
        (format!("shpss_{d}"), "TOKEN_IS_SECRET"),
        (format!("SHPSS_{d}"), "TOKEN_IS_SECRET"),
        (format!("shprt_{d}"), "TOKEN_WRONG_KIND"),
        (format!("shptka_{d}"), "TOKEN_WRONG_KIND"),
        (format!("prtapi_{d}"), "TOKEN_WRONG_KIND"),
        ("https://northwind-tea.myshopify.com/admin".into(), "TOKEN_IS_ADDRESS"),
        ("northwind-tea.MyShopify.com".into(), "TOKEN_IS_ADDRESS"),
        (String::new(), "TOKEN_EMPTY"),
        (" \u{200B}\"\"\r\n".into(), "TOKEN_EMPTY"),
        (format!("shpat_{} {}", &d[..8], &d[8..]), "TOKEN_BAD_CHARACTERS"),
        (format!("shpat_{}\u{200B}{}", &d[..8], &d[8..]), "TOKEN_BAD_CHARACTERS"),
        (format!("shpat_{d}\r\nX-Evil: 1"), "TOKEN_BAD_CHARACTERS"),
        ("é".into(), "TOKEN_BAD_CHARACTERS"),
        ("a".repeat(512), "NotLikeAToken"),
        ("a".repeat(513), "TOKEN_BAD_CHARACTERS"),
    ] {
        assert_eq!(token_class(&typed), expected, "{typed:?}");
    }
}

#[test]
fn wrong_kind_of_token_is_named() {
    let error = AccessToken::parse("shptka_x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "That is a Theme Access password. Copy the Admin API access token instead. It starts with shpat_"
    );
}

#[test]
fn wrapping_is_trimmed_and_the_ending_shown() {
    let (token, warning) = AccessToken::parse(&format!(" “shpat_{}”\u{FEFF}\r\n", digits())).unwrap();
    assert_eq!((token.understood().as_str(), warning), ("Access token, ends in a1f3.", None));
    assert_eq!(token.secret().expose_secret(), format!("shpat_{}", digits()));
    let (short, _) = AccessToken::parse("only-nineteen-chars").unwrap();
    assert_eq!(short.understood(), "Access token.");
    assert_eq!(Credential::AccessToken(short).ending(), None);
}

#[test]
fn complete_secret_is_extracted_from_text_copied_along() {
    let d = digits();
    let token = format!("shpat_{d}");
    for wrapped in [
        format!("{token},"),
        format!("{token};"),
        format!("{token}."),
        format!("{token}\u{202C}"),
        format!("\u{202A}{token}"),
        format!("'{token}'"),
        format!("“{token}”."),
        format!("<{token}>"),
        format!("({token})"),
        format!("[{token}];"),
        format!("**{token}**"),
        format!("Token: {token}"),
        format!("token={token}"),
        format!("Bearer {token}"),
        format!("Admin API access token\r\n{token}\r\n"),
        format!("X-Shopify-Access-Token: {token}"),
        format!("\"access_token\": \"{token}\","),
        format!("export SHOPIFY_TOKEN_2='{token}'"),
        format!("Zugriffstoken für Tee: {token}"),
    ] {
        let (taken, warning) = AccessToken::parse(&wrapped).expect("a token");
        assert_eq!((taken.secret().expose_secret(), warning), (token.as_str(), None), "{wrapped:?}");
        let (id, secret) = (wrapped.replace("shpat_", ""), wrapped.replace("shpat_", "shpss_"));
        assert_eq!(ClientId::parse(&id).expect("an id").as_str(), d, "{id:?}");
        let (taken, warning) = ClientSecret::parse(&secret).expect("a secret");
        assert_eq!((taken.secret().expose_secret(), warning), (format!("shpss_{d}").as_str(), None), "{secret:?}");
    }
}

#[test]
fn same_text_in_both_fields_is_rejected() {
    let pair = |id: &str, secret: &str| {
        let secret = ClientSecret::parse(secret).expect("a secret").0;
        Credential::pair(ClientId::parse(id).expect("an id"), secret).map(drop).map_err(CredentialError::class)
    };
    let (one, two) = (digits(), "b2".repeat(16));
    assert_eq!(pair(&one, &two), Ok(()));
    assert_eq!(pair(&one, &format!("shpss_{one}")), Ok(()));
    assert_eq!(pair(&one, &format!(" {one},")), Err("CLIENT_SECRET_IS_ID"));
}

#[test]
fn client_id_and_secret_inputs_are_classified() {
    let d = digits();
    let secret = |typed: &str| match ClientSecret::parse(typed) {
        Ok((_, warning)) => warning.map_or("ok".into(), |warning| format!("{warning:?}")),
        Err(error) => error.class().to_owned(),
    };
    assert_eq!(secret(&format!("shpss_{d}")), "ok");
    assert_eq!(secret(&d), "ok");
    assert_eq!(secret("something else"), "CLIENT_SECRET_BAD_CHARACTERS");
    assert_eq!(secret("something"), "NotLikeAClientSecret");
    assert_eq!(secret(&format!("shpss_{}", &d[1..])), "NotLikeAClientSecret");
    assert_eq!(secret(" "), "CLIENT_SECRET_EMPTY");
    for prefix in TOKEN_PREFIXES {
        assert_eq!(secret(&format!("{prefix}{d}")), "CLIENT_SECRET_IS_TOKEN");
    }
    let id = |typed: &str| ClientId::parse(typed).map_err(CredentialError::class);
    assert_eq!(id(&format!(" {d}\n")), Ok(ClientId(d.clone())));
    assert_eq!(id(""), Err("CLIENT_ID_EMPTY"));
    assert_eq!(id(&format!("shpss_{d}")), Err("CLIENT_ID_IS_SECRET"));
    assert_eq!(id("a\tb"), Err("CLIENT_ID_BAD_CHARACTERS"));
    assert_eq!(id(&format!("Secret: shpss_{d}")), Err("CLIENT_ID_IS_SECRET"));
    for email in ["priya@northwind.example", " Priya@Northwind.example\u{200B}"] {
        assert_eq!(id(email), Err("CLIENT_ID_IS_EMAIL"), "{email}");
    }
    for address in ["https://admin.shopify.com/store/nt", "nt.myshopify.com"] {
        assert_eq!(id(address), Err("CLIENT_ID_IS_ADDRESS"), "{address}");
    }
}

#[test]
fn debug_prints_a_fixed_word() {
    let canary = format!("shpat_{}", digits());
    let (token, _) = AccessToken::parse(&canary).unwrap();
    let (secret, _) = ClientSecret::parse("canary").unwrap();
    let both = Credential::ClientCredentials { id: ClientId::parse("id").unwrap(), secret };
    let printed = format!("{token:?} {both:?} {:?}", AccessToken::parse(&canary));
    assert!(!printed.contains(&digits()) && !printed.contains("canary"), "{printed}");
}

#[test]
fn stored_credential_is_restored_completely_or_not_at_all() {
    let secret = || SecretString::from(digits());
    let kind = CredentialKind::ClientCredentials;
    let stored = Credential::from_stored(kind, Some("id".into()), secret()).unwrap();
    assert_eq!((stored.kind(), stored.client_id().unwrap().as_str()), (kind, "id"));
    assert!(Credential::from_stored(kind, None, secret()).is_none());
    assert!(Credential::from_stored(CredentialKind::AccessToken, None, "a\nb".into()).is_none());
    assert_eq!(CredentialKind::parse(kind.as_str()), Some(kind));
    assert_eq!(CredentialKind::parse("oauth"), None);
}

proptest! {
    #[test]
    fn an_accepted_token_always_fits_a_header(typed in any::<String>()) {
        if let Ok((token, _)) = AccessToken::parse(&typed) {
            prop_assert!(is_visible_ascii(token.secret().expose_secret(), SECRET_MAX_LEN));
        }
    }
}
