//! No input resolves to a host other than `{label}.myshopify.com`. Every test run checks the same property on a bounded
//! sample: `cargo test --lib shopify::address`.
#![no_main]

use cartwright::platforms::shopify::address::StoreAddress;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|typed: &str| {
    let Ok(understood) = StoreAddress::parse(typed) else { return };
    let (handle, host) = (understood.address.handle(), understood.address.host());
    let bytes = handle.as_bytes();
    assert!((1..=63).contains(&bytes.len()), "{typed:?}");
    assert!(bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-'), "{typed:?}");
    assert!(!handle.starts_with('-') && !handle.ends_with('-') && !handle.starts_with("xn--"), "{typed:?}");
    assert_eq!(host, format!("{handle}.myshopify.com"));
    assert!(typed.to_ascii_lowercase().contains(handle), "the handle does not occur in the input: {typed:?}");
    let again = StoreAddress::parse(&understood.address.admin_url()).expect("a formatted address parses");
    assert_eq!(again.address, understood.address);
});
