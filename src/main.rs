//! The `trimtrail` program.

use trimtrail::cli;
use trimtrail::cli::ExitStatus;

fn main() -> ExitStatus {
    cli::run(std::env::args_os())
}
