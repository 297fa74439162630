//! `cartwright keys`: lines for the key file.

#![expect(clippy::doc_markdown, reason = "the doc comments here are what --help prints")]

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
