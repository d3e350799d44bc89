//! Names and types resolved, blocks flattened: from the syntax tree to [`Program`].

mod call;
mod code;
mod condition;
mod declaration;
mod experiment;
mod expr;
mod hash;
mod names;
mod route;
mod service;
mod step;
mod template;
mod test;
mod wait;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ast::{self, Item};
use crate::catalogue::Catalogue;
use crate::diagnostic::Diagnostic;
use crate::files::Calendar;
use crate::program::{Bot, Program, Type};
use crate::source::{PackageFiles, Span};
pub(crate) use names::Kind;
use names::Names;

/// What lowering found besides the program: what the checks need to know.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Names used, as (kind, name).
    pub used: FxHashSet<(names::Kind, String)>,
    pub calendar: Calendar,
    /// Where each text that is sent stands, with its bytes without fields.
    pub texts: Vec<(Span, usize)>,
}

pub(crate) struct Lowerer<'a> {
    files: &'a PackageFiles,
    catalogue: &'a Catalogue,
    pub diagnostics: Vec<Diagnostic>,
    pub program: Program,
    pub facts: Facts,
    names: Names,
    /// Variables of conversations with their types.
    variables: FxHashMap<String, Type>,
    /// Names under which connector results are kept, with the connectors.
    results: FxHashMap<String, Vec<usize>>,
    /// Names in lines that did not parse.
    broken: FxHashSet<String>,
    /// A file could not be read: names that nobody has may stand there.
    unread: bool,
    /// The experiments, whose arms are laid where they are used.
    experiments: Vec<&'a ast::Experiment>,
    outer: hash::OuterNames,
    /// Handoffs without 排队超过 of their own: skill group and where its name stands.
    unwaited: Vec<(usize, Span)>,
}

/// Lowers all files of a package.
pub(crate) fn lower<'a>(
    files: &'a PackageFiles,
    trees: &'a [ast::File],
    catalogue: &'a Catalogue,
) -> (Program, Vec<Diagnostic>, Facts) {
    let mut diagnostics = Vec::new();
    let faq = crate::files::faq(files, &mut diagnostics);
    let calendar = crate::files::calendar(files, &mut diagnostics);
    let mut lowerer = Lowerer {
        files,
        catalogue,
        diagnostics,
        program: Program {
            version: files.content_hash(),
            paths: files.files.keys().cloned().collect(),
            bot: Bot {
                time_zone: "Asia/Shanghai".to_owned(),
                ..Bot::default()
            },
            faq,
            ..Program::default()
        },
        facts: Facts {
            calendar,
            ..Facts::default()
        },
        names: Names::default(),
        variables: FxHashMap::default(),
        results: FxHashMap::default(),
        broken: trees
            .iter()
            .flat_map(|tree| tree.broken_names.iter().cloned())
            .collect(),
        unread: trees.iter().any(|tree| tree.unread),
        experiments: Vec::new(),
        outer: hash::OuterNames::default(),
        unwaited: Vec::new(),
    };
    let items: Vec<&'a Item> = trees.iter().flat_map(|tree| &tree.items).collect();
    lowerer.collect(&items);
    lowerer.scripts(&items);
    for item in &items {
        lowerer.item(item);
    }
    lowerer.finish(&items);
    (lowerer.program, lowerer.diagnostics, lowerer.facts)
}

impl Lowerer<'_> {
    fn error(
        &mut self,
        code: &'static str,
        span: Span,
        zh: impl Into<String>,
        en: impl Into<String>,
        help: &str,
        help_en: &str,
    ) {
        self.diagnostics
            .push(Diagnostic::error(code, span, zh, en).help(help, help_en));
    }
}
