//! admin/ecommerce/shopify/deletion
