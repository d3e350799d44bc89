//! 渠道-01: a text longer than a channel in use can send. 渠道-02: a kind of message that it cannot send.

use super::Package;
use crate::diagnostic::Diagnostic;
use crate::program::{MessageKind, Op};

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let channels = &package.catalogue.channels;
    if let Some(narrowest) = channels.iter().min_by_key(|channel| channel.max_text_bytes) {
        let licence = package.program.bot.licence.as_ref().map_or(0, String::len);
        for (span, bytes) in &package.facts.texts {
            if bytes + licence <= narrowest.max_text_bytes {
                continue;
            }
            let (limit, name) = (narrowest.max_text_bytes, &narrowest.name);
            diagnostics.push(
                Diagnostic::error(
                    "渠道-01",
                    *span,
                    format!(
                        "这句话有 {bytes} 字节，{name}一条最多 {limit} 字节（约 {} 个汉字）",
                        limit / 3
                    ),
                    format!("{bytes} bytes; {name} carries {limit} in one message"),
                )
                .help("分成两句说", "split it into two messages"),
            );
        }
    }
    for step in package
        .program
        .routines
        .iter()
        .flat_map(|routine| &routine.code)
    {
        let kind = match &step.op {
            Op::SendMedia { kind, .. } => *kind,
            Op::SendNews { .. } => MessageKind::News,
            Op::SendMiniProgram { .. } => MessageKind::MiniProgram,
            _ => continue,
        };
        if let Some(channel) = channels
            .iter()
            .find(|channel| !channel.kinds.contains(&kind))
        {
            diagnostics.push(
                Diagnostic::error(
                    "渠道-02",
                    step.span,
                    format!("{}发不了这种消息", channel.name),
                    format!("{} cannot carry this kind of message", channel.name),
                )
                .help("改用文字或图片", "send text or a picture instead"),
            );
        }
    }
}
