//! What the tests of this crate share: a catalogue and packages from folders.

#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

use yingda_dsl::catalogue::{Catalogue, CatalogueName, Channel};
use yingda_dsl::program::MessageKind;
use yingda_dsl::source::PackageFiles;

pub fn catalogue() -> Catalogue {
    let names = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(id, name)| CatalogueName {
                id: (*id).to_owned(),
                name: (*name).to_owned(),
            })
            .collect()
    };
    Catalogue {
        intents: names(&[
            ("track_order", "订单跟踪"),
            ("return_exchange", "退货换货"),
            ("refund_request", "退款申请"),
            ("invoice", "发票开具"),
            ("complaint", "投诉举报"),
            ("human_agent", "转接人工"),
            ("chitchat", "寒暄致谢"),
        ]),
        entities: names(&[("phone", "手机号"), ("order_number", "订单号")]),
        intent_refusal: 0.5,
        channels: vec![Channel {
            name: "公众号".to_owned(),
            max_text_bytes: 2048,
            kinds: vec![
                MessageKind::Text,
                MessageKind::Image,
                MessageKind::Voice,
                MessageKind::Video,
                MessageKind::News,
            ],
        }],
        bound_connectors: None,
    }
}

/// All files below a folder.
pub fn package(folder: &Path) -> PackageFiles {
    let mut files = PackageFiles::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                files.files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// A package of one file.
pub fn single(text: &str) -> PackageFiles {
    let mut files = PackageFiles::default();
    files
        .files
        .insert("包.yd".to_owned(), text.as_bytes().to_vec());
    files
}

/// `code file:line message`, one a line.
pub fn listing(files: &PackageFiles, catalogue: &Catalogue) -> String {
    let compiled = yingda_dsl::compile(files, catalogue);
    let paths = files.paths();
    let mut out = String::new();
    for diagnostic in &compiled.diagnostics {
        let path = paths
            .get(diagnostic.span.file as usize)
            .copied()
            .unwrap_or_default();
        let line = files
            .files
            .get(path)
            .map(|bytes| {
                bytes[..diagnostic.span.start as usize]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count()
                    + 1
            })
            .unwrap_or_default();
        out.push_str(&format!(
            "{} {path}:{line} {}\n",
            diagnostic.code, diagnostic.message
        ));
    }
    out
}

pub fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
