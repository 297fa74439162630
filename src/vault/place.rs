//! Where a secret is stored, and the only host to which it may be sent. Used as the associated data of its ciphertext.

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

/// Table, column, row, kind and host of a secret. The secret opens only if all of them match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub table: &'static str,
    pub column: &'static str,
    pub row: Uuid,
    pub kind: SecretKind,
    /// The host name exactly as the connection uses it.
    pub host: &'a str,
}

impl<'a> Place<'a> {
    pub const fn access_token(cart: Uuid, host: &'a str) -> Self {
        Self { table: "carts", column: "secret", row: cart, kind: SecretKind::AccessToken, host }
    }

    pub const fn client_secret(cart: Uuid, host: &'a str) -> Self {
        Self { table: "carts", column: "secret", row: cart, kind: SecretKind::ClientSecret, host }
    }

    pub const fn minted_token(cart: Uuid, host: &'a str) -> Self {
        Self { table: "carts", column: "minted_token", row: cart, kind: SecretKind::MintedToken, host }
    }

    pub const fn unsaved(submission: Uuid, host: &'a str) -> Self {
        Self { table: "unsaved_credentials", column: "secret", row: submission, kind: SecretKind::Unsaved, host }
    }

    pub const fn alert_secret(webhook: Uuid, host: &'a str) -> Self {
        Self { table: "alert_webhooks", column: "secret", row: webhook, kind: SecretKind::AlertSecret, host }
    }

    pub const fn alert_address(webhook: Uuid, host: &'a str) -> Self {
        Self { table: "alert_webhooks", column: "sealed_address", row: webhook, kind: SecretKind::AlertAddress, host }
    }

    /// Encodes six fields, each with its length as a two-byte big-endian prefix.
    pub(super) fn associated_data(&self) -> Vec<u8> {
        let fields: [&[u8]; 6] = [
            b"cartwright/v1",
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row.as_bytes(),
            self.kind.as_str().as_bytes(),
            self.host.as_bytes(),
        ];
        assert!(!self.host.is_empty(), "a secret always has a host");
        let mut data = Vec::with_capacity(128);
        for field in fields {
            let length = u16::try_from(field.len()).expect("names and hosts are far below 64 KiB");
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(field);
        }
        data
    }
}
