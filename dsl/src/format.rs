//! One way to write a file: indentation, spaces, punctuation, and the keywords in Chinese or English.
//!
//! Lines stay where the author broke them; comments stay where they are. The result of formatting is formatted, and
//! Chinese → English → Chinese gives the same bytes.

use crate::diagnostic::{Diagnostic, Lang, Severity};
use crate::parse::{Leaf, LeafKind, TokenKind, leaves, parse, scan};

/// The text in its one form, or what keeps it from being read.
///
/// # Errors
/// The syntax errors of a text that does not parse, with spans of file 0.
pub fn format(source: &str, lang: Lang) -> Result<String, Vec<Diagnostic>> {
    let (_, diagnostics) = parse(0, source);
    let errors: Vec<Diagnostic> = diagnostics
        .into_iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let leaves = leaves(source).unwrap_or_default();
    let pieces = pieces(source, &leaves, lang);
    Ok(lay_out(&break_blocks(pieces)))
}

/// What is printed, with what decides the space around it.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Word(String),
    /// 9:00, whose dash to the next is set without spaces.
    Time(String),
    /// A sign with a space on both sides.
    Sign(&'static str),
    /// `,` `;` `:`
    Trailing(&'static str),
    /// `、` `.`: no space around.
    Tight(&'static str),
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    Comment(String),
    Newline,
}

fn pieces(source: &str, leaves: &[Leaf], lang: Lang) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for (index, leaf) in leaves.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| leaves.get(before));
        gap(
            source,
            at,
            leaf.start,
            before,
            Some(leaf),
            lang,
            &mut pieces,
        );
        let text = source.get(leaf.start..leaf.end).unwrap_or_default();
        pieces.push(word(text, leaf.kind, lang));
        at = leaf.end;
    }
    gap(
        source,
        at,
        source.len(),
        leaves.last(),
        None,
        lang,
        &mut pieces,
    );
    pieces
}

fn word(text: &str, kind: LeafKind, lang: Lang) -> Piece {
    Piece::Word(match kind {
        LeafKind::Keyword(keyword) => match lang {
            Lang::Zh => keyword.zh.to_owned(),
            Lang::En => keyword.en.to_owned(),
        },
        LeafKind::Name | LeafKind::Raw => text.to_owned(),
        LeafKind::Quoted => quoted(text),
        LeafKind::Number | LeafKind::ItemNumber | LeafKind::Date => half_width(text),
        LeafKind::Duration => duration(text, lang),
        LeafKind::Time => return Piece::Time(half_width(text)),
        LeafKind::Day => day(text, lang),
        LeafKind::Sign(sign) => return Piece::Sign(sign),
    })
}

/// What stands between two leaves.
fn gap(
    source: &str,
    start: usize,
    end: usize,
    before: Option<&Leaf>,
    after: Option<&Leaf>,
    lang: Lang,
    pieces: &mut Vec<Piece>,
) {
    let text = source.get(start..end).unwrap_or_default();
    let mut skip_to = 0;
    for token in scan(text) {
        if token.start < skip_to {
            continue;
        }
        let shown = token.text(text);
        let rest = text.get(token.start..).unwrap_or_default();
        let piece = match token.kind {
            TokenKind::LineEnd if shown == "\n" => Piece::Newline,
            TokenKind::LineEnd => Piece::Trailing(";"),
            TokenKind::OpenBrace => Piece::OpenBrace,
            TokenKind::CloseBrace => Piece::CloseBrace,
            TokenKind::OpenParen => Piece::OpenParen,
            TokenKind::CloseParen => Piece::CloseParen,
            TokenKind::Comment => Piece::Comment(shown.trim_end().to_owned()),
            _ => {
                let item = before.is_some_and(|leaf| leaf.kind == LeafKind::ItemNumber);
                let times = [before, after]
                    .iter()
                    .all(|leaf| leaf.is_some_and(|leaf| leaf.kind == LeafKind::Time));
                let (piece, length) = punctuation(rest, item, times, lang);
                skip_to = token.start + length;
                match piece {
                    Some(piece) => piece,
                    None => continue,
                }
            }
        };
        pieces.push(piece);
    }
}

/// A punctuation mark and its length in bytes.
fn punctuation(rest: &str, item: bool, times: bool, lang: Lang) -> (Option<Piece>, usize) {
    const SIGNS: &[(&str, &str)] = &[
        ("－＞", "->"),
        ("－>", "->"),
        ("-＞", "->"),
        ("->", "->"),
        ("→", "->"),
        ("=>", "->"),
        ("＝＞", "->"),
        ("—>", "->"),
        ("—＞", "->"),
        (">=", "≥"),
        ("＞＝", "≥"),
        ("＞=", "≥"),
        (">＝", "≥"),
        ("≥", "≥"),
        ("==", "="),
        ("=", "="),
        ("＝", "="),
        (">", ">"),
        ("＞", ">"),
        ("/", "/"),
        ("／", "/"),
    ];
    for (written, sign) in SIGNS {
        if rest.starts_with(written) {
            return (Some(Piece::Sign(sign)), written.len());
        }
    }
    let first = rest.chars().next().unwrap_or(' ');
    let length = first.len_utf8();
    let piece = match first {
        ',' | '，' => Some(Piece::Trailing(",")),
        '、' | '､' if !item => Some(Piece::Tight("、")),
        ':' | '：' => Some(Piece::Trailing(":")),
        '.' | '．' | '。' if !item => Some(Piece::Tight(".")),
        '-' | '－' | '~' | '～' | '—' | '–' | '到' => Some(match (times, lang) {
            (true, _) => Piece::Tight("-"),
            (false, Lang::Zh) => Piece::Sign("至"),
            (false, Lang::En) => Piece::Sign("to"),
        }),
        _ => None,
    };
    (piece, length)
}

/// A block over several lines has its braces at the ends of lines of their own.
fn break_blocks(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut broken = vec![false; pieces.len()];
    let mut lines = 0;
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Newline => lines += 1,
            Piece::OpenBrace => open.push((index, lines)),
            Piece::CloseBrace => {
                if let Some((start, line)) = open.pop()
                    && line != lines
                {
                    for place in [start, index] {
                        if let Some(broken) = broken.get_mut(place) {
                            *broken = true;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut after_open = false;
    for (piece, broken) in pieces.into_iter().zip(broken) {
        let breaks = after_open && !matches!(piece, Piece::Newline | Piece::Comment(_))
            || broken && piece == Piece::CloseBrace && out.last() != Some(&Piece::Newline);
        if breaks {
            out.push(Piece::Newline);
        }
        after_open = broken && piece == Piece::OpenBrace;
        out.push(piece);
    }
    out
}

fn lay_out(pieces: &[Piece]) -> String {
    let mut out = String::new();
    let mut depth = 0usize;
    let mut parens = 0usize;
    let mut blank = false;
    let mut line: Vec<&Piece> = Vec::new();
    // Whether the line before ended in the middle of a condition.
    let mut continued = false;
    for piece in pieces.iter().chain([&Piece::Newline]) {
        if *piece != Piece::Newline {
            line.push(piece);
            continue;
        }
        if line.is_empty() {
            blank = !out.is_empty();
            continue;
        }
        let closing = line
            .iter()
            .take_while(|piece| matches!(piece, Piece::CloseBrace | Piece::CloseParen))
            .count();
        let indent = (depth + parens).saturating_sub(closing);
        let joins = continued || starts_with_join(line.first().copied());
        let first_closes = closing > 0;
        if blank && !first_closes && !out.ends_with("{\n") {
            out.push('\n');
        }
        blank = false;
        let indent = indent + usize::from(joins && parens == 0 && !first_closes);
        out.push_str(&"  ".repeat(indent));
        print_line(&line, &mut out);
        out.push('\n');
        for piece in &line {
            match piece {
                Piece::OpenBrace => depth += 1,
                Piece::CloseBrace => depth = depth.saturating_sub(1),
                Piece::OpenParen => parens += 1,
                Piece::CloseParen => parens = parens.saturating_sub(1),
                _ => {}
            }
        }
        continued = starts_with_join(
            line.iter()
                .rev()
                .find(|piece| !matches!(piece, Piece::Comment(_)))
                .copied(),
        );
        line.clear();
    }
    out
}

fn starts_with_join(piece: Option<&Piece>) -> bool {
    matches!(piece, Some(Piece::Word(word)) if matches!(word.as_str(), "且" | "或" | "and" | "or"))
}

fn print_line(line: &[&Piece], out: &mut String) {
    let mut previous: Option<&Piece> = None;
    for piece in line {
        if let Some(previous) = previous {
            out.push_str(space(previous, piece));
        }
        match piece {
            Piece::Word(text) | Piece::Time(text) | Piece::Comment(text) => out.push_str(text),
            Piece::Sign(sign) | Piece::Trailing(sign) | Piece::Tight(sign) => out.push_str(sign),
            Piece::OpenBrace => out.push('{'),
            Piece::CloseBrace => out.push('}'),
            Piece::OpenParen => out.push('('),
            Piece::CloseParen => out.push(')'),
            Piece::Newline => {}
        }
        previous = Some(piece);
    }
}

fn space(left: &Piece, right: &Piece) -> &'static str {
    match (left, right) {
        (_, Piece::Comment(_)) => "  ",
        (Piece::OpenParen | Piece::Tight(_), _) => "",
        (_, Piece::CloseParen | Piece::Trailing(_) | Piece::Tight(_)) => "",
        (Piece::OpenBrace, Piece::CloseBrace) => "",
        _ => " ",
    }
}

/// In straight quotes.
fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let open = chars.next();
    chars.next_back();
    let inner = chars.as_str();
    if matches!(open, Some('"')) && text.ends_with('"') {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    let mut escaped = false;
    for character in inner.chars() {
        if matches!(character, '"' | '＂') && !escaped {
            out.push('\\');
        }
        escaped = character == '\\' && !escaped;
        out.push(character);
    }
    out.push('"');
    out
}

fn half_width(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '０'..='９' => char::from_u32(character as u32 - 0xFEE0).unwrap_or(character),
            '．' => '.',
            '％' => '%',
            '－' => '-',
            '：' => ':',
            other => other,
        })
        .collect()
}

const UNITS: &[(&str, &str)] = &[
    ("毫秒", "ms"),
    ("秒", "s"),
    ("分钟", "min"),
    ("小时", "h"),
    ("天", "d"),
];

fn duration(text: &str, lang: Lang) -> String {
    let text = half_width(text);
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or_default().trim();
    let unit = if unit == "秒钟" { "秒" } else { unit };
    let unit = UNITS
        .iter()
        .find(|(zh, en)| *zh == unit || *en == unit)
        .map_or(unit, |(zh, en)| match lang {
            Lang::Zh => zh,
            Lang::En => en,
        });
    format!("{digits}{unit}")
}

const DAYS: &[(&str, &str, char)] = &[
    ("周一", "mon", '一'),
    ("周二", "tue", '二'),
    ("周三", "wed", '三'),
    ("周四", "thu", '四'),
    ("周五", "fri", '五'),
    ("周六", "sat", '六'),
    ("周日", "sun", '日'),
];

fn day(text: &str, lang: Lang) -> String {
    if matches!(text, "每天" | "every_day") {
        return match lang {
            Lang::Zh => "每天".to_owned(),
            Lang::En => "every_day".to_owned(),
        };
    }
    let last = text
        .chars()
        .next_back()
        .map(|last| if last == '天' { '日' } else { last });
    DAYS.iter()
        .find(|(_, en, number)| *en == text || Some(*number) == last)
        .map_or(text, |(zh, en, _)| match lang {
            Lang::Zh => zh,
            Lang::En => en,
        })
        .to_owned()
}
