//! What surrounds every page: the product's name, the person, the message of the last deed, the form token.
//! A typed field of every page struct, so that `layout.html` is checked at compile time too.

/// The frame around a page.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// `PRODUCT_NAME`.
    pub product: String,
    /// Who is signed in; `None` on the pages before sign-in.
    pub person: Option<Person>,
    /// The masked form token that every form carries in its hidden field `csrf`.
    pub csrf: String,
    /// Whether the practice store is on.
    pub practice: bool,
    /// Said once, above the content, after a redirect.
    pub banner: Option<Banner>,
    /// `SUPPORT_ADDRESS`, a `mailto:` or `https:` link.
    pub support: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub email: String,
    /// An Administrator; a Viewer looks and changes nothing.
    pub can_change: bool,
    /// `system`, `light` or `dark`.
    pub theme: &'static str,
}

/// The outcome of the last deed: a bold sentence, a plain one, a way on.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Banner {
    pub title: String,
    pub text: String,
    /// Address and text of one link.
    pub link: Option<(String, String)>,
}
