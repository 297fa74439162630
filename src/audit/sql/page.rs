//! One page of the audit log. Each combination of filters has its own statement, so that Postgres plans it with the
//! matching index. One statement with optional conditions would scan the whole log for a rare actor.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    audit::{AuditCursor, AuditEvent, AuditFilter, AuditRecord, CartRef, What},
    database::Connection,
};

struct AuditRow {
    id: Uuid,
    at: OffsetDateTime,
    actor_kind: String,
    actor_name: String,
    actor_email: Option<String>,
    event: String,
    cart_id: Option<Uuid>,
    cart_name: Option<String>,
    data: serde_json::Value,
    request_id: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
}

impl AuditRow {
    fn into_recorded(self) -> AuditRecord {
        AuditRecord {
            id: self.id,
            at: self.at,
            actor_kind: self.actor_kind,
            actor_name: self.actor_name,
            actor_email: self.actor_email,
            event: AuditEvent::of(self.event, self.data),
            cart: self.cart_id.map(|id| CartRef { id, name: self.cart_name.unwrap_or_default() }),
            request_id: self.request_id,
            ip: self.ip,
            user_agent: self.user_agent,
        }
    }
}

/// Both directions of one filter. $1 and $2 bound the time, $3 and $4 identify the row before the page, $5 is the
/// limit.
macro_rules! select_page {
    ($connection:expr, $page:expr, $filter:literal $(, $value:expr)*) => {
        if $page.is_backwards {
            sqlx::query_as!(
                AuditRow,
                "select id, at, actor_kind, actor_name, actor_email, event, cart_id, cart_name, data, request_id, ip, user_agent from audit_events
                 where at >= $1 and at < $2 and (at, id) > ($3, $4)" + $filter + " order by at, id limit $5",
                $page.from, $page.until, $page.at, $page.id, $page.limit $(, $value)*
            )
            .fetch_all(&mut *$connection)
            .await
        } else {
            sqlx::query_as!(
                AuditRow,
                "select id, at, actor_kind, actor_name, actor_email, event, cart_id, cart_name, data, request_id, ip, user_agent from audit_events
                 where at >= $1 and at < $2 and (at, id) < ($3, $4)" + $filter + " order by at desc, id desc limit $5",
                $page.from, $page.until, $page.at, $page.id, $page.limit $(, $value)*
            )
            .fetch_all(&mut *$connection)
            .await
        }
    };
}

struct PageQuery {
    is_backwards: bool,
    from: OffsetDateTime,
    until: OffsetDateTime,
    at: OffsetDateTime,
    id: Uuid,
    limit: i64,
}

/// Bounds that enclose every recorded event.
const FIRST: OffsetDateTime = time::macros::datetime!(0001-01-01 00:00 UTC);
const LAST: OffsetDateTime = time::macros::datetime!(9999-12-31 00:00 UTC);

/// Rows of a filter: newest first, or oldest first for a page before a row.
pub(in crate::audit) async fn list(
    connection: &mut Connection,
    filter: &AuditFilter,
    from: AuditCursor,
    limit: i64,
) -> sqlx::Result<Vec<AuditRecord>> {
    let (is_backwards, cursor) = match from {
        AuditCursor::Newest => (false, None),
        AuditCursor::OlderThan(id) => (false, Some(id)),
        AuditCursor::NewerThan(id) => (true, Some(id)),
    };
    let (at, id) = match cursor {
        Some(id) => match find_moment(connection, id).await? {
            Some(at) => (at, id),
            None => return Ok(Vec::new()),
        },
        None => (LAST, Uuid::max()),
    };
    let (from, until) = (filter.from.unwrap_or(FIRST), filter.until.unwrap_or(LAST));
    let page = PageQuery { is_backwards, from, until, at, id, limit };
    if filter.is_empty() {
        return Ok(Vec::new());
    }
    let rows = match (filter.cart, filter.person.as_deref(), filter.what.map(What::as_str)) {
        // Failed sign-ins have no cart and no user, so they occur only in these two cases. Each case has a partial
        // index.
        (None, None, None) if !filter.with_failed_sign_ins => {
            select_page!(connection, page, " and event <> 'could_not_sign_in'")
        }
        (None, None, Some(what)) if !filter.with_failed_sign_ins => {
            select_page!(connection, page, " and event <> 'could_not_sign_in' and what = $6", what)
        }
        (None, None, None) => select_page!(connection, page, ""),
        (None, None, Some(what)) => select_page!(connection, page, " and what = $6", what),
        (None, Some(person), None) => {
            select_page!(connection, page, " and coalesce(actor_id::text, actor_kind) = $6", person)
        }
        (None, Some(person), Some(what)) => {
            select_page!(connection, page, " and coalesce(actor_id::text, actor_kind) = $6 and what = $7", person, what)
        }
        (Some(cart), None, None) => select_page!(connection, page, " and cart_id = $6", cart),
        (Some(cart), None, Some(what)) => select_page!(connection, page, " and cart_id = $6 and what = $7", cart, what),
        (Some(cart), Some(person), None) => {
            select_page!(
                connection,
                page,
                " and cart_id = $6 and coalesce(actor_id::text, actor_kind) = $7",
                cart,
                person
            )
        }
        (Some(cart), Some(person), Some(what)) => {
            select_page!(
                connection,
                page,
                " and cart_id = $6 and coalesce(actor_id::text, actor_kind) = $7 and what = $8",
                cart,
                person,
                what
            )
        }
    }?;
    Ok(rows.into_iter().map(AuditRow::into_recorded).collect())
}

async fn find_moment(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("select at from audit_events where id = $1", id).fetch_optional(connection).await
}
