//! Table functions whose rows are made above this module, of what statements over the same tables answer.
//!
//! This module knows their names, columns and arguments, and when to ask for rows: not before a statement runs, and once for
//! all calls with the same arguments in one statement.

mod arguments;
mod function;
mod source;
mod stream;
mod table;

pub use arguments::WindowArguments;
pub(super) use function::DerivedFunction;
pub use source::GatheredRows;
pub use source::RowError;
pub use source::RowSource;
pub(super) use table::bind;
pub(super) use table::placeholders;
