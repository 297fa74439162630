//! Proof that the password was repeated recently. Defined here, below every operation that requires it; only `accounts` creates it.

/// Proof that the user entered their password within the last ten minutes. Operations that remove something or grant access
/// take it as a parameter, so that an open browser or a stolen session is not enough (ASVS 7.5.3).
#[derive(Clone, Copy, Debug)]
pub struct Fresh(());

impl Fresh {
    /// Call it after checking the password or the time of its entry. A test allows no caller but `accounts`.
    pub(crate) const fn proved() -> Self {
        Self(())
    }
}
