//! Input as it comes: encodings, line ends, sizes, depths, word lists.

#![allow(clippy::unwrap_used)]

mod support;

use support::{catalogue, folder, listing, package, single};
use yingda_dsl::compile;
use yingda_dsl::diagnostic::{Lang, Severity};
use yingda_dsl::render::json;
use yingda_dsl::source::PackageFiles;

const SMALL: &str = "路由 { 兜底 -> 说 \"没听懂\" }\n流程 甲 {\n  说 \"您好\"\n}\n测试 \"甲\" { 客户 \"甲\" 期望 流程 甲 }\n";

#[test]
fn marks_line_ends_tabs_and_wide_punctuation_make_no_difference() {
    let plain = single(SMALL);
    let variants = [
        format!("\u{FEFF}{SMALL}"),
        SMALL.replace('\n', "\r\n"),
        SMALL.replace("  ", "\t"),
        SMALL.trim_end().to_owned(),
        SMALL
            .replace('{', "｛")
            .replace('}', "｝")
            .replace(' ', "\u{3000}")
            .replace("->", "→"),
        SMALL.replacen("\"没听懂\"", "“没听懂”", 1),
        SMALL.replacen("\"没听懂\"", "「没听懂」", 1),
    ];
    let wanted = compile(&plain, &catalogue()).program.unwrap();
    for text in variants {
        let files = single(&text);
        assert_eq!(listing(&files, &catalogue()), "", "{text}");
        let found = compile(&files, &catalogue()).program.unwrap();
        let hashes = |program: &yingda_dsl::program::Program| -> Vec<u64> {
            program
                .routines
                .iter()
                .flat_map(|routine| routine.code.iter().map(|step| step.hash))
                .collect()
        };
        assert_eq!(hashes(&found), hashes(&wanted), "{text}");
    }
}

#[test]
fn a_file_in_gbk_is_named_as_such_with_its_position() {
    let mut files = single("流程 甲 { 进入 流程 老流程 }\n");
    // 路由 in GBK behind an ASCII comment.
    let bytes = b"# a\n\xC2\xB7\xD3\xC9 {\n}\n".to_vec();
    files.files.insert("老.yd".to_owned(), bytes);
    let compiled = compile(&files, &catalogue());
    let found = json(&compiled.diagnostics, &files, Lang::Zh);
    // What may stand in the file that cannot be read is not reported as missing.
    assert_eq!(found.as_array().unwrap().len(), 1);
    let entry = &found[0];
    assert_eq!(entry["code"], "语法-12");
    assert_eq!(entry["file"], "老.yd");
    assert_eq!(entry["line"], 2);
    assert_eq!(entry["message"], "文件不是 UTF-8 编码，看起来是 GBK");
}

#[test]
fn columns_of_json_count_characters_from_one() {
    let files =
        single("路由 { 兜底 -> 说 \"没听懂\" }\r\n流程 甲 { 说 \"你好\"  进入 流程 乙丙 }\r\n");
    let compiled = compile(&files, &catalogue());
    let found = json(&compiled.diagnostics, &files, Lang::En);
    let entry = &found[0];
    assert_eq!(entry["code"], "含义-02");
    assert_eq!(
        (entry["line"].as_u64(), entry["column"].as_u64()),
        (Some(2), Some(22))
    );
    assert_eq!(
        (entry["end_line"].as_u64(), entry["end_column"].as_u64()),
        (Some(2), Some(24))
    );
    assert_eq!(entry["severity"], "error");
    assert!(entry["fixes"].as_array().unwrap().is_empty());
}

/// On a stack as small as a server's worker has.
fn on_a_worker<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(2 << 20);
        worker.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

#[test]
fn nesting_a_hundred_deep_is_read_and_deeper_is_refused() {
    for (depth, refused) in [(100, false), (50_000, true)] {
        let blocks = format!(
            "流程 甲 {{\n{}说 \"底\"{}\n}}\n",
            "如果 会话.轮数 > 1 { ".repeat(depth),
            " }".repeat(depth)
        );
        let brackets = format!(
            "规则组 乙 {{ 规则 乙 {{ 当 {}消息 含 \"乙\"{}\n则 结束 }} }}\n",
            "(".repeat(depth),
            ")".repeat(depth)
        );
        let menus = format!(
            "流程 丙 {{\n{}结束{}\n}}\n",
            "菜单 { 其它 -> 结束\n 1 \"一\" -> ".repeat(depth),
            " }".repeat(depth)
        );
        for text in [blocks, brackets, menus] {
            let files = single(&format!("路由 {{ 兜底 -> 结束 }}\n{text}"));
            let codes = on_a_worker(|| {
                let found = compile(&files, &catalogue()).diagnostics;
                found
                    .iter()
                    .filter(|one| one.severity == Severity::Error)
                    .map(|one| one.code)
                    .collect::<Vec<_>>()
            });
            let wanted: &[&str] = if refused { &["语法-09"] } else { &[] };
            assert!(
                codes == wanted || refused && codes.contains(&"语法-09"),
                "{depth}: {codes:?}"
            );
        }
    }
}

#[test]
fn unbalanced_nesting_is_not_exponential() {
    for text in [
        format!("流程 甲 {{\n{}", "如果 会话.轮数 > 1 { ".repeat(100)),
        format!(
            "流程 甲 {{\n{}{}\n}}\n",
            "如果 会话.轮数 > 1 { ".repeat(100),
            " } 哈哈".repeat(100)
        ),
        format!(
            "规则组 乙 {{ 规则 乙 {{ 当 {}消息 含 \"乙\"\n则 结束 }} }}\n",
            "(".repeat(100)
        ),
        format!(
            "规则组 乙 {{ 规则 乙 {{ 当 {}消息 含 \"乙\"{}\n则 结束 }} }}\n",
            "非 (".repeat(100),
            " 哈 )".repeat(100)
        ),
        "}".repeat(10_000),
        "\"".repeat(10_001),
        "则 ".repeat(10_000),
    ] {
        let files = single(&text);
        let started = std::time::Instant::now();
        let compiled = on_a_worker(|| compile(&files, &catalogue()));
        assert!(compiled.program.is_none());
        assert!(
            started.elapsed().as_secs() < 20,
            "{}",
            text.get(..60).unwrap_or(&text)
        );
    }
}

#[test]
fn a_list_of_two_hundred_thousand_words_is_fine() {
    let mut files = single(
        "路由 { 规则组 甲  兜底 -> 结束 }\n词组 大 来自 \"lexicons/大.txt\"\n规则组 甲 { 规则 乙 { 当 消息 含 大\n则 安抚 }\n规则 丙 { 当 消息 含 (\"词19999x\", \"丙\")\n则 安抚 } }\n",
    );
    let words: String = (0..200_000)
        .map(|number| format!("词{number}x # 注释\n"))
        .collect();
    files
        .files
        .insert("lexicons/大.txt".to_owned(), words.into_bytes());
    let compiled = compile(&files, &catalogue());
    let program = compiled.program.unwrap();
    assert_eq!(program.words[0].words.len(), 200_000);
    assert_eq!(
        listing(&files, &catalogue()),
        "冲突-02 包.yd:5 规则「丙」有一部分永远轮不到：\"词19999x\" 已被前面的「乙」接走（词「词19999x」）\n"
    );
}

#[test]
fn imports_are_listed_as_written() {
    let mut files = PackageFiles::default();
    files.files.insert(
        "甲.yd".to_owned(),
        "引用 \"../共用\"\n引用 \"../共用\"\n".as_bytes().to_vec(),
    );
    files
        .files
        .insert("乙.yd".to_owned(), "import \"../b\"\n".as_bytes().to_vec());
    assert_eq!(yingda_dsl::imports(&files), ["../b", "../共用"]);
}

#[test]
fn one_brace_missing_or_too_many_is_one_error() {
    let files = package(&folder("cases/samples"));
    let mut rules = String::from("规则组 大组 {\n");
    for rule in 0..300 {
        rules.push_str(&format!("  规则 规则{rule} {{\n    当 消息 含 \"词{rule}号\"\n    则 {{\n      说 \"{rule}\"\n    }}\n  }}\n"));
    }
    rules.push_str("}\n流程 后面 {\n  说 \"后面\"\n}\n");
    let errors = |text: &str| {
        let mut files = files.clone();
        files
            .files
            .insert("大.yd".to_owned(), text.as_bytes().to_vec());
        compile(&files, &catalogue())
            .diagnostics
            .into_iter()
            .filter(|one| one.severity == Severity::Error)
            .map(|one| {
                (
                    one.code,
                    text.get(..one.span.start as usize)
                        .unwrap_or_default()
                        .lines()
                        .count(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(errors(&rules), []);
    let braces: Vec<usize> = rules.match_indices(['{', '}']).map(|(at, _)| at).collect();
    // Every brace of three rules in the middle, and those at the end.
    let chosen = braces
        .iter()
        .skip(600)
        .take(12)
        .chain(braces.iter().rev().take(5));
    for at in chosen {
        let line = rules[..*at].lines().count();
        let without = format!("{}{}", &rules[..*at], &rules[at + 1..]);
        let doubled = format!("{}{}", &rules[..*at + 1], &rules[*at..]);
        for text in [without, doubled] {
            let found = errors(&text);
            assert_eq!(found.len(), 1, "brace of line {line}: {found:?}");
        }
    }
}
