//! `yingda`: one binary.

/// A turn makes many small allocations on several threads; measured against the system's allocator in
/// docs/measurements.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    yingda_server::cli::main(std::env::args_os())
}
