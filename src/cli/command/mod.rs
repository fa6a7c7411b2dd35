//! The commands: each is a function that prints through `Output` and returns an exit status.

mod completions;
mod man;

pub use completions::completions;
pub use man::man;
