//! The bytes of a package as text: encodings, the FAQ, word lists, the holiday table.

use jiff::civil::Date;

use crate::diagnostic::Diagnostic;
use crate::program::FaqEntry;
use crate::source::{PackageFiles, Span};

/// The text of a file without its byte-order mark, with the mark's length in bytes.
pub(crate) fn text(bytes: &[u8]) -> Result<(&str, usize), usize> {
    let mark = if bytes.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    std::str::from_utf8(bytes.get(mark..).unwrap_or_default())
        .map(|text| (text, mark))
        .map_err(|error| mark + error.valid_up_to())
}

/// The text of a file as it is, or a diagnostic that says which encoding it seems to have.
pub(crate) fn decode<'a>(
    file: u32,
    bytes: &'a [u8],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a str> {
    // The mark stays in: it is white space to the grammar, and positions stay those of the file.
    match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => Some(text),
            Some(at) => {
                let span = Span {
                    file,
                    start: at as u32,
                    end: at as u32 + 1,
                };
                diagnostics.push(
                    Diagnostic::error(
                        "语法-12",
                        span,
                        "文件里有空字符（NUL），像是二进制文件",
                        "the file holds a NUL byte; it may be binary",
                    )
                    .help("用文本编辑器另存为 UTF-8", "save it as UTF-8 text"),
                );
                None
            }
        },
        Err(error) => {
            let at = error.valid_up_to();
            let span = Span {
                file,
                start: at as u32,
                end: at as u32 + 1,
            };
            let (zh, en) = if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
                (
                    "文件不是 UTF-8 编码，看起来是 UTF-16",
                    "not UTF-8; it looks like UTF-16",
                )
            } else if looks_like_gbk(bytes.get(at..).unwrap_or_default()) {
                (
                    "文件不是 UTF-8 编码，看起来是 GBK",
                    "not UTF-8; it looks like GBK",
                )
            } else {
                ("文件不是 UTF-8 编码", "not UTF-8")
            };
            diagnostics.push(Diagnostic::error("语法-12", span, zh, en).help(
                "在编辑器里选「另存为」，编码选 UTF-8",
                "save the file with the encoding UTF-8",
            ));
            None
        }
    }
}

/// Whether what follows the first bad byte is pairs as GBK has them.
fn looks_like_gbk(bytes: &[u8]) -> bool {
    let mut pairs = 0;
    let mut at = 0;
    while at < bytes.len().min(400) {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(0x00..=0x7F), _) => at += 1,
            (Some(0x81..=0xFE), Some(0x40..=0x7E | 0x80..=0xFE)) => {
                pairs += 1;
                at += 2;
            }
            (Some(_), None) => break,
            _ => return false,
        }
    }
    pairs > 0
}

/// The entries of `faq/*.csv`.
pub(crate) fn faq(files: &PackageFiles, diagnostics: &mut Vec<Diagnostic>) -> Vec<FaqEntry> {
    let mut entries: Vec<FaqEntry> = Vec::new();
    for (file, (path, bytes)) in (0u32..).zip(&files.files) {
        if !(path.starts_with("faq/") || path.contains("/faq/")) || !path.ends_with(".csv") {
            continue;
        }
        if decode(file, bytes, diagnostics).is_none() {
            continue;
        }
        let Ok((text, mark)) = text(bytes) else {
            continue;
        };
        let whole = |start: usize, end: usize| Span {
            file,
            start: (mark + start) as u32,
            end: (mark + end) as u32,
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        let column = |name: &str| header.iter().position(|title| title.trim() == name);
        let (Some(id), Some(question), Some(answer)) =
            (column("id"), column("question"), column("answer"))
        else {
            diagnostics.push(
                Diagnostic::error(
                    "数据-01",
                    whole(0, text.lines().next().unwrap_or_default().len()),
                    "常见问题表的第一行要有这些列：id,category,question,variants,answer",
                    "the first line must name the columns id,category,question,variants,answer",
                )
                .help("补上列名", "add the column names"),
            );
            continue;
        };
        let (category, variants) = (column("category"), column("variants"));
        let mut record = csv::StringRecord::new();
        loop {
            let start = reader.position().byte() as usize;
            match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    let span = whole(start, (reader.position().byte() as usize).min(text.len()));
                    let cell = |column: Option<usize>| {
                        column
                            .and_then(|at| record.get(at))
                            .unwrap_or_default()
                            .trim()
                    };
                    let entry = FaqEntry {
                        id: cell(Some(id)).to_owned(),
                        category: cell(category).to_owned(),
                        question: cell(Some(question)).to_owned(),
                        variants: cell(variants)
                            .split(['|', '｜'])
                            .map(str::trim)
                            .filter(|variant| !variant.is_empty())
                            .map(str::to_owned)
                            .collect(),
                        answer: cell(Some(answer)).to_owned(),
                        span,
                    };
                    if entry.id.is_empty() || entry.question.is_empty() || entry.answer.is_empty() {
                        diagnostics.push(
                            Diagnostic::error(
                                "数据-02",
                                span,
                                "这一条常见问题缺少 id、question 或 answer",
                                "this entry lacks its id, question or answer",
                            )
                            .help("补全这一行，或者删掉它", "complete the line or delete it"),
                        );
                        continue;
                    }
                    if let Some(first) = entries
                        .iter()
                        .find(|other| other.id == entry.id || other.question == entry.question)
                    {
                        let same = if first.id == entry.id {
                            &entry.id
                        } else {
                            &entry.question
                        };
                        diagnostics.push(
                            Diagnostic::error(
                                "含义-04",
                                span,
                                format!("常见问题「{same}」重复了"),
                                format!("FAQ entry {same} appears twice"),
                            )
                            .related(first.span, "第一次在这里")
                            .help("改名或删掉一条", "rename or delete one"),
                        );
                        continue;
                    }
                    entries.push(entry);
                }
                Err(error) => {
                    diagnostics.push(
                        Diagnostic::error(
                            "数据-01",
                            whole(start.min(text.len()), start.min(text.len())),
                            "常见问题表从这里开始读不懂",
                            format!("the table cannot be read from here on: {error}"),
                        )
                        .help("检查引号是否成对", "see whether the quotes are paired"),
                    );
                    break;
                }
            }
        }
    }
    entries
}

/// The words of a list: one a line, `#` starts a comment.
pub(crate) fn word_list(text: &str) -> Vec<String> {
    text.trim_start_matches('\u{FEFF}')
        .lines()
        .map(|line| line.split(['#', '＃']).next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Public holidays and make-up working days of the package, from `calendar/*.csv`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calendar {
    pub holidays: Vec<Date>,
    pub workdays: Vec<Date>,
    /// Where the table's last line stands.
    pub end: Option<Span>,
}

pub(crate) fn calendar(files: &PackageFiles, diagnostics: &mut Vec<Diagnostic>) -> Calendar {
    let mut calendar = Calendar::default();
    for (file, (path, bytes)) in (0u32..).zip(&files.files) {
        if !(path.starts_with("calendar/") || path.contains("/calendar/"))
            || !path.ends_with(".csv")
        {
            continue;
        }
        let Some(text) = decode(file, bytes, diagnostics) else {
            continue;
        };
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let span = Span {
                file,
                start: at as u32,
                end: (at + line.trim_end().len()) as u32,
            };
            at += line.len();
            let line = line.trim_start_matches('\u{FEFF}').trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("date,") {
                continue;
            }
            let mut cells = line.split(',').map(str::trim);
            let date = cells.next().and_then(|cell| cell.parse::<Date>().ok());
            match (date, cells.next()) {
                (Some(date), Some("休")) => calendar.holidays.push(date),
                (Some(date), Some("班")) => calendar.workdays.push(date),
                _ => diagnostics.push(
                    Diagnostic::error(
                        "数据-03",
                        span,
                        "假日表的一行要写成：2026-10-01,休,国庆节（休 或 班）",
                        "a line of the holiday table is: 2026-10-01,休,name (休 off, 班 working)",
                    )
                    .help("改成这个样子", "write it like that"),
                ),
            }
            calendar.end = Some(span);
        }
    }
    calendar.holidays.sort();
    calendar.workdays.sort();
    calendar
}
