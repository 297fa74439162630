//! Every error page.

use super::{LONG, draw, shell};
use crate::web::admin::{
    error::{ErrorPage, Trouble},
    form_stash::ResubmitForm,
};

pub(super) fn pages() -> Vec<(String, String)> {
    let again = || ResubmitForm {
        action: "/admin/ecommerce/shopify/new".into(),
        fields: vec![("website_name".into(), LONG.into())],
        had_secrets: true,
    };
    let all = [
        Trouble::NotFound,
        Trouble::CannotChange { administrators: vec!["Priya Shah".into(), LONG.into()] },
        Trouble::UnreadableForm { status: 413 },
        Trouble::NotPossible,
        Trouble::TooManyRequests { seconds: 20 },
        Trouble::Ours { reference: "0198f3c2a7".into() },
        Trouble::Busy { again: None },
        Trouble::Busy { again: Some(again()) },
        Trouble::OldForm { again: again() },
        Trouble::NoCookies,
        Trouble::NulInForm,
    ];
    let page = |(index, problem): (usize, Trouble)| {
        let name = format!("error-{index}-{}", problem.status());
        (name, draw(&ErrorPage { shell: shell(), problem }))
    };
    all.into_iter().enumerate().map(page).collect()
}
