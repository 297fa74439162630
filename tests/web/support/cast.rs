//! The test users: two administrators, because some cases need two, and a viewer.

use cartwright::accounts::Role;

#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub name: &'static str,
    pub email: &'static str,
    pub role: Role,
}

pub const PRIYA: Person = Person { name: "Priya Shah", email: "priya@northwind.example", role: Role::Administrator };
pub const SAM: Person = Person { name: "Sam Lee", email: "sam@northwind.example", role: Role::Administrator };
pub const VERA: Person = Person { name: "Vera Novak", email: "vera@northwind.example", role: Role::Viewer };
pub const TOM: Person = Person { name: "Tom West", email: "tom@northwind.example", role: Role::Viewer };

/// The password of every test user.
pub const PASSWORD: &str = "leaf kettle second steep";
