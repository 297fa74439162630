//! Formats values for templates: moments, counts, scopes, icons. Each returns a type that escapes itself, so no
//! template needs `safe` for them. `|icon`, `|scope` and `|count` are filters; a `Moment` is rendered as it is.

#![expect(clippy::inline_always, reason = "askama's filter macro generates it")]

use std::fmt;

use askama::Values;
use askama::filters::HtmlSafe;
use time::OffsetDateTime;
use time::macros::format_description;

/// A point in time together with the time of the page: "2 minutes ago" within a day, else "21 November 2026, 08:14
/// UTC", always in `<time datetime>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub at: OffsetDateTime,
    pub now: OffsetDateTime,
    /// Always shows date and time, never "ago".
    pub is_absolute: bool,
}

impl Moment {
    /// Relative within a day.
    pub const fn new(at: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self { at, now, is_absolute: false }
    }

    /// Date and time, however recent.
    pub const fn exactly(at: OffsetDateTime) -> Self {
        Self { at, now: at, is_absolute: true }
    }

    /// Whether the text is relative, such as "3 hours ago", rather than a date.
    pub fn is_relative(&self) -> bool {
        !self.is_absolute && (-59..86_400).contains(&(self.now - self.at).whole_seconds())
    }

    /// The text without markup.
    pub fn words(&self) -> String {
        if !self.is_relative() {
            return date_time(self.at);
        }
        let seconds = (self.now - self.at).whole_seconds();
        match seconds {
            ..60 => "just now".to_owned(),
            60..3600 => ago(seconds / 60, "minute"),
            _ => ago(seconds / 3600, "hour"),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = self.at.to_offset(time::UtcOffset::UTC);
        let iso = iso
            .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
            .map_err(|_| fmt::Error)?;
        write!(f, "<time datetime=\"{iso}\">{}</time>", self.words())
    }
}

// Holds only our own digits, letters and punctuation.
impl HtmlSafe for Moment {}

fn ago(n: i64, unit: &str) -> String {
    if n == 1 { format!("1 {unit} ago") } else { format!("{n} {unit}s ago") }
}

/// "21 November 2026, 08:14 UTC".
pub fn date_time(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    format!("{}, {:02}:{:02} UTC", date(utc), utc.hour(), utc.minute())
}

/// The time on the same day, else the date: "08:14 UTC", "21 November", "21 November 2025".
pub fn day(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let (at, now) = (at.to_offset(time::UtcOffset::UTC), now.to_offset(time::UtcOffset::UTC));
    if at.date() == now.date() {
        format!("{:02}:{:02} UTC", at.hour(), at.minute())
    } else if at.year() == now.year() {
        format!("{} {}", at.day(), at.month())
    } else {
        date(at)
    }
}

/// "2 November 2026".
pub fn date(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    format!("{} {} {}", utc.day(), utc.month(), utc.year())
}

/// "84 ms"; from one second on, "1.2 s".
pub fn duration(ms: u32) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

/// "99+" above 99, so that counting costs the same for 100,000 rows.
pub fn count_words(n: u64) -> String {
    if n > 99 { "99+".to_owned() } else { n.to_string() }
}

/// Markup whose parts were escaped when it was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// `{{ "check"|icon }}`: a symbol of the sprite, always next to a word.
#[askama::filter_fn]
pub fn icon(name: &str, _env: &dyn Values) -> askama::Result<Markup> {
    let sprite = super::assets::icons_svg();
    let name = escaped(name);
    Ok(Markup(format!(
        "<svg class=\"i i-{name}\" aria-hidden=\"true\" focusable=\"false\"><use href=\"{sprite}#{name}\"/></svg>"
    )))
}

/// Marks up an escaped machine name: excluded from translation, and may break after each underscore.
fn code(safe: &str) -> String {
    format!("<code translate=\"no\">{}</code>", safe.replace('_', "_<wbr>"))
}

/// `{{ scope|scope }}`: may break after each underscore.
#[askama::filter_fn]
pub fn scope(name: &str, _env: &dyn Values) -> askama::Result<Markup> {
    Ok(Markup(code(&escaped(name))))
}

/// `{{ sentence|names }}`: escapes, and excludes hosts and scopes from a browser's translation.
#[askama::filter_fn]
pub fn names(text: &str, _env: &dyn Values) -> askama::Result<Markup> {
    Ok(Markup(marked(text)))
}

fn marked(text: &str) -> String {
    let is_name = |word: &str| {
        let starts = ["read_", "write_", "shpat_", "shpss_"];
        word.ends_with(".myshopify.com") || starts.iter().any(|start| word.starts_with(start))
    };
    let mark = |word: &str| {
        let name = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if is_name(name) {
            word.replacen(name, &format!("<span translate=\"no\">{name}</span>"), 1)
        } else {
            word.to_owned()
        }
    };
    escaped(text).split_inclusive(char::is_whitespace).map(mark).collect()
}

/// `{{ sentence|emphasis }}`: escapes, then renders `**words**` in bold.
#[askama::filter_fn]
pub fn emphasis(text: &str, _env: &dyn Values) -> askama::Result<Markup> {
    Ok(Markup(bold(text)))
}

fn bold(text: &str) -> String {
    let safe = marked(text);
    let parts: Vec<&str> = safe.split("**").collect();
    // An unpaired mark is part of the text, so all are kept.
    if parts.len().is_multiple_of(2) {
        return safe;
    }
    let mark = |(index, part): (usize, &&str)| {
        if index % 2 == 1 { format!("<strong>{part}</strong>") } else { (*part).to_owned() }
    };
    parts.iter().enumerate().map(mark).collect()
}

/// `{{ sentence|code_words }}`: escapes, then renders text between backticks as code.
#[askama::filter_fn]
pub fn code_words(text: &str, _env: &dyn Values) -> askama::Result<Markup> {
    let safe = escaped(text);
    let mark = |(index, part): (usize, &str)| {
        if index % 2 == 1 { code(part) } else { part.to_owned() }
    };
    Ok(Markup(safe.split('`').enumerate().map(mark).collect()))
}

/// `{{ name|isolated }}`: a name inside a title or an attribute; elsewhere use `<bdi>`.
#[askama::filter_fn]
pub fn isolated(name: &str, _env: &dyn Values) -> askama::Result<String> {
    Ok(crate::direction::bidi_isolate(name).into_owned())
}

/// `{{ n|count }}`: stops at "99+".
#[askama::filter_fn]
pub fn count(n: &u64, _env: &dyn Values) -> askama::Result<String> {
    Ok(count_words(*n))
}

/// `{{ host|host }}`: a host that may break before a dot or after a hyphen, so that it fits into 320 px.
#[askama::filter_fn]
pub fn host(name: &str, _env: &dyn Values) -> askama::Result<Markup> {
    let breakable = escaped(name).replace('.', "<wbr>.").replace('-', "-<wbr>");
    Ok(Markup(format!("<span translate=\"no\">{breakable}</span>")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-21 08:14:30 UTC);

    #[test]
    fn moment_is_relative_within_a_day_and_a_date_after_it() {
        let cases = [
            (datetime!(2026-11-21 08:14:00 UTC), "just now"),
            (datetime!(2026-11-21 08:13:30 UTC), "1 minute ago"),
            (datetime!(2026-11-21 05:14:00 UTC), "3 hours ago"),
            (datetime!(2026-11-20 08:14:31 UTC), "23 hours ago"),
            (datetime!(2026-11-20 08:14:30 UTC), "20 November 2026, 08:14 UTC"),
            (datetime!(2026-11-21 09:14:30 UTC), "21 November 2026, 09:14 UTC"),
        ];
        for (at, words) in cases {
            assert_eq!(Moment::new(at, NOW).words(), words);
        }
    }

    #[test]
    fn moment_has_its_utc_time_in_the_datetime_attribute() {
        let at = datetime!(2026-11-21 09:14:00 +01:00);
        let html = Moment::exactly(at).to_string();
        assert_eq!(html, "<time datetime=\"2026-11-21T08:14:00Z\">21 November 2026, 08:14 UTC</time>");
    }

    #[test]
    fn day_is_shown_in_its_shortest_form() {
        assert_eq!(day(datetime!(2026-11-21 05:04:00 UTC), NOW), "05:04 UTC");
        assert_eq!(day(datetime!(2026-11-20 23:59:00 UTC), NOW), "20 November");
        assert_eq!(day(datetime!(2025-11-21 05:04:00 UTC), NOW), "21 November 2025");
    }

    #[test]
    fn counts_stop_at_99() {
        assert_eq!(count_words(99), "99");
        assert_eq!(count_words(100), "99+");
    }

    #[test]
    fn duration_of_a_second_or_more_is_in_seconds() {
        assert_eq!(duration(84), "84 ms");
        assert_eq!(duration(1249), "1.2 s");
    }

    #[test]
    fn paired_stars_are_bold_and_an_unpaired_one_stays() {
        assert_eq!(bold("not **<b>**, but"), "not <strong>&lt;b&gt;</strong>, but");
        assert_eq!(bold("a ** b"), "a ** b");
    }

    #[test]
    fn hosts_and_scopes_in_a_sentence_are_not_translated() {
        let host = "<span translate=\"no\">a-b.myshopify.com</span>";
        assert_eq!(marked("We could not reach a-b.myshopify.com."), format!("We could not reach {host}."));
        assert_eq!(bold("for **a-b.myshopify.com**"), format!("for <strong>{host}</strong>"));
        assert_eq!(marked("add write_orders & <b>"), "add <span translate=\"no\">write_orders</span> &amp; &lt;b&gt;");
        assert_eq!(marked("myshopify.com"), "myshopify.com");
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escaped("<a b='\"'>&"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;");
    }
}
