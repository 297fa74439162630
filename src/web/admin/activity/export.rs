//! The activity as a CSV file, as filtered, newest first. Rows are read in batches as fast as the client takes them, so
//! that neither memory nor a connection depends on the length of the history. Spreadsheets treat `=…` as a formula, so
//! no cell starts with one, wherever a spreadsheet may split the line.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::stream;
use uuid::Uuid;

use super::{ActivityQuery, Entry};
use crate::web::urls;
use crate::{
    app::App,
    audit::{self, AuditFilter, AuditRecord},
    web::admin::{error::Error, form::Query, shell::Shell},
};

/// Without a byte order mark Excel reads the file in the system's legacy encoding and garbles names outside ASCII.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Rows per query.
const BATCH: i64 = 500;

const HEAD: [&str; 10] =
    ["Time", "Person", "What", "Activity", "Cart", "Changes", "Reference", "IP address", "Browser", "Email"];

/// GET `/admin/activity.csv`. A date that cannot be read redirects to the page, which reports it at its field.
pub async fn export(
    State(app): State<App>,
    shell: Shell,
    uri: Uri,
    Query(asked): Query<ActivityQuery>,
) -> Result<Response, Error> {
    let (filter, refused) = asked.understand();
    if refused.is_some() {
        let query = uri.query().unwrap_or_default();
        return Ok(Redirect::to(&format!("{}?{query}", urls::ACTIVITY)).into_response());
    }
    let filter = AuditFilter { with_failed_sign_ins: shell.can_change(), ..filter };
    // Before the response starts, so that an unavailable database gives an error page and not half a file.
    let first = audit::batch(&app.pool, &filter, None, BATCH).await?;
    let file = File { app, filter, product: shell.product, next: Some(first), has_begun: false };
    let pieces = stream::try_unfold(file, |mut file| async move {
        let piece = file.piece().await?;
        Ok::<_, anyhow::Error>(piece.map(|piece| (piece, file)))
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"activity.csv\""));
    Ok(response)
}

/// Quotes every cell: a spreadsheet that separates by semicolons could split an unquoted one.
fn writer(begun: Vec<u8>) -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).quote_style(csv::QuoteStyle::Always).from_writer(begun)
}

struct File {
    app: App,
    filter: AuditFilter,
    product: String,
    /// Rows that were read and not yet sent; `None` at the end.
    next: Option<Vec<AuditRecord>>,
    has_begun: bool,
}

impl File {
    /// The next piece of the file. An error aborts the response, so that half a file is not taken for all of it.
    async fn piece(&mut self) -> anyhow::Result<Option<Bytes>> {
        let Some(rows) = self.next.take() else { return Ok(None) };
        let before = if self.has_begun { Vec::new() } else { BYTE_ORDER_MARK.to_vec() };
        let mut writer = writer(before);
        if !self.has_begun {
            writer.write_record(HEAD)?;
            self.has_begun = true;
        }
        for row in &rows {
            writer.write_record(cells(row, &self.product).iter().map(|cell| escape_formulas(cell)))?;
        }
        let is_full = rows.len() == usize::try_from(BATCH).expect("the batch size fits in usize");
        if let Some(last) = rows.last().filter(|_| is_full) {
            let rest = self.read_after(last.id).await?;
            self.next = Some(rest).filter(|rest| !rest.is_empty());
        }
        let text = writer.into_inner().map_err(|error| anyhow::anyhow!("writing the file: {error}"))?;
        Ok(Some(Bytes::from(text)))
    }

    async fn read_after(&self, last: Uuid) -> anyhow::Result<Vec<AuditRecord>> {
        Ok(audit::batch(&self.app.pool, &self.filter, Some(last), BATCH).await?)
    }
}

fn cells(row: &AuditRecord, product: &str) -> [String; 10] {
    let entry = Entry::of(row, product);
    let changes = entry.changes.iter().map(|row| format!("{}: {} → {}", row.field, row.before, row.after));
    let fact = |wanted: &str| entry.facts.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let what = match &row.event {
        audit::AuditEvent::Known(event) => event.what().label(),
        audit::AuditEvent::Unknown { .. } => "",
    };
    [
        entry.iso(),
        entry.person.clone(),
        what.to_owned(),
        entry.sentence.clone(),
        entry.cart.as_ref().map(|(_, name)| name.clone()).unwrap_or_default(),
        changes.collect::<Vec<_>>().join("; "),
        fact("Reference").unwrap_or_default(),
        fact("IP address").unwrap_or_default(),
        fact("Browser").unwrap_or_default(),
        entry.email.clone().unwrap_or_default(),
    ]
}

/// Characters that start a formula; some spreadsheets accept the full-width ones as well.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Characters at which a spreadsheet may split a line, depending on its language. A comma cannot split a cell, since
/// every cell is quoted.
const SEPARATORS: [char; 5] = [';', '\t', '|', '\r', '\n'];

/// Puts an apostrophe before anything that a spreadsheet would evaluate, at the start of a cell and after any character
/// that may start another cell.
fn escape_formulas(cell: &str) -> String {
    let mut safe = String::with_capacity(cell.len() + 1);
    if cell.starts_with(['\t', '\r']) {
        safe.push('\'');
    }
    for part in cell.split_inclusive(SEPARATORS) {
        if part.trim_start_matches(|c: char| c.is_whitespace() || c == '"').starts_with(FORMULA) {
            safe.push('\'');
        }
        safe.push_str(part);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            (" =1", "' =1"),
            ("\t=1", "'\t'=1"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("＝1", "'＝1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("Tea;=1+1", "Tea;'=1+1"),
            ("Tea; \"=1", "Tea;' \"=1"),
            ("a|@b;-c", "a|'@b;'-c"),
        ] {
            assert_eq!(escape_formulas(cell), expected, "{cell:?}");
        }
        for text in ["", "Northwind Tea", "a=b", "2026-11-23T19:31:07Z", "–", "a;b|c", "Active: Off → On; Name: a → b"]
        {
            assert_eq!(escape_formulas(text), text);
        }
        // Wherever a spreadsheet starts a cell, the cell does not start with a formula.
        for letter in FORMULA {
            for before in ["", ";", "\t", "|", "\r", "\n", ";;", "x;", "x\t", "x|", "x;\"", "\"", " ", "; ", "x;\" \""]
            {
                for after in ["1", "1;=2", "", "\"", "|@x\t-1"] {
                    let cell = escape_formulas(&format!("{before}{letter}{after}"));
                    let mut parts = cell.split(SEPARATORS).map(|part| part.trim_start_matches([' ', '"']));
                    assert!(parts.all(|part| !part.starts_with(FORMULA)), "{cell:?}");
                }
            }
        }
    }

    #[test]
    fn every_cell_is_quoted() {
        let mut writer = writer(Vec::new());
        writer.write_record(["a", "", "b;c", "d\"e"]).expect("a record");
        let text = String::from_utf8(writer.into_inner().expect("the text")).expect("UTF-8");
        assert_eq!(text, "\"a\",\"\",\"b;c\",\"d\"\"e\"\r\n");
    }
}
