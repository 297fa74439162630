//! *Try it*: sends a test alert to every saved recipient, and shows the results in the page's banner.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

use crate::alerts::{TestAlertResult, TestAlerts};
use crate::app::App;
use crate::web::admin::banner::{Banner, Tone};
use crate::web::admin::error::Error;
use crate::web::admin::form::{EmptyForm, Form};
use crate::web::admin::session::CurrentSession;
use crate::web::urls;

/// Failed e-mail addresses that are named individually.
const MOST_NAMED: usize = 3;

/// POST `/admin/alerts/trials`.
pub async fn create(
    State(app): State<App>,
    session: CurrentSession,
    Form(_): Form<EmptyForm>,
) -> Result<Response, Error> {
    let banner = match app.alerts.send_test_alert(session.by()).await? {
        TestAlerts::Nothing => Banner {
            title: "Nobody would be notified yet.".into(),
            text: "Turn on e-mail or enter the address of a webhook, and save.".into(),
            tone: Tone::Warn,
            ..Banner::default()
        },
        TestAlerts::TooMany(wait) => Banner {
            title: "Too many test alerts.".into(),
            text: format!("Wait {} seconds, then try again.", wait.as_secs().max(1)),
            tone: Tone::Warn,
            ..Banner::default()
        },
        TestAlerts::Told(told) => result(&told),
    };
    session.leave(&app, &banner).await?;
    Ok(Redirect::to(urls::ALERTS).into_response())
}

fn result(told: &[TestAlertResult]) -> Banner {
    let arrived = told.iter().filter(|one| one.is_delivered).count();
    let (title, tone) = match told.len() - arrived {
        0 => ("Sent a test alert.", Tone::Ok),
        _ if told.iter().all(|one| one.is_delivered || one.is_uncertain) => {
            ("The test alert may have arrived.", Tone::Warn)
        }
        failed if failed == told.len() => ("The test alert did not arrive.", Tone::Bad),
        _ => ("The test alert did not reach everybody.", Tone::Warn),
    };
    let (mails, calls): (Vec<&TestAlertResult>, Vec<&TestAlertResult>) =
        told.iter().partition(|one| one.channel == "email");
    let mut sentences: Vec<String> = calls.iter().map(|one| format!("{} {}.", one.recipient, one.words)).collect();
    let (taken, refused): (Vec<&TestAlertResult>, Vec<&TestAlertResult>) =
        mails.into_iter().partition(|one| one.is_delivered);
    match taken[..] {
        [] => {}
        [one] => sentences.push(format!("The mail server took the message to {}.", one.recipient)),
        _ => sentences.push(format!("The mail server took the messages to {} addresses.", taken.len())),
    }
    sentences.extend(refused.iter().take(MOST_NAMED).map(|one| format!("{} {}.", one.recipient, one.words)));
    if let Some(more) = refused.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        sentences.push(format!("{more} more were not reached."));
    }
    Banner { title: title.into(), text: sentences.join(" "), tone, short: "Trial alert".into(), link: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(channel: &'static str, recipient: &str, words: &str, is_delivered: bool) -> TestAlertResult {
        TestAlertResult { channel, recipient: recipient.into(), words: words.into(), is_delivered, is_uncertain: false }
    }

    #[test]
    fn result_names_each_recipient_and_its_answer() {
        let well = told("webhook", "ops.northwind.example", "answered 200", true);
        let banner = result(std::slice::from_ref(&well));
        assert_eq!(
            format!("{} {}", banner.title, banner.text),
            "Sent a test alert. ops.northwind.example answered 200."
        );
        let mails = ["a@b.example", "c@d.example"].map(|one| told("email", one, "sent", true));
        let banner = result(&[vec![well.clone()], mails.to_vec()].concat());
        assert_eq!(
            banner.text,
            "ops.northwind.example answered 200. The mail server took the messages to 2 addresses."
        );
        let bad = told("email", "e@f.example", "was not reached: the mail server refused the message (550)", false);
        let banner = result(&[mails[0].clone(), bad.clone()]);
        assert_eq!((banner.title.as_str(), banner.tone), ("The test alert did not reach everybody.", Tone::Warn));
        let banner = result(&vec![bad.clone(); 5]);
        assert_eq!((banner.title.as_str(), banner.tone), ("The test alert did not arrive.", Tone::Bad));
        let unsure = TestAlertResult { is_uncertain: true, ..bad.clone() };
        let banner = result(&[mails[0].clone(), unsure]);
        assert_eq!((banner.title.as_str(), banner.tone), ("The test alert may have arrived.", Tone::Warn));
        let banner = result(&vec![bad; 5]);
        assert!(banner.text.ends_with("(550). 2 more were not reached."), "{}", banner.text);
    }
}
