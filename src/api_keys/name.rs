//! The name of a key: what the activity calls the program that uses it.

use crate::pasted;

/// 1 to 80 characters of visible text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyNameError {
    #[error("Enter a name, such as the program that will use the key")]
    Empty,
    #[error("Name must be {} characters or fewer", ApiKeyName::MAX_LEN)]
    TooLong,
    /// A name is shown everywhere, so a secret must not be accepted as one.
    #[error("That looks like an access token or a key. Enter a name. We have not kept it here")]
    IsToken,
}

impl ApiKeyName {
    /// Maximum length in characters.
    pub const MAX_LEN: usize = 80;

    /// Reduces the name to one line of visible text.
    pub fn parse(typed: &str) -> Result<Self, ApiKeyNameError> {
        let name = pasted::one_line(typed);
        if !pasted::has_visible_text(&name) {
            return Err(ApiKeyNameError::Empty);
        }
        if pasted::redact_tokens(&name) != name {
            return Err(ApiKeyNameError::IsToken);
        }
        if name.chars().count() > Self::MAX_LEN { Err(ApiKeyNameError::TooLong) } else { Ok(Self(name)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_keys::ApiKeyText;

    #[test]
    fn names_are_one_line_of_visible_text_without_a_token() {
        let named = |typed: &str| ApiKeyName::parse(typed).map(|name| name.as_str().to_owned());
        assert_eq!(named("  sync \n prod\u{202e} "), Ok("sync prod".into()));
        assert_eq!(named(&"茶".repeat(80)), Ok("茶".repeat(80)));
        assert_eq!(named(&"茶".repeat(81)), Err(ApiKeyNameError::TooLong));
        for blank in ["", " ", "\u{200B}", "\u{3164}"] {
            assert_eq!(named(blank), Err(ApiKeyNameError::Empty), "{blank:?}");
        }
        for token in [ApiKeyText::generate().expose(), &format!("old shpat_{}", "a1".repeat(16))] {
            assert_eq!(named(token), Err(ApiKeyNameError::IsToken));
        }
    }
}
