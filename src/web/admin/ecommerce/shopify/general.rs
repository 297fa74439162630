//! admin/ecommerce/shopify/general
