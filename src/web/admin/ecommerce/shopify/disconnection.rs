//! admin/ecommerce/shopify/disconnection
