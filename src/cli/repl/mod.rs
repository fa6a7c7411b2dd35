//! The interactive session: SQL over several lines until `;`, and commands that begin with a backslash.
//!
//! `line` and `lexer` tell what was typed, `completion` what might be, `editor` owns the terminal, `session` runs it.

mod completion;
mod editor;
mod lexer;
mod line;
mod session;

pub(super) use session::Session;
