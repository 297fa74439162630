use super::*;
use crate::carts::{Status, status::Facts};

#[test]
fn connected_cart_hands_out_its_token_and_one_that_is_not_connected_does_not() {
    for class in Class::ALL {
        let status = Facts { has_passed: true, is_active: true, last: Some(class) }.status();
        let hands_out = !withheld_classes().contains(&class.as_str());
        match status {
            Status::Connected => assert!(hands_out, "{class:?}"),
            Status::NotConnected => assert!(!hands_out, "{class:?}"),
            Status::NeedsAttention => assert_eq!(hands_out, class != Class::OurKey, "{class:?}"),
            Status::Draft | Status::Inactive => unreachable!("the cart has passed and is active"),
        }
    }
}

#[test]
fn no_request_renews_a_token_before_it_is_renewed_anyway() {
    assert!(MIN_LEFT_MAX + USE_MARGIN < Duration::from_hours(24) / 4 * 3);
    assert_eq!(MIN_LEFT_MAX, REFRESH_BEFORE_EXPIRY);
}
