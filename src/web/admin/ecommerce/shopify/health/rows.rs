//! The rows of the tab's three tables: problems, checks, days.

use time::OffsetDateTime;

use crate::{
    carts::health::{HealthDay, PastCheck, PastProblem},
    causes::Class,
    clock::lasted,
    direction::bidi_isolate,
    web::admin::filters::{self, Moment},
};

#[derive(Clone, Debug)]
pub struct ProblemRow {
    pub began: Moment,
    pub ended: Option<Moment>,
    pub lasted: String,
    pub title: String,
    pub how: String,
}

impl ProblemRow {
    pub(super) fn of(problem: &PastProblem, now: OffsetDateTime) -> Self {
        let how = match (&problem.ended_at, &problem.ended_by) {
            (None, _) => "Not over yet".to_owned(),
            (Some(_), None) => "Ended by itself".to_owned(),
            (Some(_), Some(name)) => format!("Ended by a change of {}'s", bidi_isolate(name)),
        };
        Self {
            began: Moment::exactly(problem.began_at),
            ended: problem.ended_at.map(Moment::exactly),
            lasted: lasted(problem.ended_at.unwrap_or(now) - problem.began_at),
            title: problem.title.clone(),
            how,
        }
    }
}

#[derive(Clone, Debug)]
pub struct CheckRow {
    pub at: Moment,
    pub passed: bool,
    pub title: String,
    pub took: Option<String>,
}

impl CheckRow {
    pub(super) fn of(check: &PastCheck, now: OffsetDateTime, title: String) -> Self {
        let title = if check.class == Class::Connected { "Passed".into() } else { title };
        // A check does not record how many permissions were missing.
        let title =
            if check.class == Class::ScopesMissing { "Connected, but permissions are missing".into() } else { title };
        Self {
            at: Moment::new(check.at, now),
            passed: check.passed(),
            title,
            took: check.took_ms.map(filters::duration),
        }
    }
}

#[derive(Clone, Debug)]
pub struct DayRow {
    pub day: String,
    pub checks: u32,
    pub failed: u32,
    pub slowest: Option<String>,
}

impl DayRow {
    pub(super) fn of(day: &HealthDay) -> Self {
        Self {
            day: filters::date(day.day.midnight().assume_utc()),
            checks: day.checks,
            failed: day.failed,
            slowest: day.slowest_ms.map(filters::duration),
        }
    }
}
