//! Shared parts of outbound connections: our own DNS resolution, TLS with compiled-in roots, and the operator's list of
//! egress addresses. Independent of Shopify and of alerts.

pub mod egress_addresses;
pub mod public_address;
pub mod resolver;
pub mod tls;

use std::{error::Error, io, iter::successors};

/// The causes of an error, outermost first. `io::Error` hides its inner error from `source()`, so it is unwrapped here.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

/// The first cause of type `E`. Errors are classified by type, never by message, which may contain an address.
pub fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref::<E>())
}
