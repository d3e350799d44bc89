//! The manual's examples compile.

mod support;

use support::{catalogue, folder, package};
use yingda_dsl::catalogue::Catalogue;
use yingda_dsl::diagnostic::Severity;
use yingda_dsl::keywords::KEYWORDS;
use yingda_dsl::source::PackageFiles;

/// The blocks of the manual: what stands behind the backticks, and the text.
fn blocks(manual: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in manual.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(kind), None) => open = Some((kind.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The sample package, without its route and intents where the block has its own.
fn base(block: &str) -> PackageFiles {
    let mut files = package(&folder("cases/samples"));
    let own_route =
        block.contains("路由 {") || block.contains("意图表 {") || block.contains("机器人 小助手");
    if own_route {
        files.files.remove("路由.yd");
        if !block.contains("路由 {") {
            let route = "路由 { 规则组 安全转接  流程中  兜底 -> 进入 流程 主菜单 }";
            files
                .files
                .insert("路由.yd".to_owned(), route.as_bytes().to_vec());
        }
    }
    files.files.insert(
        "lexicons/投诉.txt".to_owned(),
        "投诉\n曝光\n".as_bytes().to_vec(),
    );
    files
}

fn errors(files: &PackageFiles) -> Vec<String> {
    // What a channel cannot send is not the manual's matter.
    let any_channel = Catalogue {
        channels: Vec::new(),
        ..catalogue()
    };
    yingda_dsl::compile(files, &any_channel)
        .diagnostics
        .into_iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message))
        .collect()
}

#[test]
fn every_example_of_the_manual_compiles() {
    let manual = std::fs::read_to_string(folder("manual/language.md")).unwrap();
    let mut compiled = 0;
    for (kind, text) in blocks(&manual) {
        let program = match kind.as_str() {
            "yd" => text.clone(),
            "yd step" => format!("流程 例子 {{\n{text}}}\n"),
            "yd condition" => {
                let rules = text.lines().enumerate().map(|(index, line)| {
                    format!(
                        "规则组 例子组{index} {{ 规则 例子{index} {{ 当 {line}\n则 安抚 }} }}\n"
                    )
                });
                rules.collect::<String>()
            }
            _ => continue,
        };
        compiled += 1;
        let mut files = base(&text);
        files
            .files
            .insert("例子.yd".to_owned(), program.into_bytes());
        assert_eq!(errors(&files), Vec::<String>::new(), "in\n{text}");
    }
    assert!(compiled > 15, "only {compiled} examples found");
}

#[test]
fn every_keyword_stands_in_the_manual_with_its_alias() {
    let manual = std::fs::read_to_string(folder("manual/language.md")).unwrap();
    for keyword in KEYWORDS {
        let entry = format!("{} `{}`", keyword.zh, keyword.en);
        assert!(manual.contains(&entry), "{entry} is missing");
    }
}
