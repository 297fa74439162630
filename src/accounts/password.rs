//! Passwords: argon2id, two hashes at a time in a fair queue, with the same work for an account that does not exist.
//!
//! Keeps a thousand concurrent sign-ins from exhausting memory, and an attacker from detecting unknown accounts by
//! timing (ASVS 6.3.8).

use std::{sync::LazyLock, time::Duration};

use super::{
    Role, argon,
    fair_queue::{FairQueue, Overloaded, Waiter},
};
use secrecy::{ExposeSecret, SecretString};

/// Concurrent hashes; each takes 19 MiB and a full core. With four, a thousand concurrent sign-ins took 131 MiB; the
/// promised limit is 100 MiB.
const HASH_CONCURRENCY: usize = 2;
/// Maximum number of waiting callers, of known users and of strangers each.
const HASH_QUEUE_MAX: usize = 128;
/// Retry delay that an overloaded server gives its callers.
pub const OVERLOADED_RETRY_AFTER: Duration = Duration::from_secs(5);

/// Hash of an unguessable password, verified in place of the hash of an account that does not exist.
static DUMMY_HASH: LazyLock<String> = LazyLock::new(|| {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).expect("the system has a random source");
    argon::hash(&random)
});

/// Why a new password is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("Password must be at least 8 characters")]
    TooShort,
    #[error("Password must be 256 characters or fewer")]
    TooLong,
    #[error("That password is on the lists that attackers try first. Choose another")]
    Common,
    #[error("That password is easy to guess. Choose another, such as four random words")]
    Guessable,
}

impl PasswordError {
    /// The value of `data-class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::TooShort => "PASSWORD_TOO_SHORT",
            Self::TooLong => "PASSWORD_TOO_LONG",
            Self::Common => "PASSWORD_COMMON",
            Self::Guessable => "PASSWORD_GUESSABLE",
        }
    }
}

/// The 3,000 commonest passwords with at least 8 characters in known leaks, commonest first, in lower case. Source:
/// Royce Williams' list, as shipped with Django.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");

fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    // zxcvbn's own lists rank the few thousand passwords that attackers try first, and it recognizes "P@ssw0rd1". Its
    // number of guesses for a listed password is about the password's rank.
    COMMON_PASSWORDS.lines().any(|common| common == lower) || zxcvbn::zxcvbn(password, &[]).guesses() <= 9_000
}

/// Role, user and site of a password. The texts are words that an attacker tries first.
#[derive(Clone, Copy, Debug)]
pub struct PasswordContext<'a> {
    pub role: Role,
    pub email: &'a str,
    pub name: &'a str,
    pub product: &'a str,
    pub host: &'a str,
}

impl PasswordContext<'_> {
    /// Each text unchanged, without blanks and punctuation, and split into words.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for text in [self.email, self.name, self.product, self.host] {
            let text = text.to_lowercase();
            let parts: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|part| part.len() > 2).collect();
            words.push(parts.concat());
            words.extend(parts.iter().map(|part| (*part).to_owned()));
            words.push(text);
        }
        words
    }

    /// Minimum zxcvbn score: 2 withstands 10^6 guesses, 3 withstands 10^8.
    const fn score_min(&self) -> zxcvbn::Score {
        match self.role {
            Role::Administrator => zxcvbn::Score::Three,
            Role::Viewer => zxcvbn::Score::Two,
        }
    }

    fn is_guessable(&self, password: &str) -> bool {
        let words = self.words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        zxcvbn::zxcvbn(password, &words).score() < self.score_min()
    }
}

/// Validates a new password as received: not trimmed, not truncated (ASVS 6.2.8).
pub fn judge(password: &SecretString, context: &PasswordContext<'_>) -> Result<(), PasswordError> {
    let password = password.expose_secret();
    match password.chars().count() {
        0..8 => Err(PasswordError::TooShort),
        8..=256 if is_common(password) => Err(PasswordError::Common),
        8..=256 if context.is_guessable(password) => Err(PasswordError::Guessable),
        8..=256 => Ok(()),
        _ => Err(PasswordError::TooLong),
    }
}

/// Hashes and verifies passwords.
#[derive(Debug)]
pub struct PasswordHasher {
    queue: FairQueue,
    /// Number of hashes so far, for tests that count what an attempt costs.
    #[cfg(test)]
    pub done: std::sync::atomic::AtomicUsize,
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self {
            queue: FairQueue::new(HASH_CONCURRENCY, HASH_QUEUE_MAX),
            #[cfg(test)]
            done: std::sync::atomic::AtomicUsize::new(0),
        }
    }
}

impl PasswordHasher {
    /// Hashes a password. Returns a PHC string.
    pub async fn hash(&self, waiter: Waiter, password: SecretString) -> Result<String, Overloaded> {
        self.run(waiter, move || argon::hash(password.expose_secret().as_bytes())).await
    }

    /// Whether the password matches the hash. Without a hash it takes as long and returns `false`.
    pub async fn verify(
        &self,
        waiter: Waiter,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, Overloaded> {
        self.run(waiter, move || {
            let known = hash.is_some();
            let same = argon::verify(
                password.expose_secret().as_bytes(),
                hash.as_deref().unwrap_or_else(|| DUMMY_HASH.as_str()),
            );
            same && known
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        waiter: Waiter,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let turn = self.queue.turn(waiter).await?;
        #[cfg(test)]
        self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // The turn is released when the hash is done, even if the client disconnects earlier.
        let hashing = tokio::task::spawn_blocking(move || (work(), turn));
        Ok(hashing.await.expect("hashing does not panic").0)
    }
}

/// Whether a stored hash has other parameters than the current ones.
pub fn is_outdated(hash: &str) -> bool {
    !hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITER: Waiter = Waiter::Known(uuid::Uuid::nil());

    const PRIYA: PasswordContext<'static> = PasswordContext {
        role: Role::Administrator,
        email: "priya@northwind.example",
        name: "Priya Shah",
        product: "Order Time",
        host: "orders.example.com",
    };

    fn judged(password: &str, role: Role) -> Result<(), PasswordError> {
        judge(&SecretString::from(password), &PasswordContext { role, ..PRIYA })
    }

    #[test]
    fn words_of_the_user_and_the_product_are_rejected() {
        let own = ["priya@northwind.example", "Priya@Northwind.example", "priyashah", "Priya Shah", "priya2024"];
        let product = ["ordertime", "Order Time", "OrderTime1", "orders.example.com", "ordersexamplecom", "Welcome1!"];
        for password in own.into_iter().chain(product) {
            for role in [Role::Administrator, Role::Viewer] {
                let refused = judged(password, role);
                assert!(
                    matches!(refused, Err(PasswordError::Guessable | PasswordError::Common)),
                    "{password} {role:?}: {refused:?}"
                );
            }
        }
    }

    #[test]
    fn administrators_need_a_stronger_password() {
        for password in ["kettle42", "leafkettle"] {
            assert_eq!(judged(password, Role::Viewer), Ok(()), "{password}");
            assert_eq!(judged(password, Role::Administrator), Err(PasswordError::Guessable), "{password}");
        }
    }

    #[test]
    fn rules() {
        let long = "é".repeat(257);
        let table = [
            ("short", Err(PasswordError::TooShort)),
            ("", Err(PasswordError::TooShort)),
            (long.as_str(), Err(PasswordError::TooLong)),
            ("password", Err(PasswordError::Common)),
            ("12345678", Err(PasswordError::Common)),
            ("iloveyou", Err(PasswordError::Common)),
            ("ILoveYou", Err(PasswordError::Common)),
            ("P@ssw0rd", Err(PasswordError::Common)),
            ("four plain random words", Ok(())),
            ("correct horse battery", Ok(())),
            ("  kq7 x8#z ", Ok(())),
        ];
        for (password, verdict) in table {
            assert_eq!(judged(password, Role::Administrator), verdict, "{password:?}");
        }
        let wide: String = ('à'..='ÿ').cycle().take(256).collect();
        assert_ne!(judged(&wide, Role::Viewer), Err(PasswordError::TooLong), "characters are counted, not bytes");
    }

    #[test]
    fn commonest_passwords_are_rejected() {
        assert_eq!(COMMON_PASSWORDS.lines().collect::<std::collections::HashSet<_>>().len(), 3_000);
        for password in COMMON_PASSWORDS.lines() {
            assert_eq!(judged(password, Role::Viewer), Err(PasswordError::Common), "{password}");
        }
        // From another list, compiled from other leaks.
        for password in ["pinkfloy", "insomnia", "culinary", "greyhoun"] {
            assert_eq!(judged(password, Role::Viewer), Err(PasswordError::Common), "{password}");
        }
    }

    #[tokio::test]
    async fn a_password_is_checked_as_received() {
        let hashing = PasswordHasher::default();
        let hash = hashing.hash(WAITER, SecretString::from(" spaces stay ")).await.expect("hashed");
        assert!(!is_outdated(&hash), "{hash}");
        let is =
            async |typed: &str, hash| hashing.verify(WAITER, SecretString::from(typed), hash).await.expect("a turn");
        assert!(is(" spaces stay ", Some(hash.clone())).await);
        assert!(!is("spaces stay", Some(hash.clone())).await);
        assert!(!is(" spaces stay ", None).await);
        assert!(!is(" spaces stay ", Some("not a hash".into())).await);
    }

    #[tokio::test]
    async fn overloaded_hasher_rejects_callers() {
        let hashing = PasswordHasher { queue: FairQueue::new(1, 0), ..PasswordHasher::default() };
        let _taken = hashing.queue.turn(WAITER).await.expect("the only turn");
        assert_eq!(hashing.verify(WAITER, SecretString::from("x"), None).await, Err(Overloaded));
    }
}
