//! A path on this server to redirect to. Stops open redirects: no accepted path leads to another host, however a
//! browser reads it.

/// One leading slash, then neither slash nor backslash; printable ASCII only, at most 1,000 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let is_local = !rest.starts_with(['/', '\\']) && text.len() <= 1_000;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        (is_local && is_plain).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_stays_on_this_server() {
        for path in ["/admin", "/admin/ecommerce?show=active&q=x", "/"] {
            assert!(LocalPath::parse(path).is_some(), "{path}");
        }
        for path in [
            "",
            "admin",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/a\n",
            "/\t/evil.example",
            "/é",
        ] {
            assert!(LocalPath::parse(path).is_none(), "{path}");
        }
    }
}
