//! admin/ecommerce/shopify/connection_test
