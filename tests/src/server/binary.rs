//! The binary under test, built once per test process: `cargo test -p yingda-tests` alone does not build it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// Path of `yingda`, of the same profile as the tests.
#[allow(clippy::expect_used, clippy::panic)]
pub fn binary() -> &'static Path {
    BINARY.get_or_init(|| {
        // target/<profile>/deps/<test>
        let test = std::env::current_exe().expect("the test's own path");
        let folder = test
            .ancestors()
            .nth(2)
            .expect("the profile's folder")
            .to_owned();
        let target = folder.parent().expect("the target folder");
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(other) => other,
        };
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["build", "-p", "yingda", "--bin", "yingda"])
            .args(["--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        // What the outer cargo says about this package; build scripts that look at it would run anew.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        let built = command.output().expect("cargo runs");
        if !built.status.success() {
            panic!("{}", String::from_utf8_lossy(&built.stderr));
        }
        folder.join(format!("yingda{}", std::env::consts::EXE_SUFFIX))
    })
}
