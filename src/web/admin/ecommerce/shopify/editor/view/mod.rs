//! What the editor shows, as plain data for its templates.

pub mod check_row;
pub mod conflict;
pub mod connection_test;
pub mod egress_list;
pub mod general;
pub mod guide;
pub mod locations;
pub mod page;
pub mod practice_panel;
pub mod reason;
pub mod settings;
