//! `cartwright keys`: lines for the key file.

use clap::Subcommand;

use crate::vault::KeyRing;

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Print a new key: one line for CARTWRIGHT_KEY_FILE. It is kept nowhere else.
    Generate,
}

pub fn run(command: &KeysCommand) {
    match command {
        KeysCommand::Generate => println!("{}", KeyRing::generate_line()),
    }
}
