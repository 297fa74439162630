//! admin/home
