//! admin/ecommerce/switch
