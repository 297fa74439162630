//! The target of a request to the stand-in.

/// The target of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Exchanges Client ID and Client secret for a token.
    Exchange,
    ConnectionTest,
    CustomerVisibility,
    Locations,
    ShopName,
    /// GraphQL that is not one of our documents.
    Foreign,
    Nowhere,
}
