//! Every word of the language, Chinese first, with its one English alias.
//!
//! The grammar's `keywords.pest` is generated from this table (see [`pest_source`]); messages, the highlighter, the
//! formatter and the manual read it as well.

use Group::*;

/// What a word is, which also says where it may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Starts a declaration.
    Declaration,
    /// Starts a step of a flow or an action of a rule.
    Step,
    /// Starts a line inside a declaration or a step's block.
    Line,
    /// Part of a condition.
    Condition,
    /// 且 或 非 当 则 …
    Logic,
    /// An option inside a line.
    Clause,
    /// Like [`Group::Clause`], with a number behind it that may touch it (`最多2次`).
    Number,
    /// The types of slots, attributes, parameters and results.
    Type,
    /// 消息 是 …
    Kind,
    /// 事件 是 …
    Event,
    /// 情绪 是 …
    Emotion,
    /// 分配 …
    Strategy,
    /// 可打断 …
    Interrupt,
    /// Fields of 会话 and 排队.
    Figure,
    /// 真, 假
    Boolean,
}

impl Group {
    /// Words of these groups are tokens of the grammar; the others are read as names and looked up.
    pub fn in_grammar(self) -> bool {
        matches!(
            self,
            Declaration | Step | Line | Condition | Logic | Clause | Number
        )
    }
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    /// Grammar rule `kw_<id>`, and the English alias.
    pub en: &'static str,
    pub zh: &'static str,
    pub group: Group,
    /// How a line that starts with it is written; empty where it starts none.
    pub usage: &'static str,
}

const fn k(group: Group, zh: &'static str, en: &'static str, usage: &'static str) -> Keyword {
    Keyword {
        en,
        zh,
        group,
        usage,
    }
}

/// The table.
pub const KEYWORDS: &[Keyword] = &[
    k(Declaration, "引用", "import", "引用 \"../共用\""),
    k(
        Declaration,
        "机器人",
        "bot",
        "机器人 小应 { 时区 \"Asia/Shanghai\" }",
    ),
    k(
        Declaration,
        "词组",
        "words",
        "词组 招呼语 = (\"你好\", \"在吗\")",
    ),
    k(
        Declaration,
        "时段",
        "schedule",
        "时段 工作时间 { 周一 至 周五 9:00-21:00 }",
    ),
    k(
        Declaration,
        "人群",
        "segment",
        "人群 VIP客户 = 客户.等级 = \"VIP\"",
    ),
    k(Declaration, "属性", "attribute", "属性 客户.年消费: 金额"),
    k(
        Declaration,
        "接口",
        "connector",
        "接口 查询订单 (手机号: 手机号) 返回 (状态: 文本)",
    ),
    k(
        Declaration,
        "话术",
        "script",
        "话术 寒暄 \"不客气，有需要再找我。\"",
    ),
    k(
        Declaration,
        "规则组",
        "group",
        "规则组 日常 首个 { 规则 … }",
    ),
    k(
        Declaration,
        "规则",
        "rule",
        "规则 打招呼 { 当 消息 整句 \"你好\" 则 说 \"您好\" }",
    ),
    k(Declaration, "流程", "flow", "流程 查订单 { 说 \"您好\" }"),
    k(
        Declaration,
        "菜单",
        "menu",
        "菜单 主菜单 { 1 \"查订单\" -> 进入 流程 查订单  其它 -> 转人工 技能组 综合组 }",
    ),
    k(
        Declaration,
        "意图表",
        "intents",
        "意图表 { 订单跟踪 -> 进入 流程 查订单 }",
    ),
    k(
        Declaration,
        "实验",
        "experiment",
        "实验 新话术 { 组 对照 50% { … } 组 新版 50% { … } }",
    ),
    k(
        Declaration,
        "技能组",
        "skill_group",
        "技能组 售后组 { 每人上限 8 }",
    ),
    k(
        Declaration,
        "质检",
        "scorecard",
        "质检 在线客服 { 满分 100 及格 80 }",
    ),
    k(
        Declaration,
        "路由",
        "route",
        "路由 { 规则组 日常  流程中  兜底 -> 进入 流程 主菜单 }",
    ),
    k(
        Declaration,
        "测试",
        "test",
        "测试 \"名字\" { 客户 \"你好\" 机器人 含 \"您好\" }",
    ),
    // Steps.
    k(Step, "说", "say", "说 \"您好\""),
    k(Step, "发图片", "send_image", "发图片 \"尺码表\""),
    k(Step, "发语音", "send_voice", "发语音 \"欢迎词\""),
    k(Step, "发视频", "send_video", "发视频 \"安装教程\""),
    k(Step, "发文件", "send_file", "发文件 \"说明书\""),
    k(
        Step,
        "发图文",
        "send_news",
        "发图文 (标题: \"双十一\", 描述: \"满300减50\", 链接: \"https://…\", 图片: \"https://…\")",
    ),
    k(
        Step,
        "发链接",
        "send_link",
        "发链接 (标题: \"运费说明\", 描述: \"点开查看\", 链接: \"https://…\")",
    ),
    k(
        Step,
        "发小程序",
        "send_mini_program",
        "发小程序 (标题: \"我的订单\", 应用: \"wx…\", 路径: \"pages/order\", 封面: \"订单封面\")",
    ),
    k(Step, "问", "ask", "问 手机号 \"请发手机号\""),
    k(
        Step,
        "调用",
        "call",
        "调用 查询订单 (手机号) 得 订单 限时 3秒 { 成功 {…} 失败 {…} 超时 {…} }",
    ),
    k(
        Step,
        "如果",
        "if",
        "如果 订单.状态 = \"已发货\" { … } 否则 { … }",
    ),
    k(Step, "设", "set", "设 次数 = 1"),
    k(Step, "打标签", "tag", "打标签 \"投诉风险\""),
    k(Step, "去标签", "untag", "去标签 \"投诉风险\""),
    k(Step, "记备注", "remark", "记备注 \"客户要发票\""),
    k(
        Step,
        "建工单",
        "ticket",
        "建工单 \"退货\" \"客户 {客户.称呼} 要退货\"",
    ),
    k(Step, "通知", "notify", "通知 值班群 \"有紧急投诉\""),
    k(Step, "回答", "answer", "回答 \"发票怎么开\""),
    k(Step, "推荐问题", "suggest", "推荐问题 最多 3 条"),
    k(Step, "安抚", "soothe", "安抚"),
    k(Step, "进入", "enter", "进入 流程 查订单"),
    k(Step, "转人工", "handoff", "转人工 技能组 综合组"),
    k(
        Step,
        "留言",
        "leave_message",
        "留言 \"请留下您的问题和联系方式\"",
    ),
    k(Step, "转回机器人", "return_to_bot", "转回机器人"),
    k(Step, "拦截", "block", "拦截 \"辱骂\""),
    k(Step, "结束", "end", "结束"),
    // Lines of declarations and blocks.
    k(Line, "时区", "time_zone", "时区 \"Asia/Shanghai\""),
    k(
        Line,
        "未识别",
        "unrecognized",
        "未识别 连续 2 次 -> 进入 流程 主菜单",
    ),
    k(Line, "合并", "merge", "合并 连续消息 1.5秒"),
    k(Line, "许可", "licence", "许可 \"医疗机构执业许可证：…\""),
    k(Line, "空闲", "idle", "空闲 30分钟"),
    k(Line, "流程中", "in_flow", "流程中"),
    k(Line, "兜底", "fallback", "兜底 -> 进入 流程 主菜单"),
    k(Line, "可打断", "interruptible", "可打断 恢复"),
    k(Line, "不可打断", "uninterruptible", "不可打断"),
    k(Line, "未命中", "miss", "未命中 最多 2 次 \"没有这个选项\""),
    k(Line, "其它", "other", "其它 -> 转人工 技能组 综合组"),
    k(Line, "校验", "validate", "校验 手机号"),
    k(Line, "重问", "retry", "重问 最多 2 次 \"请再发一次\""),
    k(Line, "放弃", "give_up", "放弃 -> 转人工 技能组 综合组"),
    k(Line, "确认", "confirm", "确认 \"是 {手机号} 这个号码吗？\""),
    k(Line, "成功", "success", "成功 { 说 \"查到了\" }"),
    k(Line, "失败", "failure", "失败 { 说 \"没查到\" }"),
    k(Line, "超时", "timeout", "超时 -> 转人工 技能组 售后组"),
    k(Line, "除", "except", "除 法定节假日"),
    k(Line, "加", "plus", "加 调休上班日"),
    k(
        Line,
        "分配",
        "assign",
        "分配 熟客优先 7天 > 技能匹配 > 负载均衡",
    ),
    k(Number, "每人上限", "capacity", "每人上限 8"),
    k(
        Number,
        "排队上限",
        "queue_limit",
        "排队上限 50 否则 进入 流程 留言",
    ),
    k(
        Number,
        "排队超过",
        "queue_over",
        "排队超过 5分钟 -> 进入 流程 留言",
    ),
    k(
        Line,
        "专属客服不在",
        "exclusive_away",
        "专属客服不在 等待 10分钟 否则 转人工 技能组 综合组",
    ),
    k(Line, "提示", "notice", "提示 \"前面还有 {排队.位次} 位\""),
    k(Line, "服务时间", "service_hours", "服务时间 工作时间"),
    k(Line, "分桶", "bucket", "分桶 按 客户 盐 \"tuihuo-202611\""),
    k(Line, "期间", "period", "期间 2026-11-20 至 2026-12-04"),
    k(Line, "组", "arm", "组 对照 70% { 说 \"…\" }"),
    k(Line, "指标", "metrics", "指标 解决率, 转人工率"),
    k(
        Line,
        "守护",
        "guard",
        "守护 转人工率 > 25% 样本 ≥ 100 -> 回到 对照",
    ),
    k(Number, "满分", "full_marks", "满分 100"),
    k(Number, "及格", "pass_marks", "及格 80"),
    k(
        Line,
        "项",
        "item",
        "项 首次响应 8 分 { 首次响应 > 45秒 扣 8 }",
    ),
    k(
        Line,
        "致命",
        "fatal",
        "致命 投诉未转 { 客户 含 投诉词 之后 120秒内 未 转人工 }",
    ),
    k(Line, "期望", "expect", "期望 转人工 技能组 综合组"),
    k(Line, "经过", "pass", "经过 90秒"),
    // Logic.
    k(Logic, "当", "when", "当 消息 含 \"发票\""),
    k(Logic, "则", "then", "则 说 \"您好\""),
    k(Logic, "且", "and", ""),
    k(Logic, "或", "or", ""),
    k(Logic, "非", "not", ""),
    k(Logic, "否则", "else", ""),
    // Conditions.
    k(Condition, "消息", "message", ""),
    k(Condition, "整句", "equals", ""),
    k(Condition, "不含", "contains_not", ""),
    k(Condition, "含", "contains", ""),
    k(Condition, "词", "word", ""),
    k(Condition, "近似", "sounds_like", ""),
    k(Condition, "形如", "like", ""),
    k(Condition, "正则", "regex", ""),
    k(Condition, "意图", "intent", ""),
    k(Condition, "常见问题", "faq", ""),
    k(Condition, "情绪", "emotion", ""),
    k(Condition, "实体", "entity", ""),
    k(Condition, "客户", "customer", ""),
    k(Condition, "属于", "belongs_to", ""),
    k(Condition, "有标签", "has_tag", ""),
    k(Condition, "已绑定", "bound", ""),
    k(Condition, "渠道", "channel", ""),
    k(Condition, "来源", "source", ""),
    k(Condition, "现在", "now", ""),
    k(Condition, "不在", "not_in", ""),
    k(Condition, "在", "in", ""),
    k(Condition, "是", "is", ""),
    k(Condition, "不是", "is_not", ""),
    k(Condition, "事件", "event", ""),
    k(Condition, "有值", "has_value", ""),
    k(Number, "置信度", "confidence", ""),
    // Clauses.
    k(Clause, "来自", "from", ""),
    k(Clause, "返回", "returns", ""),
    k(Clause, "默认", "default", ""),
    k(Clause, "级别", "level", ""),
    k(Clause, "业务", "business", ""),
    k(Clause, "首个", "first", ""),
    k(Clause, "唯一", "unique", ""),
    k(Clause, "任选", "any_of", ""),
    k(Clause, "同义", "synonyms", ""),
    k(Clause, "专属客服", "exclusive_agent", ""),
    k(Clause, "紧急", "urgent", ""),
    k(Clause, "备注", "note", ""),
    k(Clause, "得", "as", ""),
    k(Number, "限时", "within", ""),
    k(Number, "连续", "consecutive", ""),
    k(Number, "连续消息", "consecutive_messages", ""),
    k(Number, "最多", "at_most", ""),
    k(Number, "至", "to", ""),
    k(Number, "等待", "wait", ""),
    k(Clause, "按", "by", ""),
    k(Clause, "盐", "salt", ""),
    k(Number, "样本", "samples", ""),
    k(Clause, "回到", "back_to", ""),
    k(Clause, "法定节假日", "public_holidays", ""),
    k(Clause, "调休上班日", "make_up_workdays", ""),
    k(Clause, "休", "closed_all_day", ""),
    k(Clause, "每天", "every_day", ""),
    k(Clause, "标题", "title", ""),
    k(Clause, "描述", "description", ""),
    k(Clause, "链接", "url", ""),
    k(Clause, "图片", "picture", ""),
    k(Clause, "应用", "app", ""),
    k(Clause, "路径", "path", ""),
    k(Clause, "封面", "thumb", ""),
    k(Clause, "发", "sends", ""),
    k(Clause, "不转人工", "no_handoff", ""),
    k(Clause, "没有流程", "no_flow", ""),
    k(Clause, "标签", "label", ""),
    k(Clause, "沉默", "silent", ""),
    k(Clause, "次", "times", ""),
    k(Clause, "条", "entries", ""),
    k(Clause, "分", "points", ""),
    // Types.
    k(Type, "文本", "text", ""),
    k(Type, "数字", "number", ""),
    k(Type, "是否", "boolean", ""),
    k(Type, "日期", "date", ""),
    k(Type, "时间", "time", ""),
    k(Type, "日期时间", "datetime", ""),
    k(Type, "数量", "quantity", ""),
    k(Type, "金额", "money", ""),
    k(Type, "手机号", "phone", ""),
    k(Type, "座机", "landline", ""),
    k(Type, "订单号", "order_number", ""),
    k(Type, "身份证", "id_card", ""),
    k(Type, "银行卡", "bank_card", ""),
    k(Type, "邮箱", "email", ""),
    k(Type, "地址", "address", ""),
    k(Type, "车牌", "licence_plate", ""),
    k(Type, "快递单号", "tracking_number", ""),
    k(Type, "选择", "choice", ""),
    // Message kinds.
    k(Kind, "文本", "text", ""),
    k(Kind, "图片", "image", ""),
    k(Kind, "语音", "voice", ""),
    k(Kind, "视频", "video", ""),
    k(Kind, "位置", "location", ""),
    k(Kind, "链接", "link", ""),
    k(Kind, "小程序", "mini_program", ""),
    k(Kind, "表情", "sticker", ""),
    k(Kind, "文件", "file", ""),
    // Events.
    k(Event, "关注", "subscribe", ""),
    k(Event, "扫码", "scan", ""),
    k(Event, "点击菜单", "menu_click", ""),
    k(Event, "首次进线", "first_contact", ""),
    k(Event, "进入会话", "enter_chat", ""),
    k(Event, "再次进线", "return_visit", ""),
    k(Event, "评价", "rating", ""),
    k(Event, "会话结束", "session_closed", ""),
    // Emotions.
    k(Emotion, "愤怒", "angry", ""),
    k(Emotion, "焦急", "anxious", ""),
    k(Emotion, "满意", "satisfied", ""),
    k(Emotion, "平静", "neutral", ""),
    // Assignment strategies.
    k(Strategy, "顺序分配", "sequential", ""),
    k(Strategy, "随机分配", "random", ""),
    k(Strategy, "熟客优先", "returning_first", ""),
    k(Strategy, "负载均衡", "load_balance", ""),
    k(Strategy, "技能匹配", "skill_match", ""),
    k(Strategy, "贵宾优先", "vip_first", ""),
    // 可打断 …
    k(Interrupt, "恢复", "resume", ""),
    k(Interrupt, "询问", "ask_which", ""),
    k(Interrupt, "放弃", "abandon", ""),
    // Figures.
    k(Figure, "轮数", "turns", ""),
    k(Figure, "未识别次数", "unrecognized_count", ""),
    k(Figure, "剩余额度", "budget_left", ""),
    k(Figure, "上次回答", "last_answer", ""),
    k(Figure, "位次", "position", ""),
    k(Figure, "人数", "length", ""),
    k(Figure, "预计分钟", "estimated_minutes", ""),
    k(Figure, "在线人数", "agents_online", ""),
    k(Figure, "会话热度", "load", ""),
    k(Figure, "内容", "content", ""),
    k(Figure, "会话", "conversation", ""),
    k(Figure, "排队", "queue", ""),
    // Truth values.
    k(Boolean, "真", "true", ""),
    k(Boolean, "假", "false", ""),
];

/// The word of a group by either spelling.
pub fn find(group: Group, word: &str) -> Option<&'static Keyword> {
    KEYWORDS
        .iter()
        .find(|keyword| keyword.group == group && (keyword.zh == word || keyword.en == word))
}

/// The grammar word by either spelling.
pub fn grammar_word(word: &str) -> Option<&'static Keyword> {
    KEYWORDS
        .iter()
        .find(|keyword| keyword.group.in_grammar() && (keyword.zh == word || keyword.en == word))
}

/// The words of a group, in the table's order.
pub fn of(group: Group) -> impl Iterator<Item = &'static Keyword> {
    KEYWORDS
        .iter()
        .filter(move |keyword| keyword.group == group)
}

/// The text of `src/parse/keywords.pest`: one atomic rule per grammar word.
///
/// `UPDATE=1 cargo test -p yingda-dsl keywords_grammar` writes it.
pub fn pest_source() -> String {
    let mut out = String::from(
        "// Generated from src/keywords.rs: UPDATE=1 cargo test -p yingda-dsl keywords_grammar\n",
    );
    for keyword in KEYWORDS.iter().filter(|keyword| keyword.group.in_grammar()) {
        let boundary = match keyword.group {
            // 周一至周五 is written without spaces.
            _ if keyword.en == "to" => "word_edge_none",
            Number => "word_edge_number",
            _ => "word_edge",
        };
        out.push_str(&format!(
            "kw_{} = @{{ (\"{}\" | \"{}\") ~ {boundary} }}\n",
            keyword.en, keyword.zh, keyword.en
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_grammar_is_the_one_the_table_gives() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/parse/keywords.pest");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, pest_source()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), pest_source());
    }

    #[test]
    fn no_grammar_word_has_two_entries() {
        for (index, one) in KEYWORDS.iter().enumerate() {
            for other in &KEYWORDS[index + 1..] {
                if one.group == other.group || (one.group.in_grammar() && other.group.in_grammar())
                {
                    assert_ne!(one.zh, other.zh);
                    assert_ne!(one.en, other.en);
                }
            }
        }
    }
}
