//! Names that run from right to left among words that run from left to right. Left to itself such a name takes the digits and the
//! punctuation beside it along, and the line says something else than was written. Templates isolate a name with `<bdi>`; here is
//! the same for plain text: titles, labels, sentences, mails. Whatever runs from left to right stays as it is.

use std::borrow::Cow;

/// FIRST STRONG ISOLATE, and what ends it.
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// Marks that turn the direction of the text around them, and so could make one name look like another.
pub const fn is_mark(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Letters of Hebrew, Arabic and the other scripts from right to left. Source: the blocks of `DerivedBidiClass.txt` whose default
/// is R or AL.
const fn runs_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// A name for the middle of a sentence.
pub fn isolated(name: &str) -> Cow<'_, str> {
    if !name.contains(runs_left) {
        return Cow::Borrowed(name);
    }
    let [begin, end] = ISOLATE;
    let inner = name.chars().filter(|c| !is_mark(*c));
    Cow::Owned(std::iter::once(begin).chain(inner).chain([end]).collect())
}

/// The length in bytes of a name that [`isolated`] made, at the beginning of this text: nothing in it reaches beyond its end.
pub fn isolated_len(text: &str) -> Option<usize> {
    let inner = text.strip_prefix(ISOLATE[0])?;
    let at = inner.find(is_mark)?;
    inner[at..].starts_with(ISOLATE[1]).then(|| ISOLATE[0].len_utf8() + at + ISOLATE[1].len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_right_to_left_is_isolated_and_any_other_is_not() {
        for name in ["Northwind Tea", "Zoë’s 茶 & 12 <b>", "🍵 2026", ""] {
            assert_eq!(isolated(name), name);
        }
        assert_eq!(isolated("متجر 12"), "\u{2068}متجر 12\u{2069}");
        assert_eq!(isolated("Tea חנות"), "\u{2068}Tea חנות\u{2069}");
        assert_eq!(
            isolated("\u{202e}متجر\u{2069}"),
            "\u{2068}متجر\u{2069}",
            "a mark of its own would end the isolation"
        );
    }

    #[test]
    fn an_isolated_name_is_known_by_its_ends() {
        assert_eq!(isolated_len(&format!("{} is on", isolated("متجر"))), Some("\u{2068}متجر\u{2069}".len()));
        for text in ["", "Tea", "\u{2068}open", "\u{2068}\u{202e}a\u{2069}", "\u{2067}a\u{2069}", "a \u{2068}b\u{2069}"]
        {
            assert_eq!(isolated_len(text), None, "{text:?}");
        }
    }
}
