//! Sessions that know what the program's own do.

use trimtrail::query::SessionOptions;
use trimtrail::report::diff_functions;

/// Two threads, and the table functions of the diff.
pub(crate) fn options(now: i64) -> SessionOptions {
    let mut options = SessionOptions::new(2, now);
    options.row_sources = diff_functions(None);
    options
}
