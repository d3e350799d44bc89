//! The formatter: one form, comments kept, there and back.

#![allow(clippy::unwrap_used)]

mod support;

use support::{catalogue, folder, listing, package};
use yingda_dsl::diagnostic::Lang;
use yingda_dsl::{compile, format};

/// Every `.yd` text of the samples and the manual's whole programs.
fn texts() -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = package(&folder("cases/samples"))
        .files
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yd"))
        .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()))
        .collect();
    let manual = std::fs::read_to_string(folder("manual/language.md")).unwrap();
    for (number, block) in manual.split("```yd").skip(1).enumerate() {
        let block = block.split("```").next().unwrap();
        let (kind, text) = block.split_once('\n').unwrap();
        let text = match kind.trim() {
            "" => text.to_owned(),
            "step" => format!("流程 例 {{\n{text}}}\n"),
            _ => text
                .lines()
                .enumerate()
                .map(|(index, line)| {
                    format!("规则组 组{index} {{\n规则 例{index} {{ 当 {line}\n则 安抚 }}\n}}\n")
                })
                .collect(),
        };
        texts.push((format!("manual {number}"), text));
    }
    texts
}

#[test]
fn formatting_twice_is_formatting_once() {
    for (path, text) in texts() {
        for lang in [Lang::Zh, Lang::En] {
            let once = format(&text, lang).unwrap();
            assert_eq!(format(&once, lang).unwrap(), once, "{path}");
        }
    }
}

#[test]
fn chinese_to_english_and_back_gives_the_same_bytes() {
    for (path, text) in texts() {
        let chinese = format(&text, Lang::Zh).unwrap();
        let english = format(&chinese, Lang::En).unwrap();
        assert_eq!(
            format(&english, Lang::Zh).unwrap(),
            chinese,
            "{path}:\n{english}"
        );
    }
}

#[test]
fn a_formatted_package_is_the_same_program() {
    let files = package(&folder("cases/samples"));
    let before = compile(&files, &catalogue()).program.unwrap();
    for lang in [Lang::Zh, Lang::En] {
        let mut formatted = files.clone();
        for (path, bytes) in &mut formatted.files {
            if path.ends_with(".yd") {
                *bytes = format(std::str::from_utf8(bytes).unwrap(), lang)
                    .unwrap()
                    .into_bytes();
            }
        }
        let after = compile(&formatted, &catalogue());
        let after = after
            .program
            .unwrap_or_else(|| panic!("{}", listing(&formatted, &catalogue())));
        let hashes = |program: &yingda_dsl::program::Program| -> Vec<(String, Vec<u64>)> {
            let code = |routine: &yingda_dsl::program::Routine| {
                routine.code.iter().map(|step| step.hash).collect()
            };
            program
                .routines
                .iter()
                .map(|routine| (routine.key.clone(), code(routine)))
                .collect()
        };
        if lang == Lang::Zh {
            assert_eq!(hashes(&after), hashes(&before));
        }
        assert_eq!(after.tests.len(), before.tests.len());
    }
}

#[test]
fn the_one_form_keeps_comments_and_lines() {
    let text = "# 头\n\n\n规则组　日常 首个｛ # 尾\n规则 甲{\n\n当 消息 含（“你好”，「在吗」）且\n消息 不含 \"x\"  // 注\n则{ 说 “他说\"好\"” ；结束 }\n\n}\n｝\n时段 班 { 周一至周五 9：00－21：00\n周六、周日 10:00~18:00, 20:00-24:00\n2026-11-11-2026-11-12 休 }\n菜单 乙 { 1. \"一\" → 转人工 技能组 组一 排队超过60秒 { 结束 }\n其它->结束 }";
    insta::assert_snapshot!("chinese", format(text, Lang::Zh).unwrap());
    insta::assert_snapshot!("english", format(text, Lang::En).unwrap());
}

#[test]
fn what_does_not_parse_is_not_formatted() {
    let errors = format("规则组 甲 {\n  规责 乙 {}\n}\n", Lang::Zh).unwrap_err();
    assert_eq!(errors[0].code, "语法-07");
}
