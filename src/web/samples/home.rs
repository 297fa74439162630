//! The pages around the carts: Admin, Add Cart, Help.

use super::{NOW, draw, guide::permissions, shell};
use crate::web::admin::ecommerce::add::Add;
use crate::web::admin::home::{CartsSummary, Home, HomeRow};
use crate::web::admin::{api_reference::ApiReference, help::Help};

pub(super) fn pages() -> Vec<(String, String)> {
    let others =
        vec![HomeRow { href: "/admin/account", icon: "user", name: "Your account", text: "Who you are here." }];
    let home = |carts| Home { shell: shell(), carts, others: others.clone() };
    vec![
        ("home".into(), draw(&home(CartsSummary::NeedAttention { carts: 1, of: 3 }))),
        ("home-connected".into(), draw(&home(CartsSummary::AllConnected { carts: 3 }))),
        ("add".into(), draw(&Add { shell: shell(), connected: 1 })),
        ("help".into(), draw(&Help::new(shell(), permissions(), NOW))),
        ("api-reference".into(), draw(&ApiReference::new(shell(), "https://orders.northwind.example"))),
    ]
}
