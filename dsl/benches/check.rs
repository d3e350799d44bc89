//! Parsing and checking a large package: 5,000 rules, 1.2 MB (gate: under a second).
//!
//! `cargo bench -p yingda-dsl --bench check`

use yingda_dsl::catalogue::Catalogue;
use yingda_dsl::source::PackageFiles;

fn main() {
    divan::main();
}

/// Groups of 100 rules with two conditions and two actions each.
fn package(rules: usize) -> PackageFiles {
    let mut text = String::from(
        "路由 { 规则组 组0  流程中  兜底 -> 说 \"没听懂\" }\n技能组 售后组 { 排队超过 1分钟 -> 留言 }\n",
    );
    for rule in 0..rules {
        if rule % 100 == 0 {
            if rule > 0 {
                text.push_str("}\n");
            }
            text.push_str(&format!("规则组 组{} 首个 {{\n", rule / 100));
        }
        text.push_str(&format!(
            "  规则 规则{rule} {{\n    当 消息 含 (\"问题{rule}的说法\", \"另一种问法{rule}\") 且 消息 不含 \"不要{rule}\"\n    则 {{\n      说 \"您好，{{客户.称呼}}，关于问题{rule}，请在订单页点「申请售后」，我们会在一个工作日内回复您。\"\n      转人工 技能组 售后组\n    }}\n  }}\n"
        ));
    }
    text.push_str("}\n");
    let mut files = PackageFiles::default();
    files.files.insert("规则.yd".to_owned(), text.into_bytes());
    files
}

#[divan::bench(args = [500, 5000], sample_count = 10)]
fn check(bencher: divan::Bencher, rules: usize) {
    let files = package(rules);
    let bytes: usize = files.files.values().map(Vec::len).sum();
    let catalogue = Catalogue::default();
    bencher
        .counter(divan::counter::BytesCount::new(bytes))
        .bench(|| yingda_dsl::compile(&files, &catalogue));
}
