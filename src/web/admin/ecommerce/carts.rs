//! admin/ecommerce/carts
