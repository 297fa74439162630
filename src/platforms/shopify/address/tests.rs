use proptest::prelude::*;

use super::*;

/// `input<TAB>outcome`, where the outcome is `ok:{handle}`, `ok+suffix:{handle}`, `ok+pair:{handle}` or a class.
/// `\t`, `\n`, `\u{…}` and `\\` in the input are written out.
const CORPUS: &str = include_str!("../../../../tests/data/addresses.tsv");

fn outcome(typed: &str) -> String {
    match StoreAddress::parse(typed) {
        Ok(ParsedAddress { address, added_suffix, dropped_pair }) => {
            let marks = [(added_suffix, "+suffix"), (dropped_pair, "+pair")];
            let marks: String = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
            format!("ok{marks}:{}", address.handle())
        }
        Err(error) => error.class().to_owned(),
    }
}

fn unescape(written: &str) -> String {
    let mut text = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (c, tail) = match after.strip_prefix("u{") {
            Some(code) => {
                let (code, tail) = code.split_once('}').expect("a closed escape");
                (char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap(), tail)
            }
            None => match after.chars().next().expect("an escaped character") {
                't' => ('\t', &after[1..]),
                'n' => ('\n', &after[1..]),
                'r' => ('\r', &after[1..]),
                other => (other, &after[other.len_utf8()..]),
            },
        };
        text.push(c);
        rest = tail;
    }
    text + rest
}

#[test]
fn every_line_of_the_corpus_has_its_outcome() {
    let mut lines = 0;
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let (written, expected) = line.split_once('\t').expect("a tab in each line");
        assert_eq!(outcome(&unescape(written)), expected, "{written}");
        lines += 1;
    }
    assert!(lines > 100, "only {lines} lines");
}

#[test]
fn text_of_more_than_2048_bytes_is_rejected() {
    let longest = format!("northwind-tea.myshopify.com/{}", "a".repeat(API_URL_MAX_LEN - 28));
    assert_eq!(outcome(&longest), "ok:northwind-tea");
    assert_eq!(outcome(&(longest + "a")), "LOOKALIKE");
}

#[test]
fn a_label_has_at_most_63_characters() {
    assert_eq!(outcome(&"a".repeat(63)), format!("ok+suffix:{}", "a".repeat(63)));
    assert_eq!(outcome(&"a".repeat(64)), "LOOKALIKE");
}

#[test]
fn tokens_are_rejected_and_not_echoed() {
    let digits = "a1".repeat(16);
    for token in [digits.clone(), digits.to_uppercase(), format!("shpat_{digits}"), format!("prtapi_{digits}")] {
        let error = StoreAddress::parse(&token).unwrap_err();
        assert_eq!(error, AddressError::IsToken);
        assert!(!format!("{error} {error:?}").contains(&token));
    }
}

#[test]
fn plausible_address_is_rejected_for_its_unusual_character() {
    for typed in [
        "northwind\u{200B}-tea.myshopify.com",
        "https://northwind-tea.myshopify.com\u{202C}/admin",
        "north\u{AD}wind-tea",
        "northwind tea",
        "northwind-tea .myshopify.com",
        "n\u{43E}rthwind-tea.myshopify.com",
        "northwind-tea.mysh\u{43E}pify.com",
        "northwind-tea\u{FF0E}myshopify.com",
        "https://northwind-tea.myshopify.com/admin\nnext",
    ] {
        assert_eq!(StoreAddress::parse(typed), Err(AddressError::BadCharacters), "{typed:?}");
    }
    for typed in ["https://m\u{FC}ller.example", "https://nt.myshopify.com.\u{E9}vil.example", "a.b.myshopify.com"] {
        assert_eq!(StoreAddress::parse(typed), Err(AddressError::Lookalike), "{typed:?}");
    }
}

#[test]
fn rejected_domain_is_echoed_as_typed_and_truncated() {
    let error = StoreAddress::parse("https://www.NorthwindTea.com/cart?x=1").unwrap_err();
    assert_eq!(error, AddressError::OwnDomain("www.NorthwindTea.com".into()));
    assert!(error.to_string().contains("not www.NorthwindTea.com. In Shopify"));
    let long = format!("{}.com", "a.".repeat(500) + "a");
    let AddressError::OwnDomain(said) = StoreAddress::parse(&long).unwrap_err() else { panic!() };
    assert_eq!(said.len(), ECHO_MAX_LEN);
}

#[test]
fn a_stored_handle_must_be_a_lower_case_label() {
    assert_eq!(StoreAddress::from_handle("6nzh0y-y6").unwrap().host(), "6nzh0y-y6.myshopify.com");
    assert_eq!(StoreAddress::from_host("a.myshopify.com").unwrap().admin_url(), "https://a.myshopify.com/admin");
    for bad in ["", "A", "-a", "a-", "a.b", "a_b", "xn--a", "a/b", "a@b", "é"] {
        assert_eq!(StoreAddress::from_handle(bad), None, "{bad}");
    }
    for bad in ["myshopify.com", ".myshopify.com", "a.myshopify.com.", "a.myshopify.com:443", "a.myshopify.io"] {
        assert_eq!(StoreAddress::from_host(bad), None, "{bad}");
    }
}

#[test]
fn a_redirect_counts_only_when_it_names_a_store_over_https() {
    let moved = |location: &str| StoreAddress::from_location(location).map(|a| a.handle().to_owned());
    assert_eq!(moved("https://nt-co.myshopify.com/admin/api/x.json"), Some("nt-co".into()));
    assert_eq!(moved("https://NT-co.myshopify.com"), Some("nt-co".into()));
    for bad in [
        "http://nt.myshopify.com",
        "//nt.myshopify.com",
        "/admin",
        "nt.myshopify.com",
        "https://nt.myshopify.com@evil.example",
        "https://a:b@nt.myshopify.com",
        "https://nt.myshopify.com.evil.example",
        "https://evil.example/https://nt.myshopify.com",
        "https://nt.myshopify.com\\@evil.example",
        "https://nt.myshopify.com:8443",
        "https://nt.myshopify.com/a\\b",
        "https://nt.myshopify.com/a\r\nb",
    ] {
        assert_eq!(moved(bad), None, "{bad}");
    }
    let of_length = |n: usize| format!("{:a<n$}", "https://nt.myshopify.com/");
    assert_eq!(moved(&of_length(API_URL_MAX_LEN)), Some("nt".into()));
    assert_eq!(moved(&of_length(API_URL_MAX_LEN + 1)), None, "longer than the limit");
}

#[test]
fn an_address_is_shown_as_it_is_stored() {
    let address = StoreAddress::from_handle("northwind-tea").expect("a handle");
    assert_eq!(address.to_string(), "https://northwind-tea.myshopify.com/admin");
}

fn is_plain_host(host: &str) -> bool {
    host.strip_suffix(".myshopify.com").is_some_and(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !label.starts_with("xn--")
    })
}

/// Building blocks of hostile addresses, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://"),
        Just("http:"),
        Just("//"),
        Just("/"),
        Just("\\"),
        Just("@"),
        Just(":"),
        Just(":443"),
        Just("."),
        Just("myshopify.com"),
        Just(".myshopify.com"),
        Just("admin.shopify.com"),
        Just("/store/"),
        Just("/STORE/"),
        Just("/admin"),
        Just("0123456789abcdef0123456789abcdef"),
        Just("\u{202A}"),
        Just("]"),
        Just("evil.example"),
        Just("northwind-tea"),
        Just("xn--a"),
        Just("%2e"),
        Just("\u{3002}"),
        Just("\u{FF0E}"),
        Just("\u{200B}"),
        Just("\t"),
        Just("?"),
        Just("#"),
        Just("key:word@"),
        Just("shpat_"),
        Just("-"),
        Just("ａ"),
        Just("[::1]"),
        Just("127.0.0.1"),
        Just("\0"),
        Just(" "),
        Just("<"),
        Just(">"),
        Just("ﬀ"),
        Just("ſ"),
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// A line of the corpus with some of its characters doubled, dropped, replaced or mixed with another line.
fn mutations() -> impl Strategy<Value = String> {
    let lines: Vec<String> = CORPUS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| unescape(line.split('\t').next().unwrap_or_default()))
        .collect();
    let line = prop::sample::select(lines);
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5, pieces(), line.clone());
    (line, prop::collection::vec(edit, 1..5)).prop_map(|(line, edits)| {
        edits.into_iter().fold(line, |text, (from, to, how, piece, other)| {
            let at = |index: prop::sample::Index, text: &str| {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                places[index.index(places.len())]
            };
            let (one, two) = (at(from, &text), at(to, &text));
            let (begin, end) = (one.min(two), one.max(two));
            match how {
                0 => format!("{}{piece}{}", &text[..begin], &text[begin..]),
                1 => format!("{}{}", &text[..begin], &text[end..]),
                2 => format!("{}{piece}{}", &text[..begin], &text[end..]),
                3 => format!("{}{}", &text[..end], &text[begin..]),
                _ => format!("{}{}", &text[..begin], &other[at(to, &other)..]),
            }
        })
    })
}

/// The properties that hold for any input; `fuzz/` tests the same without a limit.
fn leads_to_a_store_or_nowhere(typed: &str) -> Result<(), TestCaseError> {
    match StoreAddress::parse(typed) {
        Ok(found) => {
            let (handle, host) = (found.address.handle(), found.address.host());
            prop_assert!(is_plain_host(&host));
            prop_assert!(typed.to_ascii_lowercase().contains(handle), "a handle that the input does not contain");
            prop_assert!(!found.added_suffix || handle.len() != 32 || !handle.bytes().all(|b| b.is_ascii_hexdigit()));
            // The URL parser of the HTTP client reads the same host in the URL that we build.
            let url = reqwest::Url::parse(&found.address.admin_url()).expect("a URL");
            prop_assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some(host.as_str()), None));
            prop_assert_eq!(
                StoreAddress::parse(&found.address.admin_url()).map(|again| again.address),
                Ok(found.address)
            );
        }
        Err(AddressError::OwnDomain(said)) => prop_assert!(typed.contains(&said)),
        Err(_) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_mutation_of_the_corpus_leads_to_another_host(typed in mutations()) {
        leads_to_a_store_or_nowhere(&typed)?;
    }
}

proptest! {
    #[test]
    fn no_text_leads_to_another_host(typed in prop_oneof![any::<String>(), pieces(), "[ -~]{0,40}"]) {
        leads_to_a_store_or_nowhere(&typed)?;
    }

    #[test]
    fn store_address_is_found_in_every_accepted_form(handle in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", path in "(/[ -~]{0,20})?") {
        prop_assume!(!handle.starts_with("xn--"));
        for typed in [
            format!("{handle}.myshopify.com"),
            format!(" <HTTPS://{}.MyShopify.com:443{path}>, ", handle.to_uppercase()),
            format!("admin.shopify.com/store/{handle}"),
        ] {
            if !typed.contains('\\') {
                prop_assert_eq!(outcome(&typed), format!("ok:{handle}"));
            }
        }
    }
}
