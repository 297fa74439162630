//! The item group of newly imported items: one line of text, never a secret.

use crate::pasted::{has_visible_text, one_line, redact_tokens};

/// Maximum length of an item group, in characters.
pub const ITEM_GROUP_MAX: usize = 80;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemGroupError {
    #[error("Enter the item group that new items go into")]
    Empty,
    #[error("Item group must be {} characters or fewer", ITEM_GROUP_MAX)]
    TooLong,
    /// An item group is shown and suggested everywhere, so a secret must not be accepted as one.
    #[error("That looks like an access token. Paste it into Access Token. We have not kept it here")]
    IsToken,
}

impl ItemGroupError {
    /// The value of `data-class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Empty => "GROUP_EMPTY",
            Self::TooLong => "GROUP_TOO_LONG",
            Self::IsToken => "IS_TOKEN",
        }
    }
}

/// Parses one line of visible text; it may be empty if no items are imported.
pub fn item_group(typed: &str, is_needed: bool) -> Result<String, ItemGroupError> {
    let group = Some(one_line(typed)).filter(|group| has_visible_text(group)).unwrap_or_default();
    match group.chars().count() {
        _ if redact_tokens(&group) != group => Err(ItemGroupError::IsToken),
        0 if is_needed => Err(ItemGroupError::Empty),
        0..=ITEM_GROUP_MAX => Ok(group),
        _ => Err(ItemGroupError::TooLong),
    }
}
