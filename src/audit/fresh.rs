//! Proof of a recent password confirmation. Defined here, below every operation that requires it; only `accounts`
//! creates it.

/// Proof that the user entered their password within the last ten minutes. Operations that remove something or grant
/// access take it as a parameter, so that an unattended browser or a stolen session is not enough (ASVS 7.5.3).
#[derive(Clone, Copy, Debug)]
pub struct Fresh(());

impl Fresh {
    /// Creates the proof. Call it only after checking the password or the time of its entry. A test allows only
    /// `accounts` to call it.
    pub(crate) const fn proved() -> Self {
        Self(())
    }
}
