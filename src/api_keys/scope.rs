//! What a key allows.

/// One permission of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    CartsRead,
    CartsWrite,
    CartsCheck,
    TokensIssue,
}

impl Scope {
    /// All scopes, in the order of the form.
    pub const ALL: [Self; 4] = [Self::CartsRead, Self::CartsWrite, Self::CartsCheck, Self::TokensIssue];

    /// The stored form, also used on the command line and in responses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CartsRead => "carts:read",
            Self::CartsWrite => "carts:write",
            Self::CartsCheck => "carts:check",
            Self::TokensIssue => "tokens:issue",
        }
    }

    /// What a program with this scope can do, as a sentence without its subject.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::CartsRead => "List carts, read their settings and status, and follow changes. No secrets.",
            Self::CartsWrite => "Add, change and delete carts.",
            Self::CartsCheck => "Test the saved connection of a cart.",
            Self::TokensIssue => "Get the access token of an active cart. A program with it can act in your stores.",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_parsed_from_its_stored_form() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        for text in ["", "carts", "carts:READ", "carts:read ", "tokens:*"] {
            assert_eq!(Scope::parse(text), None, "{text:?}");
        }
    }
}
