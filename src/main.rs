//! `aside`: everything is in the library, see there.

fn main() -> std::process::ExitCode {
    aside::cli::main()
}
