//! The texts about a problem of this server that many carts share, and about its recovery.

use time::OffsetDateTime;

use super::{SiteInfo, cause, moment, numbered};
use crate::{alerts::SharedProblem, clock::lasted};

pub(super) fn problem_subject(problem: &SharedProblem) -> String {
    format!("{} fail for one reason: {}", carts(problem.carts), cause(problem.cause.title()))
}

pub(super) fn problem(problem: &SharedProblem, house: &SiteInfo) -> String {
    // The count of active carts may be older than the count of failing carts.
    let active = problem.active.max(problem.carts);
    [
        format!(
            "{} of {active} carts have been failing since {} for one reason: {}. The stores and their credentials are not \
             the cause.",
            problem.carts,
            moment(problem.since),
            cause(problem.cause.title())
        ),
        format!("What to do: {}", numbered(problem.cause.todo(house))),
        "This is the one message for all of these carts; another follows when it is over. Orders are safe in Shopify and come \
         in when the connection is back."
            .into(),
    ]
    .join("\n")
}

pub(super) fn over(at: OffsetDateTime, problem: &SharedProblem) -> String {
    let lasted = lasted(at - problem.since);
    let ended = format!("\"{}\" lasted {lasted} and ended on {}.", problem.cause.title(), moment(at));
    match problem.still_failing {
        0 => format!("{ended} No cart fails for it any more. Nothing to do."),
        1 => format!("{ended} 1 cart still fails for it: look at its health."),
        still => format!("{ended} {still} carts still fail for it: look at their health."),
    }
}

fn carts(n: i64) -> String {
    if n == 1 { "1 cart".into() } else { format!("{n} carts") }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::{house, write};
    use crate::{
        alerts::{Alert, SharedProblem, SiteInfo},
        causes::SharedCause,
        outbound::egress_addresses::EgressAddresses,
    };

    fn problem(cause: SharedCause) -> SharedProblem {
        let since = datetime!(2026-11-21 08:14:40 UTC);
        SharedProblem { cause, class: "X".into(), carts: 40, active: 42, still_failing: 0, since }
    }

    fn text(alert: &Alert, house: &SiteInfo) -> (String, String) {
        let letter = write(&[(datetime!(2026-11-21 08:54:40 UTC), alert)], 42, house).expect("a message");
        (letter.subject, letter.text)
    }

    #[test]
    fn server_problem_does_not_blame_the_stores() {
        for cause in SharedCause::ALL {
            let (subject, text) = text(&Alert::ServerProblem(problem(cause)), &house());
            assert!(subject.starts_with("40 carts fail for one reason: "), "{subject}");
            assert!(text.starts_with("40 of 42 carts have been failing since 21 November 2026 at 08:14 UTC"), "{text}");
            assert!(text.contains("The stores and their credentials are not the cause."), "{text}");
            assert!(text.contains("What to do: 1. ") && text.matches("://").count() == 1, "{text}");
        }
    }

    #[test]
    fn refused_address_lists_the_addresses_to_enter() {
        let addresses = EgressAddresses::parse("8.8.4.4 1.1.1.0/24").expect("public addresses");
        let listed = SiteInfo { egress_addresses: addresses, ..house() };
        let alert = Alert::ServerProblem(problem(SharedCause::Address));
        assert!(text(&alert, &listed).1.contains("calls from: 8.8.4.4, 1.1.1.0/24. If the server has moved"));
        assert!(text(&alert, &house()).1.contains("list them in CARTWRIGHT_EGRESS_ADDRESSES."));
    }

    #[test]
    fn recovery_contains_its_duration_and_the_carts_still_failing() {
        let (subject, over) = text(&Alert::ServerRecovered(problem(SharedCause::Network)), &house());
        assert_eq!(subject, "This server reaches Shopify again");
        assert!(over.contains("lasted 40 minutes and ended on 21 November 2026 at 08:54 UTC."), "{over}");
        assert!(over.contains("Nothing to do."), "{over}");
        let left = SharedProblem { still_failing: 2, ..problem(SharedCause::Network) };
        assert!(text(&Alert::ServerRecovered(left), &house()).1.contains("2 carts still fail for it"));
    }
}
