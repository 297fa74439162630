//! admin/ecommerce/add
