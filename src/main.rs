//! The `trimtrail` program.

fn main() {}
