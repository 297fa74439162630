//! Names a browser from its `User-Agent`, such as "Chrome on Windows". Only a hint to recognize a session by: a
//! `User-Agent` may say anything, so none of its own words are ever shown.

/// Marks of browsers, the specific before the general: most of them also call themselves Chrome and Safari.
const BROWSERS: [(&str, &str); 12] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
];

/// Marks of systems, the specific before the general.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The common name of the browser and its system.
pub fn of(user_agent: Option<&str>) -> String {
    let agent = user_agent.unwrap_or_default();
    let find =
        |marks: &[(&str, &'static str)]| marks.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.into(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown browser".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_have_their_common_names() {
        let safari = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
        let chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        let table = [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome}"), "Chrome on Windows"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Edg/156.0.0.0"), "Edge on Windows"),
            (format!("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {safari}"), "Safari on iPhone"),
            (format!("Mozilla/5.0 (Linux; Android 16; K) {chrome}"), "Chrome on Android"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0".into(),
                "Firefox on Mac",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64) Something/1".into(), "A browser on Linux"),
            ("curl/8.5.0".into(), "curl"),
            ("<b>Bank</b>".into(), "An unknown browser"),
            (String::new(), "An unknown browser"),
        ];
        for (agent, name) in table {
            assert_eq!(of(Some(&agent)), name, "{agent}");
        }
        assert_eq!(of(None), "An unknown browser");
    }
}
