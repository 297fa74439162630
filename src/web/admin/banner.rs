//! The message that a page shows once, after an action.

/// The outcome of the last action: a bold sentence, a plain one, a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Banner {
    /// Bold; ends in a full stop.
    pub title: String,
    pub text: String,
    /// Address and text of one link.
    pub link: Option<(String, String)>,
    /// One word for the page title, such as `Saved`; may be empty.
    #[serde(default)]
    pub short: String,
    #[serde(default)]
    pub tone: Tone,
}

/// Colour and icon of a message; its text never relies on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    #[default]
    Ok,
    Warn,
    Bad,
    Info,
}

impl Tone {
    /// The class in the style sheet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
        }
    }

    /// The symbol in the sprite.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Ok => "check",
            Self::Warn => "warn",
            Self::Bad => "x",
            Self::Info => "info",
        }
    }
}
