//! A path on this server to return to. Stops open redirects: nothing here leads to another host, whatever a browser makes of it.

/// One leading slash, then neither slash nor backslash; printable ASCII alone.
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
    fn next_stays_here() {
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
