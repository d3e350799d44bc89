//! Diagnostics as text for a terminal and as JSON for an editor.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Lang, Severity};
use crate::source::{PackageFiles, Span};

/// Whether the text carries terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    Styled,
    #[default]
    Plain,
}

/// The diagnostics with the lines they are about, one after the other.
pub fn human(diagnostics: &[Diagnostic], files: &PackageFiles, lang: Lang, color: Color) -> String {
    let renderer = match color {
        Color::Styled => Renderer::styled(),
        Color::Plain => Renderer::plain(),
    }
    .decor_style(DecorStyle::Ascii);
    let sources = Sources::new(files);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let group = group(diagnostic, &sources, lang);
        out.push_str(&renderer.render(&[group]));
        out.push('\n');
    }
    out
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources<'a>, lang: Lang) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = match lang {
        Lang::Zh => &diagnostic.message,
        Lang::En => &diagnostic.message_en,
    };
    let mut elements: Vec<Element<'a>> = Vec::new();
    let label = match lang {
        Lang::Zh => diagnostic.label.as_deref(),
        Lang::En => None,
    };
    elements.extend(
        sources
            .snippet(diagnostic.span, label, AnnotationKind::Primary)
            .map(Element::from),
    );
    for (span, note) in &diagnostic.related {
        let note = match lang {
            Lang::Zh => note.as_str(),
            Lang::En => "see also",
        };
        elements.extend(
            sources
                .snippet(*span, Some(note), AnnotationKind::Context)
                .map(Element::from),
        );
    }
    let help = match lang {
        Lang::Zh => &diagnostic.help,
        Lang::En => &diagnostic.help_en,
    };
    if let Some(help) = help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    level
        .primary_title(message.as_str())
        .id(diagnostic.code)
        .elements(elements)
}

/// An array of `{code, severity, file, line, column, end_line, end_column, message, help, fixes}`.
///
/// Lines and columns count from 1, columns in characters; a fix is `{title, line, column, end_line, end_column,
/// replacement}`.
pub fn json(diagnostics: &[Diagnostic], files: &PackageFiles, lang: Lang) -> Value {
    let sources = Sources::new(files);
    let values = diagnostics.iter().map(|diagnostic| {
        let (message, help) = match lang {
            Lang::Zh => (&diagnostic.message, &diagnostic.help),
            Lang::En => (&diagnostic.message_en, &diagnostic.help_en),
        };
        let place = sources.place(diagnostic.span);
        let fixes: Vec<Value> = diagnostic
            .fixes
            .iter()
            .map(|fix| {
                let place = sources.place(fix.span);
                json!({
                    "title": fix.title,
                    "line": place.line,
                    "column": place.column,
                    "end_line": place.end_line,
                    "end_column": place.end_column,
                    "replacement": fix.replacement,
                })
            })
            .collect();
        json!({
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "file": place.file,
            "line": place.line,
            "column": place.column,
            "end_line": place.end_line,
            "end_column": place.end_column,
            "message": message,
            "help": help,
            "fixes": fixes,
        })
    });
    Value::Array(values.collect())
}

struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// The texts of the files with the beginnings of their lines.
struct Sources<'a> {
    files: Vec<Source<'a>>,
}

struct Source<'a> {
    path: &'a str,
    /// Text up to the first byte that is no UTF-8.
    text: &'a str,
    /// Byte offsets of line starts.
    lines: Vec<usize>,
}

impl<'a> Sources<'a> {
    fn new(files: &'a PackageFiles) -> Self {
        let files = files
            .files
            .iter()
            .map(|(path, bytes)| {
                let text = match std::str::from_utf8(bytes) {
                    Ok(text) => text,
                    Err(error) => bytes
                        .get(..error.valid_up_to())
                        .and_then(|valid| std::str::from_utf8(valid).ok())
                        .unwrap_or_default(),
                };
                let ends = text.match_indices('\n').map(|(at, _)| at + 1);
                Source {
                    path,
                    text,
                    lines: std::iter::once(0).chain(ends).collect(),
                }
            })
            .collect();
        Sources { files }
    }

    fn place(&self, span: Span) -> Place<'a> {
        let Some(source) = self.files.get(span.file as usize) else {
            return Place {
                file: "",
                line: 1,
                column: 1,
                end_line: 1,
                end_column: 1,
            };
        };
        let (line, column) = source.position(span.start as usize);
        let (end_line, end_column) = source.position(span.end as usize);
        Place {
            file: source.path,
            line,
            column,
            end_line,
            end_column,
        }
    }

    /// The lines of a span; a long span is cut to its first line.
    fn snippet(
        &'a self,
        span: Span,
        label: Option<&'a str>,
        kind: AnnotationKind,
    ) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let source = self.files.get(span.file as usize)?;
        let start = source.floor(span.start as usize);
        let (line, _) = source.position(start);
        let line_start = *source.lines.get(line - 1)?;
        let rest = source.text.get(line_start..)?;
        let text = rest.lines().next().unwrap_or_default();
        let from = (start - line_start).min(text.len());
        let to = source.floor(span.end as usize).saturating_sub(line_start);
        let to = to.clamp(from, text.len().max(from));
        let mut annotation = kind.span(from..to);
        if let Some(label) = label {
            annotation = annotation.label(label);
        }
        Some(
            Snippet::source(text)
                .line_start(line)
                .path(source.path)
                .annotation(annotation),
        )
    }
}

impl Source<'_> {
    /// Line and column from 1, the column in characters; a byte-order mark counts for nothing.
    fn position(&self, at: usize) -> (usize, usize) {
        let at = self.floor(at);
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default();
        (
            line,
            before.trim_start_matches('\u{FEFF}').chars().count() + 1,
        )
    }

    /// The nearest character border at or before a place.
    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}
