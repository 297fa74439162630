//! The actor of an audit event and the source of its request.

use uuid::Uuid;

/// Idle timeout and absolute timeout of a session, in minutes.
pub const IDLE_MINUTES: i32 = 30;
pub const ABSOLUTE_MINUTES: i32 = 12 * 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Person {
        id: Uuid,
        name: String,
        email: String,
        authority: Authority,
    },
    /// A program that presented a live API key; `name` is the name of the key.
    Program {
        key: Uuid,
        name: String,
    },
    /// The server itself.
    System,
    /// The operator, who uses the server's command line.
    Operator,
    Stranger,
}

/// The credential against which a user's change is checked, in the transaction that writes the change. See
/// [`demand`](super::demand).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A session with this ID hash. It must be live, and its account must be enabled and have the required role.
    Session(Vec<u8>),
    /// Background work that a live session started and that continues without it. Only the account must be enabled and
    /// have the required role.
    Started,
}

impl Actor {
    /// The name that the activity pages show.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } | Self::Program { name, .. } => name,
            Self::System => "System",
            Self::Operator => "The operator",
            Self::Stranger => "Somebody",
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::Program { .. } => "program",
            Self::System => "system",
            Self::Operator => "operator",
            Self::Stranger => "stranger",
        }
    }

    /// The ID of a user, or of a program's key.
    pub const fn id(&self) -> Option<Uuid> {
        match self {
            Self::Person { id, .. } | Self::Program { key: id, .. } => Some(*id),
            Self::System | Self::Operator | Self::Stranger => None,
        }
    }

    /// The e-mail address of a user.
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Person { email, .. } => Some(email),
            Self::Program { .. } | Self::System | Self::Operator | Self::Stranger => None,
        }
    }
}

/// Source of a request; empty for the server and the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub request_id: Option<String>,
    pub ip: Option<String>,
    /// At most 200 characters.
    pub user_agent: Option<String>,
}

/// An actor and the source of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub origin: Origin,
}

impl By {
    pub fn operator() -> Self {
        Self { actor: Actor::Operator, origin: Origin::default() }
    }

    pub fn system() -> Self {
        Self { actor: Actor::System, origin: Origin::default() }
    }

    pub const fn stranger(origin: Origin) -> Self {
        Self { actor: Actor::Stranger, origin }
    }

    pub fn name(&self) -> &str {
        self.actor.name()
    }

    /// The same actor for background work that continues after the session ends. Call this only after the start was
    /// permitted.
    #[must_use]
    pub fn started(mut self) -> Self {
        if let Actor::Person { authority, .. } = &mut self.actor {
            *authority = Authority::Started;
        }
        self
    }
}
