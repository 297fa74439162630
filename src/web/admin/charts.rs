//! Chart geometry, rendered as SVG by `components/charts.html` with classes only, so that the themes and the content
//! security policy hold. Uses whole numbers and relative steps, because a page may contain fifty charts.

use std::fmt::Write as _;

use time::{Date, Duration};

use crate::carts::health::{DAYS, HealthDay, PastCheck, RECENT};

/// The response times of the passed checks as a line, and a block below it for each failed check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChart {
    /// Path data (`d`) of the line.
    pub line: String,
    /// Path data (`d`) of the blocks.
    pub blocks: String,
    /// Height of the drawing; its width is [`LineChart::WIDTH`].
    pub height: i32,
    /// The chart's text alternative.
    pub label: String,
}

/// Horizontal distance between two checks.
const STEP: i32 = 4;

impl LineChart {
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "RECENT is 30")]
    pub const WIDTH: i32 = RECENT as i32 * STEP;

    /// `None` without checks. The newest check is at the right; the median time is at a third of the height.
    pub fn of(checks: &[PastCheck], height: i32) -> Option<Self> {
        if checks.is_empty() {
            return None;
        }
        let (bottom, block) = (height * 5 / 8, height / 4);
        let top_ms = typical(checks).map_or(1, |ms| i64::from(ms).max(1) * 3);
        let (mut line, mut blocks, mut pen) = (String::new(), String::new(), None);
        let begin = Self::WIDTH - STEP * i32::try_from(checks.len()).unwrap_or(0) + STEP / 2;
        for (x, check) in (begin..).step_by(STEP.unsigned_abs() as usize).zip(checks) {
            match check.took_ms.filter(|_| check.passed()) {
                Some(ms) => {
                    let up = i64::from(bottom - 2) * i64::from(ms).min(top_ms) / top_ms;
                    let y = bottom - i32::try_from(up).unwrap_or(0);
                    // writing to a String cannot fail
                    let _ = match pen {
                        Some(last) => write!(line, "l{STEP} {}", y - last),
                        None => write!(line, "M{x} {y}l0 0"),
                    };
                    pen = Some(y);
                }
                None if check.passed() => pen = None,
                None => {
                    let (left, width, top) = (x - 1, STEP - 1, height - block);
                    let _ = write!(blocks, "M{left} {top}h{width}v{block}h-{width}z");
                    pen = None;
                }
            }
        }
        Some(Self { line, blocks, height, label: label(checks) })
    }
}

/// "Last 30 checks: 27 passed, 3 failed".
fn label(checks: &[PastCheck]) -> String {
    let failed = checks.iter().filter(|check| !check.passed()).count();
    let passed = checks.len() - failed;
    let of = if checks.len() == 1 { "Last check".to_owned() } else { format!("Last {} checks", checks.len()) };
    match failed {
        0 => format!("{of}: {passed} passed"),
        _ => format!("{of}: {passed} passed, {failed} failed"),
    }
}

/// The median response time, in milliseconds.
pub fn typical(checks: &[PastCheck]) -> Option<u32> {
    let mut times: Vec<u32> = checks.iter().filter_map(|check| check.took_ms).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

/// One bar per day. A failed day is taller and notched, so that its shape differs too; a day without checks is a stub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayChart {
    pub well: String,
    /// Days on which fewer than half of the checks failed.
    pub some: String,
    /// Days on which at least half of the checks failed.
    pub most: String,
    pub none: String,
    pub label: String,
}

impl DayChart {
    /// Width of a day, including its gap.
    const DAY: i32 = 7;
    #[expect(clippy::cast_possible_truncation, reason = "DAYS is 90")]
    pub const WIDTH: i32 = DAYS as i32 * Self::DAY;
    pub const HEIGHT: i32 = 40;

    /// The ninety days up to and including `today`.
    pub fn of(days: &[HealthDay], today: Date) -> Self {
        let mut strip = Self::default();
        let (mut well, mut failed) = (0, 0);
        for (n, x) in (0..DAYS).zip((0..).step_by(Self::DAY.unsigned_abs() as usize)) {
            let date = today - Duration::days(DAYS - 1 - n);
            let bar = match days.iter().find(|day| day.day == date).map(|day| (day.checks, day.failed)) {
                None | Some((0, _)) => {
                    let _ = write!(strip.none, "M{x} 36h5v4h-5z");
                    continue;
                }
                Some((_, 0)) => {
                    well += 1;
                    let _ = write!(strip.well, "M{x} 10h5v30h-5z");
                    continue;
                }
                Some((checks, bad)) if bad * 2 >= checks => &mut strip.most,
                Some(_) => &mut strip.some,
            };
            failed += 1;
            let _ = write!(bar, "M{x} 0h2v8h1v-8h2v40h-5z");
        }
        let days = |n: i32| if n == 1 { "1 day".to_owned() } else { format!("{n} days") };
        strip.label =
            format!("Last 90 days: {} without a failed check, {} with failed checks", days(well), days(failed));
        strip
    }
}

/// "99.6%"; rounded down, so that only a period without failures shows 100%.
pub fn passed_share(days: &[HealthDay]) -> Option<String> {
    let sum = |of: fn(&HealthDay) -> u32| days.iter().map(of).map(u64::from).sum::<u64>();
    let (checks, failed) = (sum(|day| day.checks), sum(|day| day.failed));
    let share = ((checks - failed) * 1000).checked_div(checks)?;
    Some(if failed == 0 { "100%".to_owned() } else { format!("{}.{}%", share / 10, share % 10) })
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;
    use crate::causes::Class;

    fn check(took_ms: Option<u32>) -> PastCheck {
        let class = if took_ms.is_some() { Class::Connected } else { Class::ShopifyDown };
        PastCheck { at: datetime!(2026-11-21 08:14 UTC), class, took_ms }
    }

    #[test]
    fn no_checks_draw_no_line() {
        assert_eq!(LineChart::of(&[], 24), None);
    }

    #[test]
    fn equal_times_draw_a_flat_line_that_ends_at_the_right() {
        let line = LineChart::of(&[check(Some(200)); 3], 24).expect("a line");
        assert_eq!(line.line, "M110 11l0 0l4 0l4 0");
        assert_eq!((line.blocks.as_str(), line.label.as_str()), ("", "Last 3 checks: 3 passed"));
    }

    #[test]
    fn failed_check_breaks_the_line_and_draws_a_block() {
        let line = LineChart::of(&[check(Some(200)), check(None), check(Some(9000))], 24).expect("a line");
        assert_eq!(line.line, "M110 15l0 0M118 11l0 0");
        assert_eq!(line.blocks, "M113 18h3v6h-3z");
        assert_eq!(line.label, "Last 3 checks: 2 passed, 1 failed");
    }

    #[test]
    fn thirty_checks_fit_the_drawing_in_400_bytes() {
        let times: Vec<PastCheck> = (0..30).map(|n| check((n % 7 != 0).then_some(n * 97 % 800))).collect();
        let line = LineChart::of(&times, 24).expect("a line");
        assert!(line.line.starts_with("M6 ") && line.line.len() + line.blocks.len() < 400, "{line:?}");
    }

    #[test]
    fn each_of_ninety_days_has_a_bar() {
        let today = date!(2026 - 11 - 21);
        let day =
            |ago, checks, failed| HealthDay { day: today - Duration::days(ago), checks, failed, slowest_ms: None };
        let days = [day(200, 5, 5), day(89, 96, 0), day(1, 96, 1), day(0, 10, 10)];
        let strip = DayChart::of(&days, today);
        let bars = |d: &str| d.matches('z').count();
        assert_eq!([&strip.well, &strip.some, &strip.most, &strip.none].map(|d| bars(d)), [1, 1, 1, 87]);
        assert!(strip.well.starts_with("M0 ") && strip.most.starts_with("M623 "));
        assert_eq!(strip.label, "Last 90 days: 1 day without a failed check, 2 days with failed checks");
    }

    #[test]
    fn share_with_one_failure_is_below_100_percent() {
        let day = |checks, failed| HealthDay { day: date!(2026 - 11 - 21), checks, failed, slowest_ms: None };
        assert_eq!(passed_share(&[]), None);
        assert_eq!(passed_share(&[day(96, 0)]).as_deref(), Some("100%"));
        assert_eq!(passed_share(&[day(8000, 1)]).as_deref(), Some("99.9%"));
        assert_eq!(passed_share(&[day(3, 3)]).as_deref(), Some("0.0%"));
    }
}
