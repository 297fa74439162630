//! Queues e-mail notices about changes of a user's account, in the transaction of the change.

use uuid::Uuid;

use super::Role;
use crate::{
    alerts::{self, AccountChange, AccountNotice},
    audit::{Actor, By},
    browser_name,
    database::Connection,
    direction::bidi_isolate,
};

/// The user whose account changed.
pub(super) struct NotifiedUser<'a> {
    pub id: Uuid,
    pub name: &'a str,
}

/// Queues one notice about this change to each address.
pub(super) async fn notify(
    work: &mut Connection,
    by: &By,
    owner: NotifiedUser<'_>,
    addresses: &[&str],
    change: AccountChange,
) -> sqlx::Result<()> {
    let who = match &by.actor {
        Actor::Person { id, .. } if *id == owner.id => None,
        Actor::Person { name, email, .. } => Some(format!("{} ({email})", bidi_isolate(name))),
        Actor::Program { name, .. } => Some(format!("the program {}", bidi_isolate(name))),
        Actor::Operator => Some("the operator of the server, at its command line".to_owned()),
        Actor::System | Actor::Stranger => Some("the server".to_owned()),
    };
    let notice = AccountNotice {
        change,
        person: owner.name.to_owned(),
        by: who,
        ip: by.origin.ip.clone(),
        browser: by.origin.user_agent.as_deref().map(|agent| browser_name::of(Some(agent))),
    };
    alerts::queue_notice(work, addresses, notice).await
}

/// The change of role, with the role names that the pages show.
pub(super) fn role_change(before: Role, after: Role) -> AccountChange {
    let word = |role| match role {
        Role::Administrator => "Administrator".to_owned(),
        Role::Viewer => "Viewer".to_owned(),
    };
    AccountChange::Role { before: word(before), after: word(after) }
}
