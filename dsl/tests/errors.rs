//! What errors look like.

mod support;

use support::{catalogue, single};
use yingda_dsl::diagnostic::Lang;
use yingda_dsl::render::{Color, human};

/// The package of the language page's example: five slips in one file.
const FIVE: &str = r#"路由 { 规则组 售后  兜底 -> 说 "没听懂" }
技能组 售后组 { 排队超过 1分钟 -> 留言 }
规则组 售后 {
  规则 退货 { 当 消息 含 "退货"
  转人工 技能组 售后组
  }
  规则 你好 { 当 消息 含 "你好" 则 说话 "您好" }
  规责 打招呼 {
    当 消息 含 "在吗"
    则 说 "在的"
  }
  规则 混用 {
    当 消息 含 "a" 且 消息 含 "b" 或 消息 含 "c"
    则 说 "x"
  }
}
流程 查 {
  问 手机号 请发手机号 { 放弃 -> 结束 }
}
"#;

#[test]
fn all_slips_of_a_file_are_shown_in_one_pass() {
    let files = single(FIVE);
    let compiled = yingda_dsl::compile(&files, &catalogue());
    insta::assert_snapshot!(human(&compiled.diagnostics, &files, Lang::Zh, Color::Plain));
}
