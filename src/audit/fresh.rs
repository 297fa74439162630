//! The proof that a password was entered a moment ago. It stands here, below all verbs that demand it; `accounts` hands it out.

/// The proof that a password was entered within the last ten minutes: a verb that needs it cannot be called without. Stops
/// whoever finds a browser open, or steals a session, from staying, and from taking anything away (ASVS 7.5.3).
#[derive(Clone, Copy, Debug)]
pub struct Fresh(());

impl Fresh {
    /// For whoever has compared the password or the time of its entry. A test refuses any other caller than `accounts`.
    pub(crate) const fn proved() -> Self {
        Self(())
    }
}
