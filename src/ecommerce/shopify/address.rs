//! Finds the one store that a pasted text means, by matching the raw characters. Refuses to know any URL parser: those are
//! generous (a tab inside a name, full-width letters, extra slashes), and what is checked here must be what is dialled.
//! Stops whoever wants a secret sent to a host of theirs. Does not stop a store that is real but not the one that was meant.
//! Surprising: 32 hex digits are refused, because an old token has the form of a handle and would travel in a DNS query.

use std::fmt;

use super::text::{has_no_width, is_quote};

/// Longest text that is looked at, and drawn again, in bytes.
pub const LONGEST: usize = 2048;
/// Longest part of a refused domain that is said back, in characters.
const LONGEST_ECHO: usize = 100;
const SUFFIX: &str = ".myshopify.com";

/// One store's address: a single lower-case DNS label under `myshopify.com`. No other host can be made of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreAddress {
    handle: String,
}

/// What a pasted text was understood as, and what the person should hear about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    pub address: StoreAddress,
    /// Only a name was typed: "We added .myshopify.com."
    pub added_suffix: bool,
    /// The text had `key:password@` in it, which was dropped unread.
    pub dropped_pair: bool,
}

/// A mistake that a person can mend. `Display` is the sentence for that person; only a domain is ever said back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("Enter your store's API URL")]
    Empty,
    #[error(
        "Enter the address that ends in myshopify.com, not {0}. In Shopify, go to Settings, then Domains, or copy the address from your browser while you are in Shopify admin"
    )]
    OwnDomain(String),
    #[error(
        "That address does not say which store. Open your store in Shopify and copy the whole address. It looks like admin.shopify.com/store/your-store"
    )]
    AdminNoStore,
    #[error("That is a Shopify developer page. Open your store's admin and copy the address from there")]
    DevDashboard,
    #[error("That looks like an access token. Paste it into Access Token. We have not kept it here")]
    IsToken,
    #[error("Enter your store's address, not an email address")]
    IsEmail,
    #[error(
        "API URL must be your store's own address. It ends in .myshopify.com/admin, with only your store's name before it"
    )]
    Lookalike,
}

impl AddressError {
    /// The value of `data-class`.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Empty => "API_URL_EMPTY",
            Self::OwnDomain(_) => "OWN_DOMAIN",
            Self::AdminNoStore => "ADMIN_NO_STORE",
            Self::DevDashboard => "DEV_DASHBOARD",
            Self::IsToken => "IS_TOKEN",
            Self::IsEmail => "IS_EMAIL",
            Self::Lookalike => "LOOKALIKE",
        }
    }
}

impl StoreAddress {
    /// Finds the one store that a pasted text means; asks nobody.
    ///
    /// # Errors
    /// One [`AddressError`] for each mistake that a person can mend.
    pub fn parse(typed: &str) -> Result<Understood, AddressError> {
        if typed.len() > LONGEST {
            return Err(AddressError::Lookalike);
        }
        let text = unwrap_paste(typed);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(AddressError::Lookalike);
        }
        if looks_like_a_token(text) {
            return Err(AddressError::IsToken);
        }
        if looks_like_email(text) {
            return Err(AddressError::IsEmail);
        }
        if text.eq_ignore_ascii_case("localhost") {
            return Err(AddressError::Lookalike);
        }
        if let Some(address) = Self::from_label(text) {
            return Ok(Understood { address, added_suffix: true, dropped_pair: false });
        }
        let (authority, tail) = split_authority(without_scheme(text));
        from_authority(authority, tail)
    }

    /// A handle that we or Shopify wrote: one lower-case label, or nothing.
    pub fn from_handle(handle: &str) -> Option<Self> {
        Self::from_label(handle).filter(|address| address.handle == handle)
    }

    /// A host that we or Shopify wrote, exactly `{handle}.myshopify.com`, or nothing.
    pub fn from_host(host: &str) -> Option<Self> {
        host.strip_suffix(SUFFIX).and_then(Self::from_handle)
    }

    /// Where a redirect points, if it is `https://{label}.myshopify.com` and nothing cleverer. The path is dropped unread.
    pub(super) fn from_location(location: &str) -> Option<Self> {
        if location.len() > LONGEST || location.chars().any(|c| c.is_control() || c == '\\') {
            return None;
        }
        let (authority, _) = split_authority(location.strip_prefix("https://")?);
        from_store_host(authority)
    }

    /// The part before `.myshopify.com`.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// The one host that this store's secrets may be sent to.
    pub fn host(&self) -> String {
        format!("{}{SUFFIX}", self.handle)
    }

    /// As it is stored and shown: `https://{handle}.myshopify.com/admin`.
    pub fn admin_url(&self) -> String {
        format!("https://{}{SUFFIX}/admin", self.handle)
    }

    fn from_label(label: &str) -> Option<Self> {
        let bytes = label.as_bytes();
        let ends = [bytes.first()?, bytes.last()?];
        let is_label = bytes.len() <= 63
            && ends.iter().all(|b| b.is_ascii_alphanumeric())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
            && !starts_with_ignoring_case(label, "xn--");
        is_label.then(|| Self { handle: label.to_ascii_lowercase() })
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.admin_url())
    }
}

/// Takes off what comes along when an address is copied out of a sentence. Nothing leaves the middle.
fn unwrap_paste(typed: &str) -> &str {
    typed
        .trim_start_matches(|c: char| c.is_whitespace() || has_no_width(c) || is_quote(c) || matches!(c, '<' | '('))
        .trim_end_matches(|c: char| {
            c.is_whitespace() || has_no_width(c) || is_quote(c) || matches!(c, '>' | ')' | '.' | ',')
        })
}

fn looks_like_a_token(text: &str) -> bool {
    let prefix = text.split_once('_').map(|(prefix, _)| prefix);
    let is_shopify = prefix.is_some_and(|p| {
        matches!(p.len(), 5 | 6) && starts_with_ignoring_case(p, "shp") && p.bytes().all(|b| b.is_ascii_alphabetic())
    });
    is_shopify
        || starts_with_ignoring_case(text, "prtapi_")
        || (text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn looks_like_email(text: &str) -> bool {
    let plain = !text.contains([':', '/']) && !text.chars().any(char::is_whitespace);
    plain && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && looks_public(host))
}

/// Dots, and letters at the end: a name that the public could look up.
fn looks_public(host: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    host.rsplit_once('.').is_some_and(|(name, last)| {
        name.split('.').all(is_part) && last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

fn without_scheme(text: &str) -> &str {
    let found = ["https://", "http://"].into_iter().find(|scheme| starts_with_ignoring_case(text, scheme));
    &text[found.map_or(0, str::len)..]
}

fn split_authority(text: &str) -> (&str, &str) {
    text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()))
}

fn from_authority(authority: &str, tail: &str) -> Result<Understood, AddressError> {
    let understood = |address, dropped_pair| Ok(Understood { address, added_suffix: false, dropped_pair });
    if !authority.bytes().all(|b| b.is_ascii_graphic() && b != b'%') {
        return Err(AddressError::Lookalike);
    }
    if let Some((pair, host)) = authority.split_once('@') {
        let address = from_store_host(host).filter(|_| is_pair(pair)).ok_or(AddressError::Lookalike)?;
        return understood(address, true);
    }
    if let Some(address) = from_store_host(authority) {
        return understood(address, false);
    }
    let typed = authority.strip_suffix(":443").unwrap_or(authority);
    let host = typed.to_ascii_lowercase();
    match host.as_str() {
        "admin.shopify.com" => understood(store_in_path(tail).ok_or(AddressError::AdminNoStore)?, false),
        "dev.shopify.com" | "partners.shopify.com" => Err(AddressError::DevDashboard),
        _ if host.contains("myshopify") || host.ends_with("shopify.com") || !looks_public(&host) => {
            Err(AddressError::Lookalike)
        }
        _ => Err(AddressError::OwnDomain(typed.chars().take(LONGEST_ECHO).collect())),
    }
}

/// Exactly `{label}.myshopify.com` in any case, with one `:443` at most.
fn from_store_host(authority: &str) -> Option<StoreAddress> {
    let host = authority.strip_suffix(":443").unwrap_or(authority).to_ascii_lowercase();
    host.strip_suffix(SUFFIX).and_then(StoreAddress::from_label)
}

/// `word:word`, the form in which old private apps gave their key and password.
fn is_pair(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    text.split_once(':').is_some_and(|(key, password)| is_word(key) && is_word(password))
}

/// The label of `/store/{label}`, where it ends there or goes on with `/`, `?` or `#`.
fn store_in_path(tail: &str) -> Option<StoreAddress> {
    let (label, _) = split_authority(tail.strip_prefix("/store/")?);
    StoreAddress::from_label(label)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `input<TAB>outcome`, where the outcome is `ok:{handle}`, `ok+suffix:{handle}`, `ok+pair:{handle}` or a class.
    /// `\t`, `\n`, `\u{…}` and `\\` in the input are written out.
    const CORPUS: &str = include_str!("../../../tests/data/addresses.tsv");

    fn outcome(typed: &str) -> String {
        match StoreAddress::parse(typed) {
            Ok(Understood { address, added_suffix, dropped_pair }) => {
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
                    let (code, tail) = code.split_once('}').expect("an escape that ends");
                    (char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap(), tail)
                }
                None => match after.chars().next().expect("an escape that says what") {
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
    fn text_of_more_than_2048_bytes_is_not_looked_at() {
        let longest = format!("northwind-tea.myshopify.com/{}", "a".repeat(LONGEST - 28));
        assert_eq!(outcome(&longest), "ok:northwind-tea");
        assert_eq!(outcome(&(longest + "a")), "LOOKALIKE");
    }

    #[test]
    fn a_label_has_at_most_63_characters() {
        assert_eq!(outcome(&"a".repeat(63)), format!("ok+suffix:{}", "a".repeat(63)));
        assert_eq!(outcome(&"a".repeat(64)), "LOOKALIKE");
    }

    #[test]
    fn tokens_are_refused_and_not_said_back() {
        let digits = "a1".repeat(16);
        for token in [digits.clone(), digits.to_uppercase(), format!("shpat_{digits}"), format!("prtapi_{digits}")] {
            let error = StoreAddress::parse(&token).unwrap_err();
            assert_eq!(error, AddressError::IsToken);
            assert!(!format!("{error} {error:?}").contains(&token));
        }
    }

    #[test]
    fn a_domain_is_said_back_as_typed_but_not_at_length() {
        let error = StoreAddress::parse("https://www.NorthwindTea.com/cart?x=1").unwrap_err();
        assert_eq!(error, AddressError::OwnDomain("www.NorthwindTea.com".into()));
        assert!(error.to_string().contains("not www.NorthwindTea.com. In Shopify"));
        let long = format!("{}.com", "a.".repeat(500) + "a");
        let AddressError::OwnDomain(said) = StoreAddress::parse(&long).unwrap_err() else { panic!() };
        assert_eq!(said.len(), LONGEST_ECHO);
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
        let moved = |location| StoreAddress::from_location(location).map(|a| a.handle().to_owned());
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
        ] {
            assert_eq!(moved(bad), None, "{bad}");
        }
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

    /// What attackers build addresses of, in any order.
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

    /// What holds whatever is pasted; `fuzz/` tries the same without an end.
    fn leads_to_a_store_or_nowhere(typed: &str) -> Result<(), TestCaseError> {
        match StoreAddress::parse(typed) {
            Ok(found) => {
                let (handle, host) = (found.address.handle(), found.address.host());
                prop_assert!(is_plain_host(&host));
                prop_assert!(typed.to_ascii_lowercase().contains(handle), "a name that was never typed");
                prop_assert!(
                    !found.added_suffix || handle.len() != 32 || !handle.bytes().all(|b| b.is_ascii_hexdigit())
                );
                // the parser of the client that dials reads the same host in what we build
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
        fn no_text_whatever_leads_to_another_host(typed in prop_oneof![any::<String>(), pieces(), "[ -~]{0,40}"]) {
            leads_to_a_store_or_nowhere(&typed)?;
        }

        #[test]
        fn a_store_address_survives_every_wrapping(handle in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", path in "(/[ -~]{0,20})?") {
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
}
