//! The signature of a webhook, as specified by Standard Webhooks (standardwebhooks.com, checked November 2026): a
//! receiver with the secret can verify the sender, the time and the content.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// Length of a new secret in bytes: above the standard's minimum of 24, and a multiple of three, so that its base64 has
/// no padding.
const LENGTH: usize = 30;

/// Secret shared with one receiver. Shown once, then sealed for the receiver's host.
pub struct SigningSecret(SecretString);

impl SigningSecret {
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0_u8; LENGTH]);
        getrandom::fill(&mut *bytes).expect("the operating system has random numbers");
        Self(format!("{PREFIX}{}", BASE64_STANDARD.encode(*bytes)).into())
    }

    /// Parses a secret that the vault opened; `None` if it is not a signing secret.
    pub(super) fn from_opened(secret: SecretString) -> Option<Self> {
        let secret = Self(secret);
        secret.key().map(|_| secret)
    }

    /// The secret, for sealing and for the one page that shows it.
    pub const fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The last four characters.
    pub fn ending(&self) -> String {
        let text = self.0.expose_secret();
        text[text.len() - 4..].to_owned()
    }

    /// The value of `webhook-signature` over `{id}.{timestamp}.{body}`; `timestamp` in seconds.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = self.key().expect("a signing secret is valid base64");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }

    fn key(&self) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.0.expose_secret().strip_prefix(PREFIX)?;
        BASE64_STANDARD.decode(text).ok().map(Zeroizing::new)
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's own example; its reference libraries test with the same values.
    #[test]
    fn standards_example_has_the_expected_signature() {
        let text = format!("{PREFIX}{}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let secret = SigningSecret::from_opened(text.into()).expect("a secret");
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_unique_and_not_printed() {
        let (one, two) = (SigningSecret::generate(), SigningSecret::generate());
        assert_ne!(one.secret().expose_secret(), two.secret().expose_secret());
        assert_eq!(format!("{one:?}"), "SigningSecret");
        assert!(one.secret().expose_secret().ends_with(&one.ending()) && one.ending().len() == 4);
        assert!(!one.secret().expose_secret().contains('='));
        assert!(SigningSecret::from_opened("whsec_???".to_owned().into()).is_none());
        assert!(SigningSecret::from_opened("c4na".to_owned().into()).is_none());
    }
}
