//! A person's own account. The theme's form stands in the menu of every page.

use askama::Template;

use crate::web::filters;
use crate::web::shell::Shell;

/// Name, address and role of whoever is signed in, from the shell.
#[derive(Debug, Template)]
#[template(path = "admin/account.html")]
pub struct Account {
    pub shell: Shell,
}
