//! Rules for typed or pasted text: which characters are trimmed from its ends, and whether any of it is visible.
//! Nothing is removed from the middle, so the text that is checked is the text that is used.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};

use crate::direction::is_mark;

/// BRAILLE PATTERN BLANK and MUSICAL SYMBOL NULL NOTEHEAD: symbols by category, drawn blank.
const BLANK_SYMBOLS: [char; 2] = ['\u{2800}', '\u{1D159}'];

/// Whether a character may be trimmed from the ends of a pasted text: white space, format characters, byte order marks.
/// Variation selectors and tags are kept, because an emoji may end in one.
pub const fn is_padding(c: char) -> bool {
    c.is_whitespace() || is_format(c)
}

/// Whether a character is an invisible format character that is copied along with text: soft hyphen, zero-width
/// characters, direction marks, byte order mark.
pub const fn is_format(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Trims white space and format characters from both ends.
pub fn trim(pasted: &str) -> &str {
    pasted.trim_matches(is_padding)
}

/// Converts input to one line of text: collapses inner white space, drops direction marks and trims format characters
/// from both ends.
pub fn one_line(typed: &str) -> String {
    let visible: String =
        typed.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_mark(*c)).collect();
    trim(&visible.split_whitespace().collect::<Vec<_>>().join(" ")).to_owned()
}

/// Whether any character of the text is visible. White space, control and format characters, blank symbols and
/// combining marks without a base are not.
pub fn has_visible_text(text: &str) -> bool {
    let (categories, ignorable) =
        (CodePointMapData::<GeneralCategory>::new(), CodePointSetData::new::<DefaultIgnorableCodePoint>());
    let without_ink = GeneralCategoryGroup::Mark
        .union(GeneralCategoryGroup::Separator)
        .union(GeneralCategoryGroup::Control)
        .union(GeneralCategoryGroup::Format);
    text.chars()
        .any(|c| !without_ink.contains(categories.get(c)) && !ignorable.contains(c) && !BLANK_SYMBOLS.contains(&c))
}

/// The text without one leading byte order mark, which Windows editors write.
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// Removes Shopify tokens such as `shpat_…` and our API keys (`cwk_…`) from a text.
pub fn redact_tokens(typed: &str) -> String {
    let mut blotted = String::new();
    let (mut left, mut word_begins) = (typed, true);
    while let Some(letter) = left.chars().next() {
        let skipped = if word_begins { token_length(left) } else { 0 };
        if skipped == 0 {
            blotted.push(letter);
        }
        word_begins = !letter.is_ascii_alphanumeric();
        left = &left[skipped.max(letter.len_utf8())..];
    }
    blotted
}

/// Length in bytes of the token at the start of `text`: `shp`, two or three letters, an underscore; `prtapi_`; or
/// `cwk_`. 0 if there is none.
fn token_length(text: &str) -> usize {
    let is_prefix = |prefix: &str| {
        let kind = prefix.to_ascii_lowercase();
        let shop = kind.strip_prefix("shp").is_some_and(|kind| (2..=3).contains(&kind.len()));
        (shop || kind == "prtapi" || kind == "cwk") && kind.bytes().all(|b| b.is_ascii_lowercase())
    };
    match text.split_once('_') {
        Some((prefix, rest)) if is_prefix(prefix) => {
            let digits = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            prefix.len() + 1 + digits
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_trimmed_from_both_ends_and_never_from_the_middle() {
        for padding in [
            " ", "\t", "\r\n", "\u{A0}", "\u{2003}", "\u{202F}", "\u{3000}", "\u{85}", "\u{AD}", "\u{61C}", "\u{180E}",
            "\u{200B}", "\u{200C}", "\u{200D}", "\u{200E}", "\u{200F}", "\u{202A}", "\u{202C}", "\u{202E}", "\u{2060}",
            "\u{2066}", "\u{2068}", "\u{2069}", "\u{FEFF}",
        ] {
            let inner = format!("a{padding}b");
            assert_eq!(trim(&format!("{padding} {inner}{padding}\u{202C}")), inner, "{padding:?}");
        }
        for kept in ["❤\u{FE0F}", "🏴\u{E0067}\u{E007F}", "é\u{301}", "\"a\""] {
            assert_eq!(trim(kept), kept);
        }
    }

    #[test]
    fn invisible_text_counts_as_empty() {
        for blank in [
            "",
            " ",
            "\u{200B}",
            "\u{A0}\u{2003}",
            "\u{3164}",
            "\u{115F}\u{1160}",
            "\u{FFA0}",
            "\u{2800}",
            "\u{301}",
            "\u{20DD}\u{FE0F}",
            "\u{202E}\u{2066}\u{2069}",
            "\u{AD}",
            "\u{34F}",
            "\u{17B4}",
            "\u{180E}",
            "\u{E0041}",
            "\u{FEFF}",
            "\u{1D159}",
            "\u{0}\u{7}",
            "\u{1D173}",
            "\u{2028}\u{2029}",
            "\u{E0100}",
            "\u{2065}",
        ] {
            assert!(!has_visible_text(blank), "{blank:?}");
        }
        for seen in ["a", "7", "-", "é", "e\u{301}", "茶", "🍵", "متجر", "\u{200B}a", "❤\u{FE0F}", "·", "⠁", "\u{E000}"]
        {
            assert!(has_visible_text(seen), "{seen:?}");
        }
    }

    #[test]
    fn one_byte_order_mark_is_dropped() {
        assert_eq!(without_bom("\u{FEFF}a\u{FEFF}"), "a\u{FEFF}");
        assert_eq!(without_bom("\u{FEFF}\u{FEFF}a"), "\u{FEFF}a");
        assert_eq!(without_bom("a"), "a");
    }
}
