//! Why a program gets no token, as a problem.

use std::time::Duration;

use crate::{
    carts::{
        CartId,
        state::Unscheduled,
        token_issue::{IssueError, Withheld},
    },
    causes::Class,
    web::api::problem::{Problem, ProblemKind},
};

/// When a token that is being renewed is worth asking for again.
const RETRY_BUSY: Duration = Duration::from_secs(2);
/// The same after a renewal that failed for a reason that may be over soon.
const RETRY_FAILED: Duration = Duration::from_secs(30);
/// The same for a secret that needs the operator.
const RETRY_UNREADABLE: Duration = Duration::from_mins(1);

pub(super) fn problem_of(error: IssueError, cart: CartId) -> Problem {
    match error {
        IssueError::NoCart => Problem::no_such_cart(),
        IssueError::NotInUse(why) => Problem::new(ProblemKind::NotActive, not_in_use(why)).about(cart),
        IssueError::Withheld(withheld) => of_withheld(&withheld).about(cart),
        IssueError::Unreadable => {
            let detail = "The server cannot read the saved secret. Its operator restores the key, or a person enters the \
                secret again.";
            let problem = Problem::new(ProblemKind::Unavailable, detail).with_class(Class::OurKey);
            problem.about(cart).retry_after(RETRY_UNREADABLE)
        }
        IssueError::ShortLived { lives } => {
            let detail = format!(
                "Tokens of this app live {} seconds in all. Ask for less than three quarters of that.",
                lives.as_secs()
            );
            Problem::new(ProblemKind::Conflict, detail).about(cart)
        }
        IssueError::TooManyReports(wait) => {
            let detail = "This key reported too many refused tokens of this cart. Wait as long as Retry-After says.";
            Problem::new(ProblemKind::TooManyRequests, detail).about(cart).retry_after(wait)
        }
        IssueError::Busy => {
            let detail = "The token is being renewed. Ask again.";
            Problem::new(ProblemKind::Unavailable, detail).about(cart).retry_after(RETRY_BUSY)
        }
        IssueError::Broken(broken) => Problem::from(broken),
    }
}

fn of_withheld(withheld: &Withheld) -> Problem {
    let (class, since) = (withheld.class, withheld.since);
    if withheld.is_refusal() {
        let detail = format!("{}. {}", withheld.title, withheld.next_step);
        return Problem::new(ProblemKind::StoreRefuses, detail).with_class(class).since(since);
    }
    let detail = format!("{}. The token could not be renewed; the server tries again.", withheld.title);
    Problem::new(ProblemKind::Unavailable, detail).with_class(class).since(since).retry_after(RETRY_FAILED)
}

const fn not_in_use(why: Unscheduled) -> &'static str {
    match why {
        Unscheduled::PracticeIsOff => "The cart belongs to the practice store, which is off.",
        Unscheduled::NoCredential => "The cart is disconnected: no credential is saved.",
        Unscheduled::Draft => "The cart is a draft: its saved credential has not passed a test yet.",
        Unscheduled::IntegrationIsOff => "Ecommerce Integration is off.",
        Unscheduled::Inactive => "The cart is inactive. A person turns it on.",
    }
}
