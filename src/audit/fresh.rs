//! Proof of a recent password confirmation, and what stands for it where a program acts. Defined here, below every
//! operation that requires it; only `accounts` creates the first, only the API's caller the second.

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

/// Proof that a program's key has the scope to change carts, which stands for the password of a user: a program has none.
#[derive(Clone, Copy, Debug)]
pub struct WriteScope(());

impl WriteScope {
    /// Creates the proof. Call it only after checking the scope of a live key. A test allows only one place to call it.
    pub(crate) const fn granted() -> Self {
        Self(())
    }
}

/// What allows an operation that removes something.
#[derive(Clone, Copy, Debug)]
pub enum Confirmation {
    Password(Fresh),
    Scope(WriteScope),
}

impl From<Fresh> for Confirmation {
    fn from(fresh: Fresh) -> Self {
        Self::Password(fresh)
    }
}

impl From<WriteScope> for Confirmation {
    fn from(scope: WriteScope) -> Self {
        Self::Scope(scope)
    }
}
