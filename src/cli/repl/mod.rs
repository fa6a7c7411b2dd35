//! The interactive session: SQL over several lines until `;`, and commands that begin with a backslash.
//!
//! `line` and `lexer` tell what was typed, `completion` what might be, `catalog` what there is, `editor` owns the terminal,
//! `session` runs it.

mod catalog;
mod completion;
mod editor;
mod lexer;
mod line;
mod session;

pub(super) use session::Session;
