//! The four static files, taken into the binary; the hash of its content stands in each name, so that a browser may keep
//! a file for ever and a new build is seen at once. Knows nothing of requests. The hash is computed once, at first use.

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use sha2::{Digest, Sha256};

use super::error::Error;
use super::form::Path;

/// A file as it is served, with `public, max-age=31536000, immutable`.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Address from the root, such as `/static/app.0a1b2c3d4e5f.css`.
    pub url: String,
    pub bytes: &'static [u8],
    /// With its charset.
    pub content_type: &'static str,
}

impl Asset {
    fn new(stem: &str, extension: &str, bytes: &'static [u8], content_type: &'static str) -> Self {
        let digest = Sha256::digest(bytes);
        let hash = digest.iter().take(6).fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self { url: format!("/static/{stem}.{hash}.{extension}"), bytes, content_type }
    }
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        Asset::new("app", "css", include_bytes!("../../static/app.css"), "text/css; charset=utf-8"),
        Asset::new("app", "js", include_bytes!("../../static/app.js"), "text/javascript; charset=utf-8"),
        Asset::new("icons", "svg", include_bytes!("../../static/icons.svg"), "image/svg+xml; charset=utf-8"),
        Asset::new("favicon", "svg", include_bytes!("../../static/favicon.svg"), "image/svg+xml; charset=utf-8"),
    ]
});

/// The address of the style sheet.
pub fn app_css() -> &'static str {
    &ASSETS[0].url
}

/// The address of the script.
pub fn app_js() -> &'static str {
    &ASSETS[1].url
}

/// The address of the sprite; an icon is `#name` in it.
pub fn icons_svg() -> &'static str {
    &ASSETS[2].url
}

/// The address of the mark.
pub fn favicon_svg() -> &'static str {
    &ASSETS[3].url
}

/// The file of this name, `app.0a1b2c3d4e5f.css` and not `app.css`; the name stands behind `/static/`.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.url.strip_prefix("/static/") == Some(name))
}

/// GET `/static/{name}`.
pub async fn show(Path(name): Path<String>) -> Result<Response, Error> {
    let asset = find(&name).ok_or(Error::NotFound)?;
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    Ok((
        [(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)), (header::CACHE_CONTROL, kept)],
        asset.bytes,
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_hashed_name_alone() {
        let name = app_css().strip_prefix("/static/").expect("under /static/");
        assert_eq!(find(name).map(|asset| asset.content_type), Some("text/css; charset=utf-8"));
        assert!(find("app.css").is_none());
        assert!(find("../Cargo.toml").is_none());
    }

    #[test]
    fn every_icon_that_a_page_names_is_in_the_sprite() {
        let sprite = include_str!("../../static/icons.svg");
        for name in crate::web::filters::ICONS {
            assert!(sprite.contains(&format!("<symbol id=\"{name}\"")), "no symbol {name}");
        }
    }
}
