//! A position in a list as text that only this server reads.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::carts::SummaryCursor;

/// Bytes of an id.
const ID: usize = 16;

pub(super) fn to_text(cursor: SummaryCursor) -> String {
    let mut bytes = cursor.id.as_bytes().to_vec();
    if let Some(at) = cursor.updated_at {
        bytes.extend(at.unix_timestamp_nanos().to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `None` for text that is no cursor of a list in this order.
pub(super) fn parse(text: &str, by_update: bool) -> Option<SummaryCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, rest) = bytes.split_at_checked(ID)?;
    let updated_at = match (by_update, rest) {
        (false, []) => None,
        (true, nanos) => {
            let nanos = i128::from_be_bytes(nanos.try_into().ok()?);
            let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
            // Years that Postgres can store.
            Some(at).filter(|at| (1970..3000).contains(&at.year())).map(Some)?
        }
        (false, _) => return None,
    };
    Some(SummaryCursor { id: Uuid::from_slice(id).ok()?, updated_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_read_only_in_the_order_that_made_it() {
        let id = Uuid::now_v7();
        let updated_at = Some(time::macros::datetime!(2026-11-21 08:15:02.123_456 UTC));
        for (cursor, by_update) in
            [(SummaryCursor { id, updated_at: None }, false), (SummaryCursor { id, updated_at }, true)]
        {
            let text = to_text(cursor);
            assert_eq!(parse(&text, by_update), Some(cursor));
            assert_eq!(parse(&text, !by_update), None);
        }
        let far = SummaryCursor { id, updated_at: Some(time::macros::datetime!(9999-12-31 0:00 UTC)) };
        assert_eq!(parse(&to_text(far), true), None);
        for text in ["", "x", "AAAA", "not a cursor", "\u{e9}"] {
            assert_eq!((parse(text, false), parse(text, true)), (None, None), "{text}");
        }
    }
}
