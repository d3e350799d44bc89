//! `# 忽略 冲突-02：理由` takes a warning out, on its own line or the line below.
//!
//! 提示-06: a silencer that silences nothing. 提示-07: one without a reason, which does not count.

use super::Package;
use crate::diagnostic::{Diagnostic, Severity};
use crate::parse::{TokenKind, scan};
use crate::source::Span;

struct Silencer {
    code: String,
    span: Span,
    /// The lines it speaks of, from 0.
    lines: Vec<usize>,
    used: bool,
}

pub(super) fn apply(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut more = Vec::new();
    for (file, (path, bytes)) in (0u32..).zip(&package.files.files) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            continue;
        };
        if !path.ends_with(".yd") || !text.contains("忽略") && !text.contains("ignore") {
            continue;
        }
        let starts: Vec<usize> = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let line_of = |at: usize| {
            starts
                .partition_point(|start| *start <= at)
                .saturating_sub(1)
        };
        let mut silencers = read(file, text, &line_of, &mut more);
        diagnostics.retain(|diagnostic| {
            if diagnostic.severity == Severity::Error || diagnostic.span.file != file {
                return true;
            }
            let line = line_of(diagnostic.span.start as usize);
            let silencer = silencers.iter_mut().find(|silencer| {
                silencer.code == diagnostic.code && silencer.lines.contains(&line)
            });
            match silencer {
                Some(silencer) => {
                    silencer.used = true;
                    false
                }
                None => true,
            }
        });
        for silencer in silencers.iter().filter(|silencer| !silencer.used) {
            more.push(
                Diagnostic::warning(
                    "提示-06",
                    silencer.span,
                    format!("这里没有警告 {}，不用忽略", silencer.code),
                    format!("there is no warning {} here to ignore", silencer.code),
                )
                .help("删掉这条注释", "delete this comment"),
            );
        }
    }
    diagnostics.extend(more);
}

fn read(
    file: u32,
    text: &str,
    line_of: &dyn Fn(usize) -> usize,
    more: &mut Vec<Diagnostic>,
) -> Vec<Silencer> {
    let mut silencers = Vec::new();
    let tokens = scan(text);
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::Comment {
            continue;
        }
        let comment = token.text(text).trim_start_matches(['#', '＃', '/']).trim();
        let Some(rest) = comment
            .strip_prefix("忽略")
            .or_else(|| comment.strip_prefix("ignore "))
        else {
            continue;
        };
        let rest = rest.trim();
        let (code, reason) = rest.split_once([':', '：']).unwrap_or((rest, ""));
        let code = code.trim();
        if !code.contains('-') {
            continue;
        }
        let span = Span {
            file,
            start: token.start as u32,
            end: token.end as u32,
        };
        if reason.trim().is_empty() {
            more.push(
                Diagnostic::warning(
                    "提示-07",
                    span,
                    "忽略警告要写理由",
                    "a silencer needs a reason",
                )
                .help(
                    format!("写成：# 忽略 {code}：理由"),
                    format!("write: # ignore {code}: reason"),
                ),
            );
            continue;
        }
        let line = line_of(token.start);
        let alone = index
            .checked_sub(1)
            .and_then(|at| tokens.get(at))
            .is_none_or(|before| line_of(before.start) < line);
        let mut lines = vec![line];
        if alone {
            let next = tokens
                .get(index + 1..)
                .unwrap_or_default()
                .iter()
                .find(|next| !matches!(next.kind, TokenKind::LineEnd | TokenKind::Comment));
            lines.extend(next.map(|next| line_of(next.start)));
        }
        silencers.push(Silencer {
            code: code.to_owned(),
            span,
            lines,
            used: false,
        });
    }
    silencers
}
