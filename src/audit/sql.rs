//! SQL of the audit log: insert and select only.

pub(super) mod chain;
pub(super) mod events;
pub(super) mod months;
pub(super) mod names;
pub(super) mod page;
pub(super) mod permission;

#[cfg(test)]
mod tests;
