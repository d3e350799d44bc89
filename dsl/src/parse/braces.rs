//! Braces and brackets put right before the grammar runs, so that one that is missing or too many is one error.
//!
//! Which lines can stand where is known from their first word: `规则 X {` stands in a 规则组 only, a declaration at the
//! top only. Where such a line stands too deep, a brace is missing before it; where a step stands at the top, the
//! brace before it was one too many. Indentation, where it contradicts the braces, says which block is meant.

use super::edits::{Edit, Edits};
use super::{MAX_DEPTH, Token, TokenKind};
use crate::diagnostic::Diagnostic;
use crate::keywords::{self, Group, Keyword};
use crate::source::Span;

struct Frame {
    /// First word of the line the brace belongs to, as its English alias.
    head: &'static str,
    head_start: usize,
    /// Column of the first token on the line of the opening brace.
    indent: usize,
}

struct Mender<'a> {
    file: u32,
    source: &'a str,
    edits: &'a mut Edits,
    diagnostics: &'a mut Vec<Diagnostic>,
    stack: Vec<Frame>,
    /// The block at the top that was closed last, with its closing brace, to open again should that have been one too many.
    closed: Option<(Vec<Frame>, Token)>,
    /// A closed block whose closing brace stands further left than its line: its own brace is probably missing.
    suspect: Option<usize>,
    too_deep: bool,
}

/// Mends braces; false where the text cannot be read at all.
pub(super) fn mend(
    file: u32,
    source: &str,
    tokens: &[Token],
    edits: &mut Edits,
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let mut mender = Mender {
        file,
        source,
        edits,
        diagnostics,
        stack: Vec::new(),
        closed: None,
        suspect: None,
        too_deep: false,
    };
    mender.run(tokens);
    !mender.too_deep
}

impl Mender<'_> {
    fn run(&mut self, tokens: &[Token]) {
        let tokens: Vec<Token> = tokens
            .iter()
            .filter(|token| token.kind != TokenKind::Comment)
            .copied()
            .collect();
        let mut parens: Vec<Token> = Vec::new();
        // The first token of the statement and of the line being read.
        let mut statement: Option<Token> = None;
        let mut line_indent = 0;
        let mut line_start = true;
        let mut opened_on_line = false;
        for (index, token) in tokens.iter().enumerate() {
            let previous = index.checked_sub(1).and_then(|at| tokens.get(at));
            if token.kind == TokenKind::LineEnd {
                if !parens.is_empty() {
                    line_start |= token.text(self.source) == "\n";
                    continue;
                }
                if let (Some(head), false) = (statement, opened_on_line) {
                    let rest = tokens.get(index..).unwrap_or_default();
                    self.missing_open(head, previous, rest, line_indent);
                }
                statement = None;
                opened_on_line = false;
                line_start |= token.text(self.source) == "\n";
                continue;
            }
            if line_start {
                line_indent = self.column(token.start);
                line_start = false;
                if token.kind == TokenKind::Word && self.starts_statement(&tokens, index) {
                    while let Some(open) = parens.pop() {
                        self.missing_paren(open, previous);
                        statement = None;
                    }
                    if parens.is_empty() && statement.is_none() {
                        self.synchronise(&tokens, index);
                    }
                }
            }
            match token.kind {
                TokenKind::OpenParen => {
                    parens.push(*token);
                    if parens.len() > MAX_DEPTH {
                        return self.nested_too_deep(token);
                    }
                }
                TokenKind::CloseParen if parens.pop().is_none() => {
                    self.blank(
                        token,
                        "语法-06",
                        "这里多了一个右括号",
                        "a closing bracket too many",
                        "删掉它",
                    );
                }
                TokenKind::OpenBrace
                    if previous.is_some_and(|before| before.kind == TokenKind::OpenBrace) =>
                {
                    self.blank(
                        token,
                        "语法-02",
                        "这里多了一个左大括号「{」",
                        "an opening brace too many",
                        "删掉它",
                    );
                    continue;
                }
                TokenKind::OpenBrace => {
                    while let Some(open) = parens.pop() {
                        self.missing_paren(open, previous);
                    }
                    let head = statement.unwrap_or(*token);
                    self.stack.push(Frame {
                        head: self.word(head).map_or("", |keyword| keyword.en),
                        head_start: head.start,
                        indent: line_indent,
                    });
                    if self.stack.len() > MAX_DEPTH {
                        return self.nested_too_deep(token);
                    }
                    statement = None;
                    opened_on_line = true;
                    continue;
                }
                TokenKind::CloseBrace => {
                    while let Some(open) = parens.pop() {
                        self.missing_paren(open, previous);
                    }
                    self.close(
                        *token,
                        previous.is_none_or(|before| before.kind == TokenKind::LineEnd),
                    );
                    statement = None;
                    opened_on_line = true;
                    continue;
                }
                TokenKind::Unclosed => self.unclosed_quote(token),
                _ => {}
            }
            if statement.is_none() {
                statement = Some(*token);
                opened_on_line = false;
            }
        }
        let last = tokens
            .iter()
            .rev()
            .find(|token| token.kind != TokenKind::LineEnd);
        while let Some(open) = parens.pop() {
            self.missing_paren(open, last);
        }
        if let Some(frame) = self.stack.first() {
            let head_start = frame.head_start;
            let count = self.stack.len();
            let at = last.map_or(self.source.len(), |token| token.end);
            self.missing_close(head_start, at, count);
        }
    }

    /// Whether the word at a line's start can only start a statement, even inside brackets.
    fn starts_statement(&self, tokens: &[Token], index: usize) -> bool {
        let Some(keyword) = tokens.get(index).and_then(|token| self.word(*token)) else {
            return false;
        };
        matches!(
            keyword.group,
            Group::Declaration | Group::Step | Group::Line
        ) || matches!(keyword.en, "when" | "then")
    }

    /// Before a line that cannot stand where the braces say: closes what was left open, opens what was closed too early.
    fn synchronise(&mut self, tokens: &[Token], index: usize) {
        let Some(keyword) = tokens.get(index).and_then(|token| self.word(*token)) else {
            return;
        };
        let line = tokens.get(index..).unwrap_or_default();
        let at = tokens
            .get(..index)
            .unwrap_or_default()
            .iter()
            .rev()
            .find(|token| token.kind != TokenKind::LineEnd)
            .map_or(0, |token| token.end);
        if keyword.en == "rule" && line_has_brace(line) {
            let Some(group) = self.stack.iter().position(|frame| frame.head == "group") else {
                if self.stack.is_empty() {
                    self.reopen(keyword);
                }
                return;
            };
            let open = self.stack.len() - group - 1;
            if let (1.., Some(frame)) = (open, self.stack.get(group + 1)) {
                self.missing_close(frame.head_start, at, open);
                self.stack.truncate(group + 1);
            }
            return;
        }
        if top_only(keyword, line) {
            if let Some(frame) = self.stack.first() {
                let (head, count) = (frame.head_start, self.stack.len());
                self.missing_close(head, at, count);
                self.stack.clear();
            }
            self.suspect = None;
            return;
        }
        if self.stack.is_empty() && !matches!(keyword.group, Group::Declaration) {
            self.reopen(keyword);
        }
    }

    /// A line that belongs into a block stands at the top: the brace that closed the block was one too many.
    fn reopen(&mut self, keyword: &Keyword) {
        let Some((frames, token)) = self.closed.take() else {
            return;
        };
        if keyword.en == "rule" && !frames.iter().any(|frame| frame.head == "group") {
            return;
        }
        self.blank(
            &token,
            "语法-02",
            "这里多了一个右大括号「}」",
            "a closing brace too many",
            "删掉它",
        );
        self.stack = frames;
    }

    fn close(&mut self, token: Token, first_on_line: bool) {
        let Some(frame) = self.stack.pop() else {
            self.blank(
                &token,
                "语法-02",
                "这里多了一个右大括号「}」",
                "a closing brace too many",
                "删掉它",
            );
            return;
        };
        if first_on_line && self.suspect.is_none() && self.column(token.start) < frame.indent {
            self.suspect = Some(frame.head_start);
        }
        if self.stack.is_empty() {
            self.closed = Some((vec![frame], token));
        }
    }

    /// A line that needs a block and has none.
    fn missing_open(&mut self, head: Token, last: Option<&Token>, rest: &[Token], indent: usize) {
        let Some(keyword) = self.word(head) else {
            return;
        };
        let next = rest.iter().find(|token| token.kind != TokenKind::LineEnd);
        let next_opens = next.is_some_and(|token| token.kind == TokenKind::OpenBrace);
        let Some(last) = last else { return };
        let alone = last.start == head.start;
        let inside = self.stack.last().map(|frame| frame.head);
        let needs = match keyword.en {
            "bot" | "schedule" | "group" | "flow" | "intents" | "skill_group" | "scorecard"
            | "route" | "test" => inside.is_none(),
            "experiment" => inside.is_none(),
            "rule" => inside == Some("group"),
            "success" | "failure" | "timeout" | "then" | "else" => alone && inside.is_some(),
            "if" => inside.is_some(),
            _ => false,
        };
        if !needs || next_opens && !matches!(keyword.en, "if") {
            return;
        }
        if keyword.en == "if"
            && (next_opens
                || matches!(
                    self.word(*last).map(|word| word.en),
                    Some("and" | "or" | "not")
                ))
        {
            return;
        }
        let span = self.span(head.start, last.end);
        self.diagnostics.push(
            Diagnostic::error(
                "语法-02",
                span,
                format!("「{}」后面缺少左大括号「{{」", head.text(self.source)),
                format!(
                    "an opening brace is missing after {}",
                    head.text(self.source)
                ),
            )
            .help("在行末补上「{」", "add { at the end of the line")
            .fix("补上「{」", self.span(last.end, last.end), " {"),
        );
        self.edits.add(Edit {
            start: last.end,
            end: last.end,
            text: " {".to_owned(),
        });
        self.stack.push(Frame {
            head: keyword.en,
            head_start: head.start,
            indent,
        });
    }

    fn missing_close(&mut self, head: usize, at: usize, count: usize) {
        let head = self.suspect.take().unwrap_or(head);
        let line = self.line_of(head);
        let span = self.span(head, head + line.len());
        self.diagnostics.push(
            Diagnostic::error(
                "语法-02",
                span,
                format!(
                    "「{}」的大括号没有合上，缺少「}}」",
                    line.trim_end_matches(['{', '｛', ' '])
                ),
                format!(
                    "the block of {} is not closed",
                    line.trim_end_matches(['{', '｛', ' '])
                ),
            )
            .label("从这里开始的一段没有结束")
            .help("在这一段结束的地方补上「}」", "add } where the block ends")
            .fix("补上「}」", self.span(at, at), "\n}".repeat(count)),
        );
        self.edits.add(Edit {
            start: at,
            end: at,
            text: "\n}".repeat(count),
        });
    }

    fn missing_paren(&mut self, open: Token, last: Option<&Token>) {
        let at = last.map_or(open.end, |token| token.end);
        self.diagnostics.push(
            Diagnostic::error(
                "语法-06",
                self.span(open.start, open.end),
                "这个括号没有合上，缺少「)」",
                "this bracket is not closed",
            )
            .help("补上「)」", "add )")
            .fix("补上「)」", self.span(at, at), ")"),
        );
        self.edits.add(Edit {
            start: at,
            end: at,
            text: ")".to_owned(),
        });
    }

    fn unclosed_quote(&mut self, token: &Token) {
        let text = token.text(self.source);
        let open = text.chars().next().unwrap_or('"');
        let close = if open == '「' {
            "」"
        } else if matches!(open, '"' | '＂') {
            "\""
        } else {
            "”"
        };
        // A partner of another kind is the likeliest slip of an input method.
        let other = text
            .char_indices()
            .skip(1)
            .find(|(_, character)| matches!(character, '"' | '“' | '”' | '＂' | '」'));
        let trimmed = token.start + text.trim_end().len();
        let (start, end) = match other {
            Some((at, character)) => (token.start + at, token.start + at + character.len_utf8()),
            None => {
                let braces = text
                    .trim_end()
                    .trim_end_matches(['}', '｝', ' ', ')', '）']);
                let at = if braces.len() > open.len_utf8() {
                    token.start + braces.trim_end().len()
                } else {
                    trimmed
                };
                (at, at)
            }
        };
        self.diagnostics.push(
            Diagnostic::error(
                "语法-04",
                self.span(token.start, trimmed),
                "这里的引号没有合上",
                "this quoted text is not closed on its line",
            )
            .help(
                format!("补上「{close}」；要换行请写 \\n"),
                format!("add {close}; write \\n for a new line"),
            )
            .fix("补上引号", self.span(start, end), close),
        );
        self.edits.add(Edit {
            start,
            end,
            text: close.to_owned(),
        });
    }

    fn nested_too_deep(&mut self, token: &Token) {
        self.too_deep = true;
        self.diagnostics.push(
            Diagnostic::error(
                "语法-09",
                self.span(token.start, token.end),
                format!("括号套得太深，最多 {MAX_DEPTH} 层"),
                format!("nested too deep, {MAX_DEPTH} levels at most"),
            )
            .help(
                "把里面的内容拆成单独的流程或菜单",
                "move the inner part to a flow or menu of its own",
            ),
        );
    }

    /// Reports a token and takes it out.
    fn blank(&mut self, token: &Token, code: &'static str, zh: &str, en: &str, title: &str) {
        let span = self.span(token.start, token.end);
        self.diagnostics.push(
            Diagnostic::error(code, span, zh, en)
                .help(
                    "删掉它，或者看看前面是不是少了一个",
                    "delete it, or see whether one is missing before",
                )
                .fix(title, span, ""),
        );
        self.edits.add(Edit {
            start: token.start,
            end: token.end,
            text: " ".to_owned(),
        });
    }

    fn word(&self, token: Token) -> Option<&'static Keyword> {
        (token.kind == TokenKind::Word)
            .then(|| keywords::grammar_word(token.text(self.source)))
            .flatten()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: start as u32,
            end: end as u32,
        }
    }

    fn column(&self, at: usize) -> usize {
        let before = self.source.get(..at).unwrap_or_default();
        before.len() - before.rfind('\n').map_or(0, |line| line + 1)
    }

    /// The rest of the line from a place on, at most a few words of it.
    fn line_of(&self, at: usize) -> &str {
        let rest = self.source.get(at..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let brace = line.find(['{', '｛']).unwrap_or(line.len());
        line.get(..brace).unwrap_or(line).trim_end()
    }
}

/// A declaration with a block or an equals sign, as none can stand inside a block.
fn top_only(keyword: &Keyword, line: &[Token]) -> bool {
    let second = line.get(1);
    match keyword.en {
        "segment" | "attribute" | "words" | "script" | "import" => {
            second.is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted))
        }
        "connector" => second.is_some_and(|token| token.kind == TokenKind::Word),
        "bot" | "test" => {
            line_has_brace(line)
                && second
                    .is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted))
        }
        "schedule" | "group" | "flow" | "intents" | "experiment" | "skill_group" | "scorecard"
        | "route" => line_has_brace(line),
        _ => false,
    }
}

fn line_has_brace(line: &[Token]) -> bool {
    line.iter()
        .take_while(|token| token.kind != TokenKind::LineEnd)
        .any(|token| token.kind == TokenKind::OpenBrace)
}
