//! Extracts a secret from text that was copied along with it: punctuation, quotes, brackets, a label in front. Does so
//! only if the rest is certainly a secret in Shopify's format; any other text loses only white space, format characters
//! and quotes at its ends.

use super::DIGITS;
use crate::{
    pasted::is_padding,
    platforms::shopify::{
        redact_tokens,
        text::{is_quote, trim_secret},
    },
};

/// Maximum length of a label in front of a secret, in bytes.
const LABEL_MAX_LEN: usize = 80;

/// Extracts the secret from its wrapping, such as `Token: "shpat_…",`.
pub(super) fn unwrap_secret(pasted: &str) -> &str {
    let bare = pasted.trim_end_matches(is_wrapping);
    let start = bare.char_indices().rev().find(|(_, c)| is_wrapping(*c)).map_or(0, |(at, c)| at + c.len_utf8());
    let (label, word) = bare.split_at(start);
    if is_whole(word) && is_label(label) { word } else { trim_secret(pasted) }
}

/// Whether a word is 32 hex digits, alone or after a prefix such as `shpat_`.
fn is_whole(word: &str) -> bool {
    let digits = word.split_once('_').map_or(word, |(prefix, digits)| {
        let kind = prefix.strip_prefix("shp").unwrap_or_default();
        if matches!(kind.len(), 2 | 3) && kind.bytes().all(|b| b.is_ascii_lowercase()) { digits } else { "" }
    });
    is_digits(digits)
}

pub(super) fn is_digits(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text has only words and punctuation, none of which could be another secret or an address.
fn is_label(text: &str) -> bool {
    let is_word =
        |word: &str| word.len() < DIGITS && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    text.len() <= LABEL_MAX_LEN && redact_tokens(text) == text && text.split(is_wrapping).all(is_word)
}

fn is_wrapping(c: char) -> bool {
    is_padding(c)
        || is_quote(c)
        || matches!(c, ',' | ';' | '.' | ':' | '=' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '*' | '|')
}
