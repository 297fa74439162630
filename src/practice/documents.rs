//! The GraphQL documents that the stand-in executes: exactly the project's own, and that of its example program. Any other document is rejected, as
//! Shopify rejects a field that it does not have.

/// The first request of every connection test.
const CONNECTION_TEST: &str = include_str!("../platforms/shopify/connection_test.graphql");

/// The second request, if orders and customers may be read.
const CUSTOMER_VISIBILITY: &str = include_str!("../platforms/shopify/customer_visibility.graphql");

/// One page of the store's locations, for the setting that limits stock to some of them.
const LOCATIONS: &str = include_str!("../platforms/shopify/locations.graphql");

/// The request of `docs/examples/sync.py`.
const SHOP_NAME: &str = "{ shop { name } }";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    ConnectionTest,
    CustomerVisibility,
    Locations,
    ShopName,
}

impl Operation {
    /// The operation of this document. Ignores white space, commas and comments, as GraphQL does.
    pub fn recognise(document: &str) -> Option<Self> {
        let words = words(document);
        [Self::ConnectionTest, Self::CustomerVisibility, Self::Locations, Self::ShopName]
            .into_iter()
            .find(|operation| self::words(operation.document()) == words)
    }

    /// The document itself, for tests that call the stand-in without the client.
    pub const fn document(self) -> &'static str {
        match self {
            Self::ConnectionTest => CONNECTION_TEST,
            Self::CustomerVisibility => CUSTOMER_VISIBILITY,
            Self::Locations => LOCATIONS,
            Self::ShopName => SHOP_NAME,
        }
    }
}

fn words(document: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut is_inside = false;
    for line in document.lines() {
        let code = line.split('#').next().unwrap_or_default();
        for letter in code.chars().chain(['\n']) {
            let is_name = letter.is_ascii_alphanumeric() || letter == '_';
            match words.last_mut() {
                Some(word) if is_name && is_inside => String::push(word, letter),
                _ if letter.is_whitespace() || letter == ',' => {}
                _ => words.push(letter.to_string()),
            }
            is_inside = is_name;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_ignored_and_content_is_not() {
        let squeezed = Operation::CustomerVisibility.document().replace(['\n', ','], " ").replace(" { ", "{");
        assert_eq!(Operation::recognise(&squeezed), Some(Operation::CustomerVisibility));
        let commented = Operation::ConnectionTest.document().replace('\n', "\n# why\n");
        assert_eq!(Operation::recognise(&commented), Some(Operation::ConnectionTest));
        let greedy = Operation::ConnectionTest.document().replace("{ id name", "{ id email name");
        assert_eq!(Operation::recognise(&greedy), None);
        let glued = Operation::ConnectionTest.document().replace("id name", "idname");
        assert_eq!(Operation::recognise(&glued), None);
        assert_eq!(Operation::recognise(""), None);
    }
}
