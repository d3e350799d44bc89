//! Text to checked program.

use jiff::civil::Date;

use crate::ast::{self, Item};
use crate::catalogue::Catalogue;
use crate::check::{self, Package};
use crate::diagnostic::{Diagnostic, Severity};
use crate::program::Program;
use crate::source::PackageFiles;
use crate::{files, lower, parse};

/// What came of a package.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// There exactly when no diagnostic is an error.
    pub program: Option<Program>,
    /// By file and position, errors and warnings together.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses and checks a package.
pub fn compile(files: &PackageFiles, catalogue: &Catalogue) -> Compiled {
    compile_on(files, catalogue, None)
}

/// Like [`compile`], with the day it is: the end of the holiday table is reckoned from it.
pub fn compile_on(files: &PackageFiles, catalogue: &Catalogue, today: Option<Date>) -> Compiled {
    let (trees, mut diagnostics) = trees(files);
    let (program, lowering, facts) = lower::lower(files, &trees, catalogue);
    diagnostics.extend(lowering);
    let package = Package {
        files,
        trees: &trees,
        program: &program,
        facts: &facts,
        catalogue,
        today,
    };
    check::run(&package, &mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    // An experiment's arm is lowered wherever the experiment stands; what is wrong in it is wrong once.
    diagnostics.dedup();
    let broken = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Compiled {
        program: (!broken).then_some(program),
        diagnostics,
    }
}

/// The folders named by 引用, as written, in the order of the files.
pub fn imports(files: &PackageFiles) -> Vec<String> {
    let (trees, _) = trees(files);
    let mut folders: Vec<String> = Vec::new();
    for item in trees.iter().flat_map(|tree| &tree.items) {
        if let Item::Import(text) = item {
            let folder = text.value();
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders
}

/// The syntax trees of all `.yd` files.
fn trees(files: &PackageFiles) -> (Vec<ast::File>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut trees = Vec::new();
    for (file, (path, bytes)) in (0u32..).zip(&files.files) {
        if !path.ends_with(".yd") {
            continue;
        }
        let Some(text) = files::decode(file, bytes, &mut diagnostics) else {
            trees.push(ast::File::unread());
            continue;
        };
        let (tree, errors) = parse::parse(file, text);
        trees.push(tree);
        diagnostics.extend(errors);
    }
    (trees, diagnostics)
}
