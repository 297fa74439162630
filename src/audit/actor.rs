//! Who did it, and from where.

use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Person {
        id: Uuid,
        name: String,
    },
    /// The server by itself.
    System,
    /// Somebody at the command line of the server.
    Operator,
    Stranger,
}

impl Actor {
    /// The name that the activity shows.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } => name,
            Self::System => "System",
            Self::Operator => "The operator",
            Self::Stranger => "Somebody",
        }
    }

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::System => "system",
            Self::Operator => "operator",
            Self::Stranger => "stranger",
        }
    }

    pub const fn id(&self) -> Option<Uuid> {
        match self {
            Self::Person { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// Where a request came from; empty for what the server and the operator do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub request_id: Option<String>,
    pub ip: Option<String>,
    /// At most 200 characters.
    pub user_agent: Option<String>,
}

/// An actor and where it acted from.
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
}
