//! Packages: read from folders, compiled, published to accounts, rolled back.

mod reader;
mod registry;

pub use reader::{ReadError, builtin, copy_starter, read};
pub use registry::{Loaded, PackageError, Registry, compile};
