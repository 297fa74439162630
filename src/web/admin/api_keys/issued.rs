//! A key that was just made. It is shown once and stored nowhere: the database holds only its hash.

use askama::Template;

use crate::api_keys::IssuedKey;
use crate::web::admin::filters;
use crate::web::admin::shell::Shell;

#[derive(Debug, Template)]
#[template(path = "admin/api_keys/issued.html")]
pub struct IssuedKeyPage {
    pub shell: Shell,
    pub key: IssuedKey,
    /// The last four characters of the key that this one replaces.
    pub replaced: Option<String>,
}

impl IssuedKeyPage {
    fn ends(&self) -> String {
        filters::date(self.key.ends_at)
    }
}
