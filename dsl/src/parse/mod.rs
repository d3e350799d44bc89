//! Text to syntax tree: mend braces, run the grammar, explain what did not parse.
//!
//! The loop in [`parse`] is what makes one pass show every error: a line that does not parse is explained, the
//! explanation's own fix is applied to a copy of the text, and the copy is parsed again.

mod braces;
mod condition;
mod declaration;
mod edits;
mod explain;
mod leaves;
mod plan;
mod scan;
mod service;
mod step;
mod test;
mod tree;

use std::num::NonZeroUsize;

use pest::Parser;

use crate::ast;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Span;
use edits::Edits;
pub(crate) use leaves::{Leaf, LeafKind, leaves};
pub(crate) use scan::{Token, TokenKind, scan};
use tree::Tree;

#[derive(pest_derive::Parser)]
#[grammar = "parse/keywords.pest"]
#[grammar = "parse/language.pest"]
pub(crate) struct Grammar;

/// Rule attempts after which the grammar gives up. 1.6 MB of rules need under 15 million, a file of the largest size some 150 million.
const CALL_LIMIT: usize = 250_000_000;

/// How often a text is mended and read again: slips inside blocks that did not parse come up one round later.
const MAX_ROUNDS: usize = 6;

/// Braces and brackets inside one another, at most.
pub(crate) const MAX_DEPTH: usize = 128;

/// Largest file, bytes.
pub(crate) const MAX_FILE: usize = 16 << 20;

/// The tree of one file and what is wrong with it.
pub fn parse(file: u32, source: &str) -> (ast::File, Vec<Diagnostic>) {
    pest::set_call_limit(NonZeroUsize::new(CALL_LIMIT));
    let whole = Span {
        file,
        start: 0,
        end: 0,
    };
    let mut diagnostics = Vec::new();
    if source.len() > MAX_FILE {
        diagnostics.push(
            Diagnostic::error(
                "语法-13",
                whole,
                "文件太大，单个文件最多 16 MB",
                "file too large, 16 MB at most",
            )
            .help("把规则分成几个文件", "split the rules over several files"),
        );
        return (ast::File::unread(), diagnostics);
    }
    let tokens = scan(source);
    let mut edits = Edits::default();
    if !braces::mend(file, source, &tokens, &mut edits, &mut diagnostics) {
        return (ast::File::unread(), diagnostics);
    }
    let mut explained: Vec<u32> = Vec::new();
    for round in 1..=MAX_ROUNDS {
        let mended = edits.apply(source);
        let pairs = match Grammar::parse(Rule::file, &mended) {
            Ok(pairs) => pairs,
            Err(error) => {
                let at = match error.location {
                    pest::error::InputLocation::Pos(at) => at,
                    pest::error::InputLocation::Span((at, _)) => at,
                };
                let at = edits.origin(at) as u32;
                diagnostics.push(
                    Diagnostic::error(
                        "语法-13",
                        Span {
                            file,
                            start: at,
                            end: at,
                        },
                        "这个文件太复杂，没能读完",
                        "this file is too complex to be read",
                    )
                    .help("把它分成几个文件", "split it over several files"),
                );
                return (ast::File::unread(), diagnostics);
            }
        };
        let mut tree = Tree::new(file, source, &edits);
        let ast_file = tree.file(pairs);
        let Tree {
            bad,
            diagnostics: tree_diagnostics,
            ..
        } = tree;
        let mut mended_more = false;
        for line in &bad {
            if explained.contains(&line.span.start) {
                continue;
            }
            explained.push(line.span.start);
            let (diagnostic, edit) = explain::explain(source, line);
            diagnostics.push(diagnostic);
            if let Some(edit) = edit {
                mended_more |= edits.add(edit);
            }
        }
        if mended_more && round < MAX_ROUNDS {
            continue;
        }
        diagnostics.extend(tree_diagnostics);
        diagnostics
            .sort_by_key(|diagnostic| (diagnostic.severity != Severity::Error, diagnostic.span));
        return (ast_file, diagnostics);
    }
    (ast::File::unread(), diagnostics)
}
