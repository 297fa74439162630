//! What every way out shares: names looked up by ourselves, and TLS that trusts compiled-in roots. The operator's list
//! of the addresses that calls come from is here too. Knows neither Shopify nor alerts.

pub mod egress_addresses;
pub mod public_address;
pub mod resolver;
pub mod tls;

use std::{error::Error, io, iter::successors};

/// The causes of an error, outermost first. `io::Error` hides what it wraps from `source()`, so it is opened by hand.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// The first cause of this type: what went wrong is told from types and never from words, which may hold an address.
pub fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref::<E>())
}
