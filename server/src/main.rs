//! `yingda`: one binary.

fn main() -> std::process::ExitCode {
    yingda_server::cli::main(std::env::args_os())
}
