//! The four static files, embedded in the binary. Each name contains the hash of its content, so a browser may cache a
//! file indefinitely and still fetches a new build at once. The hashes are computed once, at first use.

use std::{io::Write, sync::LazyLock};

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use sha2::{Digest, Sha256};

use super::error::Error;
use super::form::Path;
use crate::web::urls;

/// A file as served, with `public, max-age=31536000, immutable`.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Path on this server, such as `/static/app.0a1b2c3d4e5f.css`.
    pub url: String,
    pub bytes: &'static [u8],
    /// The content as gzip at the best level: a file is compressed once, while pages are compressed quickly on every
    /// request.
    packed: Vec<u8>,
    /// Includes the charset.
    pub content_type: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, bytes: &'static [u8], content_type: &'static str) -> Self {
        let digest = Sha256::digest(bytes);
        let hash = digest.iter().take(6).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self { url: urls::asset(format!("{stem}.{hash}.{extension}")), bytes, packed: pack(bytes), content_type }
    }
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory cannot fail")
}

/// Whether the client accepts gzip; `q=0` refuses it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = offers.flat_map(|offer| offer.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        Asset::new("app", "css", include_bytes!("../../../static/app.css"), "text/css; charset=utf-8"),
        Asset::new("app", "js", include_bytes!("../../../static/app.js"), "text/javascript; charset=utf-8"),
        Asset::new("icons", "svg", include_bytes!("../../../static/icons.svg"), "image/svg+xml; charset=utf-8"),
        Asset::new("favicon", "svg", include_bytes!("../../../static/favicon.svg"), "image/svg+xml; charset=utf-8"),
    ]
});

/// Path of the style sheet.
pub fn app_css() -> &'static str {
    &ASSETS[0].url
}

/// Path of the script.
pub fn app_js() -> &'static str {
    &ASSETS[1].url
}

/// Path of the icon sprite; `#name` selects an icon.
pub fn icons_svg() -> &'static str {
    &ASSETS[2].url
}

/// Path of the favicon.
pub fn favicon_svg() -> &'static str {
    &ASSETS[3].url
}

/// Finds a file by its hashed name without `/static/`: `app.0a1b2c3d4e5f.css`, not `app.css`.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.url == urls::asset(name))
}

/// GET `/static/{name}`.
pub async fn show(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let asset = find(&name).ok_or(Error::NotFound)?;
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    let described = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, kept),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if accepts_gzip(&headers) {
        let packed = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return Ok((described, packed, asset.packed.as_slice()).into_response());
    }
    Ok((described, asset.bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asset_is_found_only_by_its_hashed_name() {
        let name = app_css().strip_prefix("/static/").expect("under /static/");
        assert_eq!(find(name).map(|asset| asset.content_type), Some("text/css; charset=utf-8"));
        assert!(find("app.css").is_none());
        assert!(find("../Cargo.toml").is_none());
    }

    #[test]
    fn gzip_is_used_only_if_accepted() {
        let reads = |offer: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(offer))]))
        };
        for yes in ["gzip", "br, GZIP;q=0.5", "deflate,gzip"] {
            assert!(reads(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzipped", "identity, gzip; q=0.0"] {
            assert!(!reads(no), "{no}");
        }
        assert!(
            find(app_css().trim_start_matches("/static/")).is_some_and(|css| css.packed.len() < css.bytes.len() / 2)
        );
    }

    /// Every icon used by a template.
    const ICONS: [&str; 30] = [
        "check", "warn", "x", "minus", "gear", "bag", "user", "key", "history", "copy", "out", "right", "left", "down",
        "plus", "search", "eye", "busy", "dot", "info", "trash", "unplug", "plug", "help", "retry", "store", "lock",
        "flask", "mail", "bell",
    ];

    #[test]
    fn every_icon_used_is_in_the_sprite() {
        let sprite = include_str!("../../../static/icons.svg");
        for name in ICONS {
            assert!(sprite.contains(&format!("<symbol id=\"{name}\"")), "no symbol {name}");
        }
    }
}
