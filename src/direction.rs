//! Isolates right-to-left names in left-to-right plain text: titles, labels, sentences, e-mails. Templates use `<bdi>`
//! for the same purpose. Without isolation the bidirectional algorithm moves neighbouring digits and punctuation, and
//! the line reads differently. Left-to-right names stay unchanged.

use std::borrow::Cow;

/// FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE.
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// Marks that change the direction of surrounding text and so could make one name look like another.
pub const fn is_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character belongs to Hebrew, Arabic or another right-to-left script. Source: the blocks of
/// `DerivedBidiClass.txt` whose default is R or AL.
const fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Isolates a right-to-left name for use in a sentence and removes its own direction marks.
pub fn bidi_isolate(name: &str) -> Cow<'_, str> {
    if !name.contains(is_right_to_left) {
        return Cow::Borrowed(name);
    }
    let [begin, end] = ISOLATE;
    let inner = name.chars().filter(|c| !is_mark(*c));
    Cow::Owned(std::iter::once(begin).chain(inner).chain([end]).collect())
}

/// Length in bytes of the name isolated by [`bidi_isolate`] at the start of `text`. `None` if there is none, or if a mark
/// inside it could affect the text after it.
pub fn bidi_isolate_len(text: &str) -> Option<usize> {
    let inner = text.strip_prefix(ISOLATE[0])?;
    let at = inner.find(is_mark)?;
    inner[at..].starts_with(ISOLATE[1]).then(|| ISOLATE[0].len_utf8() + at + ISOLATE[1].len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_right_to_left_names_are_isolated() {
        for name in ["Northwind Tea", "Zoë’s 茶 & 12 <b>", "🍵 2026", ""] {
            assert_eq!(bidi_isolate(name), name);
        }
        assert_eq!(bidi_isolate("متجر 12"), "\u{2068}متجر 12\u{2069}");
        assert_eq!(bidi_isolate("Tea חנות"), "\u{2068}Tea חנות\u{2069}");
        assert_eq!(
            bidi_isolate("\u{202e}متجر\u{2069}"),
            "\u{2068}متجر\u{2069}",
            "its own mark would end the isolation"
        );
    }

    #[test]
    fn isolated_name_ends_at_its_closing_mark() {
        assert_eq!(bidi_isolate_len(&format!("{} is on", bidi_isolate("متجر"))), Some("\u{2068}متجر\u{2069}".len()));
        for text in ["", "Tea", "\u{2068}open", "\u{2068}\u{202e}a\u{2069}", "\u{2067}a\u{2069}", "a \u{2068}b\u{2069}"]
        {
            assert_eq!(bidi_isolate_len(text), None, "{text:?}");
        }
    }
}
