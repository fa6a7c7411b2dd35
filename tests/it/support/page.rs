//! What every page keeps to, whatever the names in it.

/// Parts of a page that would load or run something, or hide what it says.
const LOADING: [&str; 13] = [
    " src=",
    "@import",
    "url(",
    " href=\"http",
    " onclick",
    " onerror",
    " onload",
    "<iframe",
    "<link",
    "<img",
    "<object",
    "<embed",
    "\u{202e}",
];

/// A page that loads nothing, runs as many scripts of its own, and says so to the browser.
pub(crate) fn assert_loads_nothing(page: &str, scripts: usize) {
    assert_eq!(page.matches("<script").count(), scripts, "scripts of our own");
    for loading in LOADING {
        assert!(!page.contains(loading), "{loading:?}");
    }
    let policy = match scripts {
        0 => "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"",
        _ => "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-",
    };
    assert!(page.contains(policy), "{policy}");
}
