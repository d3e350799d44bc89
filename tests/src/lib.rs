//! What the end-to-end tests are built on: the real binary as a child process, a fake WeChat platform, a business
//! system behind connectors, and a look into the database from outside.

pub mod backend;
pub mod bench;
pub mod database;
pub mod platform;
pub mod server;
pub mod wait;

/// A package of `tests/packages`, as an absolute path.
pub fn package(name: &str) -> String {
    format!("{}/packages/{name}", env!("CARGO_MANIFEST_DIR"))
}
