//! Streams a running test: the page's head at once, a line per check, the region, the page's tail; for `app.js` only
//! the lines and the region.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tokio::sync::mpsc;

use super::super::check_row::CheckLine;
use super::super::{editor, guide::Guide, permissions};
use super::TestView;
use crate::app::App;
use crate::ecommerce::{Cart, Progress, RunningTest, TestReport};
use crate::web::shell::Shell;
use crate::web::{filters, stream};

/// Where a streamed page is split: the lines and the region go here.
pub const TEST_MARK: &str = "<!--test-->";

/// Where a streamed page inserts its guide, whose ticks depend on the test.
pub const GUIDE_MARK: &str = "<!--guide-->";

/// The page around a streamed test, sent unless `app.js` made the request.
#[derive(Debug)]
pub struct Frame {
    pub head: String,
    /// Holds [`GUIDE_MARK`].
    pub tail: String,
    pub guide: Guide,
}

/// Markup after the lines of a streamed whole page and before the region.
pub const TESTING_END: &str = "</ul></div>";

/// Markup before the lines of a streamed whole page; [`TESTING_END`] closes it.
#[derive(Clone, Debug, Template)]
#[template(
    source = "<div class=\"testing\"><p class=\"testing-head\">{{ \"busy\"|icon }}Testing {{ host|host }}</p><ul class=\"checks\">\n",
    ext = "html"
)]
pub struct TestingHead {
    pub host: String,
}

/// Starts the response at once; the rest follows as the test proceeds.
pub(in super::super) fn stream(
    app: App,
    shell: Shell,
    cart: Option<Cart>,
    frame: Option<Frame>,
    host: String,
    mut running: RunningTest,
) -> Response {
    let (tell, pieces) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut frame = frame;
        if let Some(frame) = &frame {
            let testing = TestingHead { host }.render().unwrap_or_default();
            tell.send(format!("{}{testing}", frame.head)).ok();
        }
        while let Some(progress) = running.progress.recv().await {
            let piece = match progress {
                Progress::Check(check) => {
                    let line =
                        CheckLine { kind: running.kind, check, store: None, permission_count: permissions().len() };
                    line.line().unwrap_or_default()
                }
                Progress::Report(report) => {
                    let (done, region) = region(&app, &shell, cart.as_ref(), &report).await;
                    if let Some(frame) = &mut frame {
                        frame.guide.tick(running.kind, done);
                        format!("{TESTING_END}{region}")
                    } else {
                        region
                    }
                }
            };
            tell.send(piece).ok();
        }
        if let Some(Frame { tail, guide, .. }) = frame {
            tell.send(tail.replacen(GUIDE_MARK, &guide.render().unwrap_or_default(), 1)).ok();
        }
    });
    (StatusCode::OK, stream::html(pieces)).into_response()
}

/// The guide's steps that the test has proven done, and the region.
async fn region(app: &App, shell: &Shell, cart: Option<&Cart>, report: &TestReport) -> ([bool; 4], String) {
    metrics::counter!("cartwright_connection_tests_total", "class" => report.verdict.class.as_str()).increment(1);
    // Load the cart again: the region must show what the test changed, as the cart's page would.
    let cart = match cart {
        Some(cart) => Some(app.ecommerce.find(cart.id).await.ok().flatten().unwrap_or_else(|| cart.clone())),
        None => None,
    };
    let view = editor::test_view(app, shell, report, cart.as_ref()).await;
    (view.done, TestView { is_fresh: true, ..view }.render().unwrap_or_default())
}
