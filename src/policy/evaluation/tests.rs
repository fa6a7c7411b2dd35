//! Tests of the whole evaluation.

mod naive;
mod oracle;
mod worlds;
