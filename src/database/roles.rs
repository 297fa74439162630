//! The two database roles: the owner, which owns every table and applies migrations, and the runtime role, which serves
//! requests and owns nothing. The runtime role reads and writes rows; on the audit log it has only `select` and
//! `insert`.

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Pool;

/// Advisory lock of [`grant`]: without it, two instances that start together would update the same catalogue rows.
const GRANT_LOCK: i64 = 0x6361_7274_0001;

/// Privileges of a connection's role, as the database reports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFacts {
    pub name: String,
    pub is_superuser: bool,
    /// A superuser that the role can become with `SET ROLE`.
    pub superuser_by_membership: Option<String>,
    /// The role owns the audit log's tables, is a member of their owner, or has more privileges on them than `select`
    /// and `insert`.
    pub may_change_activity: bool,
}

impl RoleFacts {
    /// Reads the privileges of this pool's role. If there are no tables yet, only an owner of the schema could change
    /// the audit log later.
    pub async fn read(pool: &Pool) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"
            select current_user::text as "name!", r.rolsuper as "is_superuser!",
                (select s.rolname::text from pg_roles s
                 where s.rolsuper and not r.rolsuper and pg_has_role(r.oid, s.oid, 'member') order by 1 limit 1) as superuser_by_membership,
                exists (
                    select from pg_class c
                    where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
                        and (c.relname like 'audit\_events%' or c.relname = 'audit_links') and c.relkind in ('r', 'p')
                        and (pg_has_role(r.oid, c.relowner, 'member') or has_table_privilege(r.oid, c.oid, 'update, delete, truncate, trigger'))
                ) as "may_change_activity!"
            from pg_roles r where r.rolname = current_user
            "#
        )
        .fetch_one(pool)
        .await
    }
}

/// Grants the runtime role what it needs to serve, and revokes what it must not have. Run by the owner after each
/// migration; changes nothing if all grants are correct already.
///
/// # Errors
/// The role does not exist, or the owner lacks the privilege to grant.
pub async fn grant(owner: &Pool, runtime: &str) -> anyhow::Result<()> {
    let mut connection = owner.connect().await.context("reaching the database")?;
    let granted = grant_missing(&mut connection, runtime).await;
    connection.close().await.ok();
    granted.with_context(|| format!("granting the role {runtime} what it needs"))
}

async fn grant_missing(connection: &mut PgConnection, runtime: &str) -> sqlx::Result<()> {
    let mut work = connection.begin().await?;
    // Another instance may hold the lock while it grants.
    sqlx::query("select set_config('lock_timeout', '0', true), pg_advisory_xact_lock($1)")
        .bind(GRANT_LOCK)
        .execute(&mut *work)
        .await?;
    let missing = sqlx::query_file_scalar!("src/database/grants.sql", runtime).fetch_all(&mut *work).await?;
    for statement in missing {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *work).await?;
    }
    work.commit().await
}

#[cfg(test)]
pub(crate) mod tests;
