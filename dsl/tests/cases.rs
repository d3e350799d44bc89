//! Every diagnostic with a case: `cases/CODE.yd` beside what is shown for it, `cases/CODE.txt`.
//!
//! `UPDATE=1 cargo test -p yingda-dsl --test cases` writes what is shown. `==== path` in a case starts another file.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use support::{catalogue, folder};
use yingda_dsl::compile_on;
use yingda_dsl::diagnostic::{Diagnostic, Lang};
use yingda_dsl::render::{Color, human};
use yingda_dsl::source::PackageFiles;

const MAIN: &str = "例.yd";

/// The case's files, with a route and a skill group around it.
fn files(case: &str) -> PackageFiles {
    let mut files = PackageFiles::default();
    let mut parts = case.split("==== ");
    let main = parts.next().unwrap_or_default();
    files
        .files
        .insert(MAIN.to_owned(), main.as_bytes().to_vec());
    for part in parts {
        let (path, text) = part.split_once('\n').unwrap();
        files
            .files
            .insert(path.trim().to_owned(), text.as_bytes().to_vec());
    }
    let mut base = "技能组 综合组 { 排队超过 1分钟 -> 留言 }\n".to_owned();
    if !main.contains("路由 {") {
        let group = if main.contains("规则组 示例") {
            "规则组 示例"
        } else {
            ""
        };
        base.push_str(&format!(
            "路由 {{ {group} 流程中  常见问题  兜底 -> 转人工 技能组 综合组 }}\n"
        ));
    }
    files.files.insert("底.yd".to_owned(), base.into_bytes());
    files
}

fn diagnostics(files: &PackageFiles) -> Vec<Diagnostic> {
    let today = jiff::civil::date(2026, 9, 1);
    compile_on(files, &catalogue(), Some(today)).diagnostics
}

fn cases() -> BTreeMap<String, String> {
    std::fs::read_dir(folder("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yd"))
        .map(|path| {
            let code = path.file_stem().unwrap().to_string_lossy().into_owned();
            (code, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn every_case_shows_what_stands_beside_it() {
    for (code, case) in cases() {
        let files = files(&case);
        let found = diagnostics(&files);
        assert!(
            found.iter().any(|diagnostic| diagnostic.code == code),
            "{code} is not reported: {found:#?}"
        );
        let shown = human(&found, &files, Lang::Zh, Color::Plain)
            + "\n"
            + &human(&found, &files, Lang::En, Color::Plain);
        for diagnostic in &found {
            assert!(
                diagnostic.help.is_some() && diagnostic.help_en.is_some(),
                "no help: {diagnostic:?}"
            );
        }
        let path = folder(&format!("cases/{code}.txt"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &shown).unwrap();
        }
        assert_eq!(shown, std::fs::read_to_string(&path).unwrap(), "{code}");
    }
}

#[test]
fn every_code_of_the_manual_has_a_case_and_every_message_a_help() {
    let manual = std::fs::read_to_string(folder("manual/language.md")).unwrap();
    let cases = cases();
    for line in manual.lines().filter_map(|line| line.strip_prefix("| ")) {
        let code = line.split(' ').next().unwrap_or_default();
        // Encodings and sizes have tests of their own: a case is text.
        if code.contains('-') && code.chars().next().is_some_and(|first| !first.is_ascii()) {
            let elsewhere = ["语法-12", "语法-13"].contains(&code);
            assert!(elsewhere || cases.contains_key(code), "no case for {code}");
        }
    }
    for code in cases.keys() {
        assert!(
            manual.contains(&format!("| {code} |")),
            "{code} is not in the manual"
        );
    }
}

#[test]
fn a_fix_removes_what_it_fixes() {
    for (code, case) in cases() {
        let before = files(&case);
        for diagnostic in diagnostics(&before) {
            for fix in &diagnostic.fixes {
                let mut after = before.clone();
                let path = before.paths()[fix.span.file as usize].to_owned();
                let bytes = after.files.get_mut(&path).unwrap();
                bytes.splice(
                    fix.span.start as usize..fix.span.end as usize,
                    fix.replacement.bytes(),
                );
                let count = |files: &PackageFiles| {
                    diagnostics(files)
                        .iter()
                        .filter(|other| {
                            other.code == diagnostic.code && other.message == diagnostic.message
                        })
                        .count()
                };
                assert!(
                    count(&after) < count(&before),
                    "{code}: {} by {}",
                    diagnostic.message,
                    fix.title
                );
            }
        }
    }
}
