//! SQL of the alerts. Uses the database clock, because it is the only one that replicas share.

pub(super) mod deliveries;
pub(super) mod mails;
pub(super) mod rotation;
pub(super) mod settings;
pub(super) mod shared;
pub(super) mod webhooks;
