//! Load generator: users who save continuously, and a journal of the responses. Knows exactly three outcomes:
//! **acknowledged** is stored exactly once, **refused** is not stored, **unknown** (no response, or "try again") is
//! stored once or not at all. Unknown saves are resent until they are acknowledged.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use sqlx::PgConnection;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::support::{
    browser::Browser,
    cluster::Folder,
    page::{Form, Page},
    token,
};

/// A save, recorded before it is sent.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Index of the browser that owns the form; no other browser can submit it.
    pub person: usize,
    pub form: Form,
    pub told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Acknowledged,
    Refused,
    Unknown,
    /// Also unknown: the response was truncated.
    Half,
}

/// Maps the submission id to what was sent and answered.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<HashMap<Uuid, Entry>>>);

impl Journal {
    pub fn entries(&self) -> HashMap<Uuid, Entry> {
        self.0.lock().expect("not poisoned").clone()
    }

    pub fn count(&self, told: Told) -> usize {
        self.entries().values().filter(|entry| entry.told == told).count()
    }

    fn write(&self, id: Uuid, person: usize, form: &Form, told: Told) {
        let entry = Entry { person, form: form.clone(), told };
        self.0.lock().expect("not poisoned").insert(id, entry);
    }

    /// Lists every contradiction between the database and the journal.
    pub async fn contradictions(&self, folder: &Folder) -> Vec<String> {
        self.contradictions_in(&mut folder.connect().await).await
    }

    /// As [`Self::contradictions`], on this connection.
    pub async fn contradictions_in(&self, connection: &mut PgConnection) -> Vec<String> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "select submission_id, (select count(*) from audit_events where cart_id = c.id and event = 'cart_added') \
             from carts c",
        )
        .fetch_all(connection)
        .await
        .expect("the carts");
        let entries = self.entries();
        let mut found = Vec::new();
        for (id, entry) in &entries {
            let there = rows.iter().filter(|(known, _)| known == id).count();
            match (entry.told, there) {
                (Told::Acknowledged, 1) | (Told::Refused, 0) | (Told::Unknown | Told::Half, 0 | 1) => {}
                (told, there) => found.push(format!("{id}: {told:?} and {there} times there")),
            }
        }
        for (id, events) in &rows {
            if !entries.contains_key(id) {
                found.push(format!("{id}: there and never asked for"));
            }
            if *events != 1 {
                found.push(format!("{id}: {events} rows tell that it was added"));
            }
        }
        found
    }
}

/// Running load; [`Storm::end`] stops it.
pub struct Storm {
    people: JoinSet<()>,
    is_over: Arc<AtomicBool>,
}

impl Storm {
    /// Starts one worker per browser, each adding carts one after the other.
    pub async fn begin(browsers: &[Browser], journal: &Journal) -> Self {
        let (mut people, is_over) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for (person, browser) in browsers.iter().enumerate() {
            let (mut browser, journal, is_over) = (browser.clone(), journal.clone(), is_over.clone());
            let blank = browser.new_cart("Save", "northwind", &token()).await;
            people.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let (id, form) = another(&blank);
                    journal.write(id, person, &form, Told::Unknown);
                    let told = judge(browser.submit(&form).await);
                    journal.write(id, person, &form, told);
                }
            });
        }
        Self { people, is_over }
    }

    pub async fn end(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.people.join_next().await {
            ended.expect("no panic");
        }
    }
}

/// Resends every save with unknown outcome; afterwards each is stored exactly once.
pub async fn settle(browsers: &[Browser], journal: &Journal) {
    for (id, entry) in journal.entries() {
        if matches!(entry.told, Told::Unknown | Told::Half) {
            let answer = browsers[entry.person].clone().submit(&entry.form).await;
            let status = answer.as_ref().map(Page::status).ok();
            let told = judge(answer);
            assert_eq!(told, Told::Acknowledged, "resending {id}: {status:?}");
            journal.write(id, entry.person, &entry.form, told);
        }
    }
}

/// The same form for another store, as if its page had just been rendered.
fn another(blank: &Form) -> (Uuid, Form) {
    let id = Uuid::new_v4();
    let handle = format!("shop-{}", id.simple());
    let form = blank.clone().fill("submission", &id.to_string()).fill("website_name", &handle);
    (id, form.fill("api_url", &handle).fill("access_token", &token()))
}

fn judge(answer: std::io::Result<Page>) -> Told {
    match answer.as_ref().map(Page::status) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Told::Half,
        Ok(303) => Told::Acknowledged,
        Ok(status @ 400..=499) => {
            println!(
                "a save was answered with {status}: {}",
                answer.map(|page| page.all("h1, [data-class]").join(" | ")).unwrap_or_default()
            );
            Told::Refused
        }
        // A proxy answers 502 when the server closed the connection.
        Ok(502 | 503) | Err(_) => Told::Unknown,
        Ok(other) => panic!("a save was answered with {other}: {}", answer.expect("an answer").html),
    }
}
