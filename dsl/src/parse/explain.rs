//! Why a line did not parse, and the edit that would make it.

use super::edits::Edit;
use super::tree::BadLine;
use super::{Token, TokenKind, scan};
use crate::diagnostic::Diagnostic;
use crate::keywords::{self, Group, Keyword};
use crate::names::closest;
use crate::source::Span;

/// Where a line stands, which says what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    File,
    Bot,
    Schedule,
    Script,
    Group,
    /// Before 当
    RuleWhen,
    /// Behind 当, no 则 yet
    RuleThen,
    /// Behind 则
    RuleEnd,
    Flow,
    Steps,
    Intents,
    Route,
    Experiment,
    SkillGroup,
    Scorecard,
    Ask,
    Call,
    Menu,
    Test,
}

impl Context {
    /// English aliases of the words that a line may start with.
    fn words(self) -> Vec<&'static str> {
        let steps = || keywords::of(Group::Step).map(|keyword| keyword.en);
        match self {
            Context::File => keywords::of(Group::Declaration)
                .map(|keyword| keyword.en)
                .filter(|word| *word != "rule")
                .collect(),
            Context::Bot => vec!["time_zone", "unrecognized", "merge", "licence", "idle"],
            Context::Schedule => vec!["except", "plus", "every_day"],
            Context::Script | Context::Intents => Vec::new(),
            Context::Group => vec!["rule"],
            Context::RuleWhen => vec!["when", "then"],
            Context::RuleThen => vec!["then"],
            Context::RuleEnd => vec!["then"],
            Context::Flow => steps()
                .chain(["menu", "experiment", "interruptible", "uninterruptible"])
                .collect(),
            Context::Steps => steps().chain(["menu", "experiment"]).collect(),
            Context::Route => vec!["group", "in_flow", "faq", "intent", "suggest", "fallback"],
            Context::Experiment => vec!["bucket", "period", "arm", "metrics", "guard"],
            Context::SkillGroup => vec![
                "assign",
                "capacity",
                "queue_limit",
                "queue_over",
                "exclusive_away",
                "notice",
                "service_hours",
            ],
            Context::Scorecard => vec!["full_marks", "pass_marks", "item", "fatal"],
            Context::Ask => vec!["validate", "retry", "give_up", "confirm"],
            Context::Call => vec!["success", "failure", "timeout"],
            Context::Menu => vec!["miss", "other"],
            Context::Test => vec!["set", "customer", "bot", "expect", "pass"],
        }
    }
}

/// The error for a line, and the edit that mends it where that is known.
pub(super) fn explain(source: &str, line: &BadLine) -> (Diagnostic, Option<Edit>) {
    let start = line.span.start as usize;
    let text = source
        .get(start..line.span.end as usize)
        .unwrap_or_default();
    let tokens: Vec<Token> = scan(text)
        .into_iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .collect();
    let line = Line {
        context: line.context,
        span: line.span,
        source,
        start,
        text,
        tokens: &tokens,
        inner: false,
    };
    line.explain()
}

struct Line<'a> {
    context: Context,
    span: Span,
    source: &'a str,
    start: usize,
    text: &'a str,
    tokens: &'a [Token],
    /// A step behind an arrow or keyword: what stands before it is no statement of its own.
    inner: bool,
}

impl Line<'_> {
    fn explain(&self) -> (Diagnostic, Option<Edit>) {
        let Some(first) = self.tokens.first() else {
            return (self.unreadable(), None);
        };
        if !self.inner {
            if let Some(inner) = self.inner_step() {
                return inner.explain();
            }
            if self.follows_statement() {
                return (self.left_over(), None);
            }
        }
        if first.kind != TokenKind::Word {
            return (self.not_a_word(first), None);
        }
        let word = first.text(self.text);
        if let Some(keyword) = keywords::grammar_word(word) {
            return self.known_word(first, keyword);
        }
        self.unknown_word(first, word)
    }

    /// The step behind 则, 成功 or an arrow, where that is what does not parse.
    fn inner_step(&self) -> Option<Line<'_>> {
        let first = self.tokens.first()?;
        let first_word = keywords::grammar_word(first.text(self.text)).map(|keyword| keyword.en);
        let leads = matches!(
            first_word,
            Some(
                "then"
                    | "success"
                    | "failure"
                    | "timeout"
                    | "give_up"
                    | "other"
                    | "fallback"
                    | "else"
            )
        );
        if first_word.is_some_and(|word| !self.context.words().contains(&word)) {
            return None;
        }
        let line_end = self
            .tokens
            .iter()
            .position(|token| matches!(token.kind, TokenKind::LineEnd | TokenKind::OpenBrace))
            .unwrap_or(self.tokens.len());
        let line = self.tokens.get(..line_end)?;
        let arrow = line
            .windows(2)
            .position(|pair| matches!(pair, [dash, head] if self.is_arrow(dash, head)))
            .map(|at| at + 2)
            .or_else(|| {
                line.iter()
                    .position(|token| token.text(self.text) == "→")
                    .map(|at| at + 1)
            });
        let at = match arrow {
            Some(at) => at,
            None if leads => 1,
            None => return None,
        };
        let rest = self.tokens.get(at..)?;
        let start = line.get(at)?;
        if start.kind != TokenKind::Word {
            return None;
        }
        Some(Line {
            context: Context::Steps,
            inner: true,
            tokens: rest,
            ..*self
        })
    }

    fn is_arrow(&self, dash: &Token, head: &Token) -> bool {
        dash.end == head.start
            && matches!(dash.text(self.text), "-" | "－" | "=" | "—")
            && matches!(head.text(self.text), ">" | "＞")
    }

    /// A line that starts with a word of the language.
    fn known_word(&self, first: &Token, keyword: &'static Keyword) -> (Diagnostic, Option<Edit>) {
        let allowed = self.context.words();
        let step = keyword.group == Group::Step || matches!(keyword.en, "menu" | "experiment");
        if self.context == Context::RuleThen && step {
            let at = self.place(first.start, first.start);
            let insert = "则 ";
            return (
                Diagnostic::error(
                    "语法-03",
                    self.place(first.start, first.end),
                    "条件和动作之间缺少「则」",
                    "「则」 (then) is missing between condition and action",
                )
                .label("这里应先写「则」")
                .help("补上「则」", "add 则 (then)")
                .fix("补上「则」", at, insert),
                Some(self.insert(first.start, insert)),
            );
        }
        if self.context == Context::RuleEnd && step {
            return (
                Diagnostic::error(
                    "语法-11",
                    self.place(first.start, first.end),
                    "「则」后面已经有一个动作；要做几件事，请用大括号括起来",
                    "there is an action already; put several into braces",
                )
                .help(
                    "写成：则 { 安抚  转人工 技能组 综合组 }",
                    "write: then { soothe  handoff skill_group … }",
                ),
                None,
            );
        }
        if !allowed.contains(&keyword.en) {
            return (self.misplaced(first, keyword), None);
        }
        if let Some(found) = self.unquoted(first, keyword) {
            return found;
        }
        let mut diagnostic = Diagnostic::error(
            "语法-08",
            self.whole(),
            format!("「{}」这一行没写对", keyword.zh),
            format!("this {} line is not well formed", keyword.en),
        );
        if !keyword.usage.is_empty() {
            diagnostic = diagnostic.help(
                format!("写法：{}", keyword.usage),
                format!("written like: {}", keyword.usage),
            );
        }
        (diagnostic, None)
    }

    /// 说, 问 and the like with a text that stands without quotes.
    fn unquoted(&self, first: &Token, keyword: &Keyword) -> Option<(Diagnostic, Option<Edit>)> {
        let quoted = self
            .tokens
            .iter()
            .any(|token| token.kind == TokenKind::Quoted);
        let words_before = match keyword.en {
            "say" | "tag" | "untag" | "remark" | "ticket" | "answer" | "leave_message"
            | "block" | "licence" | "notice" | "time_zone" | "import" | "send_image"
            | "send_voice" | "send_video" | "send_file" | "customer" => 0,
            "ask" | "notify" => 1,
            _ => return None,
        };
        if quoted {
            return None;
        }
        let line_end = self
            .tokens
            .iter()
            .position(|token| matches!(token.kind, TokenKind::LineEnd | TokenKind::OpenBrace))
            .unwrap_or(self.tokens.len());
        let body = self.tokens.get(words_before + 1..line_end)?;
        let (from, to) = match (body.first(), body.last()) {
            (Some(from), Some(to)) => (from.start, to.end),
            // `问 请发手机号`: the name is missing as well.
            _ => {
                let usage = keyword.usage;
                return Some((
                    Diagnostic::error(
                        "语法-05",
                        self.place(first.start, first.end),
                        format!("「{}」后面要写引号里的话：{usage}", keyword.zh),
                        format!("{} wants a quoted text: {usage}", keyword.en),
                    ),
                    None,
                ));
            }
        };
        let what = match keyword.en {
            "ask" => "问句",
            "say" => "要说的话",
            _ => "文字",
        };
        let text = self.text.get(from..to).unwrap_or_default();
        let example = match keyword.en {
            "ask" => keyword.usage.to_owned(),
            _ => format!("{} \"{text}\"", keyword.zh),
        };
        Some((
            Diagnostic::error(
                "语法-05",
                self.place(from, to),
                format!("{what}要放在引号里：{example}"),
                format!("the text must be quoted: {example}"),
            )
            .help("加上引号", "add quotes")
            .fix("加上引号", self.place(from, to), format!("\"{text}\"")),
            Some(Edit {
                start: self.start + from,
                end: self.start + to,
                text: format!("\"{text}\""),
            }),
        ))
    }

    fn unknown_word(&self, first: &Token, word: &str) -> (Diagnostic, Option<Edit>) {
        let allowed = self.context.words();
        let candidates: Vec<&str> = allowed
            .iter()
            .filter_map(|alias| keywords::grammar_word(alias))
            .flat_map(|keyword| [keyword.zh, keyword.en])
            .collect();
        let span = self.place(first.start, first.end);
        let close = closest(word, candidates.iter().copied()).or_else(|| {
            candidates
                .iter()
                .copied()
                .filter(|keyword| word.starts_with(keyword))
                .max_by_key(|keyword| keyword.len())
        });
        if let Some(keyword) = close {
            // 「转人工技能组」 is the word itself with the space forgotten.
            let glued = word
                .strip_prefix(keyword)
                .is_some_and(|rest| rest.chars().count() >= 2);
            let replacement = if glued {
                format!(
                    "{keyword} {}",
                    word.strip_prefix(keyword).unwrap_or_default()
                )
            } else {
                keyword.to_owned()
            };
            let message = if glued {
                format!("不认识「{word}」，「{keyword}」后面要空一格")
            } else {
                format!("不认识「{word}」，是不是「{keyword}」？")
            };
            return (
                Diagnostic::error(
                    "语法-07",
                    span,
                    message,
                    format!("unknown word {word}, did you mean {replacement}?"),
                )
                .help(
                    format!("改成「{replacement}」"),
                    format!("write {replacement}"),
                )
                .fix(format!("改成「{replacement}」"), span, replacement.clone()),
                Some(Edit {
                    start: self.start + first.start,
                    end: self.start + first.end,
                    text: replacement,
                }),
            );
        }
        let mut diagnostic = Diagnostic::error(
            "语法-07",
            span,
            format!("不认识「{word}」"),
            format!("unknown word {word}"),
        );
        if let Some((zh, en)) = self.expected() {
            diagnostic = diagnostic.help(zh, en);
        }
        (diagnostic, None)
    }

    fn misplaced(&self, first: &Token, keyword: &Keyword) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(
            "语法-10",
            self.place(first.start, first.end),
            format!("「{}」不能写在这里", keyword.zh),
            format!("{} cannot stand here", keyword.en),
        );
        if self.context == Context::File && keyword.en == "rule" {
            return diagnostic.help(
                "规则要写在规则组里：规则组 日常 { 规则 … }",
                "a rule stands inside a group: group daily { rule … }",
            );
        }
        if let Some((zh, en)) = self.expected() {
            diagnostic = diagnostic.help(zh, en);
        }
        diagnostic
    }

    /// What may stand here, in a sentence.
    fn expected(&self) -> Option<(String, String)> {
        match self.context {
            Context::Intents => {
                return Some((
                    "这里写：意图名 -> 要做的事，比如 订单跟踪 -> 进入 流程 查订单".to_owned(),
                    "write: intent -> action".to_owned(),
                ));
            }
            Context::Menu => {
                return Some((
                    "菜单里写：1 \"选项\" -> 要做的事，还有 未命中、其它".to_owned(),
                    "a menu holds: 1 \"item\" -> action, miss, other".to_owned(),
                ));
            }
            Context::Schedule => {
                return Some((
                    "时段里写：周一 至 周五 9:00-21:00，或 除 法定节假日，或 加 调休上班日，或 2026-11-11 9:00-23:00".to_owned(),
                    "a schedule holds: mon to fri 9:00-21:00, except public_holidays, plus make_up_workdays, dates".to_owned(),
                ));
            }
            _ => {}
        }
        let words: Vec<&Keyword> = self
            .context
            .words()
            .into_iter()
            .filter_map(keywords::grammar_word)
            .collect();
        if words.is_empty() {
            return None;
        }
        let zh: Vec<&str> = words.iter().map(|keyword| keyword.zh).collect();
        let en: Vec<&str> = words.iter().map(|keyword| keyword.en).collect();
        Some((
            format!("这里可以写：{}", zh.join("、")),
            format!("expected one of: {}", en.join(", ")),
        ))
    }

    fn not_a_word(&self, first: &Token) -> Diagnostic {
        let shown = first.text(self.text);
        if first.kind == TokenKind::CloseBrace {
            return Diagnostic::error(
                "语法-02",
                self.whole(),
                "这里多了一个右大括号「}」",
                "a closing brace too many",
            )
            .help("删掉它", "delete it");
        }
        let (zh, en) = match (self.context, first.kind) {
            (Context::Menu, TokenKind::Number) => (
                "菜单的这一项没写对".to_owned(),
                "this menu item is not well formed".to_owned(),
            ),
            (_, TokenKind::Quoted) => (
                "一行不能以引号里的话开头；要机器人说话，请写「说」".to_owned(),
                "a line cannot start with a quoted text; write say".to_owned(),
            ),
            _ => (
                format!("看不懂这里的「{shown}」"),
                format!("cannot make sense of {shown}"),
            ),
        };
        let mut diagnostic = Diagnostic::error("语法-01", self.whole(), zh, en);
        diagnostic = match (self.context, first.kind) {
            (Context::Menu, _) => diagnostic.help(
                "写法：1 \"查订单\" 同义 (\"订单\", \"物流\") -> 进入 流程 查订单",
                "written like: 1 \"orders\" synonyms (\"parcel\") -> enter flow …",
            ),
            (Context::Flow | Context::Steps, TokenKind::Quoted) => diagnostic
                .help("补上「说」", "add say")
                .fix("补上「说」", self.place(first.start, first.start), "说 "),
            _ => match self.expected() {
                Some((zh, en)) => diagnostic.help(zh, en),
                None => diagnostic.help("删掉它，或者改成看得懂的写法", "delete or rewrite it"),
            },
        };
        diagnostic
    }

    fn left_over(&self) -> Diagnostic {
        let shown = self.first_line();
        Diagnostic::error(
            "语法-11",
            self.whole(),
            format!("这里多出了「{shown}」，看不懂"),
            format!("cannot make sense of the rest of this line: {shown}"),
        )
        .help(
            "删掉它，或者换一行写；要做几件事，请用大括号括起来",
            "delete it or put it on a line of its own; several actions go into braces",
        )
    }

    fn unreadable(&self) -> Diagnostic {
        Diagnostic::error(
            "语法-01",
            self.span,
            "看不懂这一行",
            "cannot make sense of this line",
        )
        .help("删掉它", "delete it")
    }

    /// Whether something else stands before it on its line.
    fn follows_statement(&self) -> bool {
        let before = self.source.get(..self.start).unwrap_or_default();
        let line = before
            .rsplit(['\n', ';', '；', '{', '｛'])
            .next()
            .unwrap_or_default();
        !line.trim().is_empty()
    }

    fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default().trim_end()
    }

    /// The first line of it.
    fn whole(&self) -> Span {
        self.place(0, self.first_line().len().max(1))
    }

    fn place(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.span.file,
            start: (self.start + start) as u32,
            end: (self.start + end) as u32,
        }
    }

    fn insert(&self, at: usize, text: &str) -> Edit {
        Edit {
            start: self.start + at,
            end: self.start + at,
            text: text.to_owned(),
        }
    }
}
