//! Cleans text before it is validated or shown: trims pasted text, sanitizes foreign text. Nothing is ever removed from
//! the middle of pasted text: the bytes that are validated must be the bytes that are used.

use crate::pasted::{is_format, is_padding, redact_tokens};

/// Maximum length of a stored foreign name, in characters.
pub const NAME_LIMIT: usize = 255;

/// Straight and typographic quotation marks.
pub const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201F}' | '\u{2039}' | '\u{203A}' | '\u{AB}' | '\u{BB}')
}

/// Trims white space, format characters and quotes from both ends of a pasted secret.
pub fn trim_secret(pasted: &str) -> &str {
    pasted.trim_matches(|c: char| is_padding(c) || is_quote(c))
}

/// Whether a text can be sent as a header value: visible ASCII, 1 to `limit` characters.
pub fn is_visible_ascii(text: &str, limit: usize) -> bool {
    (1..=limit).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Sanitizes foreign text: at most `limit` characters, without control and format characters and without those that
/// change the text direction (a store's *name* may try to rewrite the sentence around it), and trimmed.
pub fn sanitize_foreign_text(foreign: &str, limit: usize) -> String {
    let tamed: String = foreign
        .trim()
        .chars()
        .filter(|c| !c.is_control() && !is_direction_control(*c) && !is_format(*c))
        .take(limit)
        .collect();
    tamed.trim().to_owned()
}

/// Redacts what looks like a secret: `user:password@` in an address, and a token anywhere. For text that is shown again
/// or kept in a page; the original text is what is validated and used.
pub fn redact_secrets(typed: &str) -> String {
    let (scheme, rest) =
        typed.split_once("://").map_or(("", typed), |(_, rest)| (&typed[..typed.len() - rest.len()], rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let kept = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => &rest[user.len() + 1..],
        _ => rest,
    };
    format!("{scheme}{}", redact_tokens(kept))
}

const fn is_direction_control(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_looks_like_a_secret_is_redacted() {
        let token = format!("shpat_{}", "a1".repeat(16));
        for (typed, drawn) in [
            (format!("https://key:{token}@evil.example/x"), "https://evil.example/x"),
            (format!("key:{token}@northwind-tea.myshopify.com"), "northwind-tea.myshopify.com"),
            (format!("https://evil.example/?t={token}&x"), "https://evil.example/?t=&x"),
            (format!("Tea {token} shop"), "Tea  shop"),
            (token.to_uppercase(), ""),
            ("https://shop.example/shape_of_water".into(), "https://shop.example/shape_of_water"),
            ("northwind tea, écru".into(), "northwind tea, écru"),
            ("priya@northwind.example".into(), "priya@northwind.example"),
            (String::new(), ""),
        ] {
            assert_eq!(redact_secrets(&typed), drawn);
        }
    }

    #[test]
    fn trimming_a_secret_removes_only_its_wrapping() {
        assert_eq!(trim_secret(" \u{200B}\"abc d'e\"\r\n"), "abc d'e");
        assert_eq!(trim_secret("\u{FEFF}“”\n"), "");
    }

    #[test]
    fn foreign_text_is_truncated_and_cannot_change_the_text_direction() {
        assert_eq!(sanitize_foreign_text("North\u{202E}wind\u{0}\r\n\u{2066} Tea", 255), "Northwind Tea");
        assert_eq!(sanitize_foreign_text(&"é".repeat(300), 255).chars().count(), 255);
    }

    #[test]
    fn only_visible_ascii_is_allowed_in_a_header() {
        for bad in ["", "a b", "é", "a\r\nb", " a", "aaaaa"] {
            assert!(!is_visible_ascii(bad, 4), "{bad:?}");
        }
        assert!(is_visible_ascii("a~1_", 4));
    }
}
