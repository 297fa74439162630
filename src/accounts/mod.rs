//! User accounts: users, their passwords and sessions, and the one-time links that sign in without a password.

mod argon;
mod device;
mod fair_queue;
mod links;
mod login_throttle;
mod notices;
mod own_account;
pub mod password;
mod roles;
mod session;
mod sessions;
mod sign_in;
mod sql;
mod user;
mod users;

use std::sync::Arc;

use uuid::Uuid;

pub use crate::audit::{ABSOLUTE_MINUTES, Fresh, IDLE_MINUTES};
pub use device::DeviceCookie;
pub use links::{LinkError, LinkOwner, LinkSignIn, Purpose};
pub use own_account::{AccountDetails, ConfirmError, DetailsError};
pub use roles::UserChangeError;
pub use session::{BrowserSecret, FRESH_MINUTES, SessionEnd};
pub use sessions::{OpenSession, Session};
pub use sign_in::SignInError;
pub use user::{Email, EmailError, PersonName, PersonNameError, Role, User, theme};
pub use users::{AddError, FindUserError, Invitation, KnownUser, NewUser, Presence};

use crate::{
    audit::{Actor, Authority, By, Origin},
    database::{Connection, Pool},
    vault::Vault,
};
use fair_queue::FairQueue;
use password::{PasswordContext, PasswordHasher};

/// Handle for all account operations.
#[derive(Clone, Debug)]
pub struct Accounts {
    pool: Pool,
    hashing: Arc<PasswordHasher>,
    /// Queue in front of the database: sign-ins use at most eight connections; surplus attempts wait or are refused at
    /// little cost.
    line: FairQueue,
    /// For keyed digests of unknown addresses. `None` on the command line, where nobody signs in.
    vault: Option<Arc<Vault>>,
    /// Product name and host of this server: words that make a password guessable.
    site: Arc<SiteWords>,
}

/// Words of the site that a password must not consist of, in addition to the user's address and name.
#[derive(Debug, Default)]
struct SiteWords {
    product: String,
    host: String,
}

impl Accounts {
    pub fn new(pool: Pool) -> Self {
        Self { pool, hashing: Arc::default(), line: FairQueue::new(8, 128), vault: None, site: Arc::default() }
    }

    /// Sets the product name and host of this server.
    #[must_use]
    pub fn with_site(self, product: &str, host: &str) -> Self {
        Self { site: Arc::new(SiteWords { product: product.to_owned(), host: host.to_owned() }), ..self }
    }

    /// The context in which a password of this user is judged.
    pub fn password_context<'a>(&'a self, role: Role, email: &'a str, name: &'a str) -> PasswordContext<'a> {
        PasswordContext { role, email, name, product: &self.site.product, host: &self.site.host }
    }

    #[must_use]
    pub fn with_vault(self, vault: Arc<Vault>) -> Self {
        Self { vault: Some(vault), ..self }
    }
}

/// Opens a session for a user. Also returns the user as the actor of that session.
async fn open_session(
    work: &mut Connection,
    (id, name, email): (Uuid, String, String),
    origin: Origin,
) -> sqlx::Result<(BrowserSecret, By)> {
    let secret = BrowserSecret::generate();
    sql::sessions::insert(work, &secret.hash(), id, &origin).await?;
    let authority = Authority::Session(secret.hash());
    Ok((secret, By { actor: Actor::Person { id, name, email, authority }, origin }))
}

/// Ends a user's sessions except `but`. Returns how many were still open.
async fn end_sessions(work: &mut Connection, user: Uuid, but: Option<&[u8]>) -> sqlx::Result<u64> {
    sql::users::save_last_seen(work, user).await?;
    sql::sessions::delete_all(work, user, but).await
}

#[cfg(test)]
mod tests;
