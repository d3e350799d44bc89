//! Packages of the repository, and packages written in a test, compiled and made ready.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "only tests are built from this"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use yingda_dsl::diagnostic::{Diagnostic, Severity};
use yingda_dsl::source::PackageFiles;
use yingda_engine::{Bot, standard_catalogue};
use yingda_models::Understander;

/// A package from a folder below `rules/`.
pub fn folder(name: &str) -> Bot {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../rules")
        .join(name);
    let mut files = BTreeMap::new();
    read(&root, &root, &mut files);
    ready(PackageFiles { files })
}

/// A package of one file.
pub fn source(text: &str) -> Bot {
    let files = BTreeMap::from([("机器人.yd".to_owned(), text.as_bytes().to_vec())]);
    ready(PackageFiles { files })
}

/// A package of one file and questions: CSV lines below the heading.
pub fn source_with_faq(text: &str, faq: &str) -> Bot {
    let csv = format!("id,category,question,variants,answer\n{faq}");
    let files = BTreeMap::from([
        ("机器人.yd".to_owned(), text.as_bytes().to_vec()),
        ("faq/常见.csv".to_owned(), csv.into_bytes()),
    ]);
    ready(PackageFiles { files })
}

fn ready(files: PackageFiles) -> Bot {
    let compiled = yingda_dsl::compile(&files, &standard_catalogue());
    let errors: Vec<&Diagnostic> = compiled
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    let Some(program) = compiled.program else {
        panic!("the package has errors: {errors:#?}");
    };
    Bot::build(program, Arc::new(Understander::packaged().unwrap())).unwrap()
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}
