//! Where a secret is stored, and the only store and host to which it may be sent. Used as the associated data of its
//! ciphertext.

use uuid::Uuid;

/// The kind of a sealed secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    AccessToken,
    ClientSecret,
    MintedToken,
    Unsaved,
    AlertSecret,
    AlertAddress,
}

impl SecretKind {
    pub const ALL: [Self; 6] = [
        Self::AccessToken,
        Self::ClientSecret,
        Self::MintedToken,
        Self::Unsaved,
        Self::AlertSecret,
        Self::AlertAddress,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::ClientSecret => "client_secret",
            Self::MintedToken => "minted_token",
            Self::Unsaved => "unsaved",
            Self::AlertSecret => "alert_secret",
            Self::AlertAddress => "alert_address",
        }
    }
}

/// What a secret is for: a store, and the generation of the secret. The vault knows platforms by their stored name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Empty, as `key` is, for a secret that belongs to no store.
    pub platform: &'a str,
    /// What is unique among the stores of the platform.
    pub key: &'a str,
    /// The host name exactly as the connection uses it.
    pub host: &'a str,
    /// Raised whenever the secret is entered or deleted, so that an earlier secret does not open in its place. 0 if the
    /// secret has no generations.
    pub generation: i64,
}

impl<'a> Binding<'a> {
    /// A secret for a host that is no store.
    const fn host(host: &'a str) -> Self {
        Self { platform: "", key: "", host, generation: 0 }
    }
}

/// Table, column, row and kind of a secret, and what it is for. The secret opens only if all of them match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub table: &'static str,
    pub column: &'static str,
    pub row: Uuid,
    pub kind: SecretKind,
    pub binding: Binding<'a>,
}

impl<'a> Place<'a> {
    pub const fn access_token(cart: Uuid, binding: Binding<'a>) -> Self {
        Self { table: "carts", column: "secret", row: cart, kind: SecretKind::AccessToken, binding }
    }

    pub const fn client_secret(cart: Uuid, binding: Binding<'a>) -> Self {
        Self { table: "carts", column: "secret", row: cart, kind: SecretKind::ClientSecret, binding }
    }

    pub const fn minted_token(cart: Uuid, binding: Binding<'a>) -> Self {
        Self { table: "carts", column: "minted_token", row: cart, kind: SecretKind::MintedToken, binding }
    }

    pub const fn unsaved(submission: Uuid, binding: Binding<'a>) -> Self {
        Self { table: "unsaved_credentials", column: "secret", row: submission, kind: SecretKind::Unsaved, binding }
    }

    pub const fn alert_secret(webhook: Uuid, host: &'a str) -> Self {
        let binding = Binding::host(host);
        Self { table: "alert_webhooks", column: "secret", row: webhook, kind: SecretKind::AlertSecret, binding }
    }

    pub const fn alert_address(webhook: Uuid, host: &'a str) -> Self {
        let binding = Binding::host(host);
        Self {
            table: "alert_webhooks",
            column: "sealed_address",
            row: webhook,
            kind: SecretKind::AlertAddress,
            binding,
        }
    }

    /// Encodes all nine fields for the format that is written.
    pub(super) fn associated_data(&self) -> Vec<u8> {
        let Binding { platform, key, host, generation } = self.binding;
        self.encode(
            b"cartwright/v2",
            &[platform.as_bytes(), key.as_bytes(), host.as_bytes(), &generation.to_be_bytes()],
        )
    }

    /// Encodes the six fields that secrets of earlier versions are bound to.
    pub(super) fn former_associated_data(&self) -> Vec<u8> {
        self.encode(b"cartwright/v1", &[self.binding.host.as_bytes()])
    }

    /// Encodes each field with its length as a two-byte big-endian prefix.
    fn encode(&self, version: &[u8], bound_to: &[&[u8]]) -> Vec<u8> {
        assert!(!self.binding.host.is_empty(), "a secret always has a host");
        let row: [&[u8]; 5] = [
            version,
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row.as_bytes(),
            self.kind.as_str().as_bytes(),
        ];
        let mut data = Vec::with_capacity(160);
        for field in row.iter().chain(bound_to) {
            let length = u16::try_from(field.len()).expect("names and hosts are far below 64 KiB");
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(field);
        }
        data
    }
}
