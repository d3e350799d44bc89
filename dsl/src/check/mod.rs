//! What is proved about a package beyond names and types: one file per check.
//!
//! Checks of a single line or block (missing 失败, mixed 且/或, shares of an experiment, …) are made where the line is
//! lowered; here are those that need the whole package.

mod calendar;
mod channel;
mod cycle;
mod faq;
mod formula;
mod overlap;
mod shadowing;
mod silencer;
mod substring;
mod threshold;
mod unreachable;
mod unused;

use jiff::civil::Date;

use crate::ast;
use crate::catalogue::Catalogue;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lower::Facts;
use crate::program::Program;
use crate::source::PackageFiles;

/// What a check may look at.
pub(crate) struct Package<'a> {
    pub files: &'a PackageFiles,
    pub trees: &'a [ast::File],
    pub program: &'a Program,
    pub facts: &'a Facts,
    pub catalogue: &'a Catalogue,
    /// For the end of the holiday table; unknown where nobody says.
    pub today: Option<Date>,
}

/// All checks; warnings that a comment silences are taken out.
pub(crate) fn run(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let rules = formula::Rules::of(package.program);
    cycle::check(package, diagnostics);
    shadowing::check(&rules, diagnostics);
    overlap::check(package, &rules, diagnostics);
    channel::check(package, diagnostics);
    faq::check(package, &rules, diagnostics);
    substring::check(package, diagnostics);
    threshold::check(package, diagnostics);
    calendar::check(package, diagnostics);
    unreachable::check(package, diagnostics);
    // With a line missing from the tree, what it would have used looks unused.
    if diagnostics
        .iter()
        .all(|diagnostic| diagnostic.severity != Severity::Error)
    {
        unused::check(package, diagnostics);
    }
    silencer::apply(package, diagnostics);
}
