//! `yingda check PKG`.

use yingda_dsl::diagnostic::{Lang, Severity};

use super::Exit;
use super::arguments::{CheckOptions, Format};
use super::output::line;
use super::package_file;

/// Check a package and print what was found. Errors are a problem, warnings are not.
pub fn run(options: &CheckOptions, lang: Lang) -> Exit {
    let files = match package_file::read(&options.package, lang) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    let compiled = package_file::compile(&files);
    let errors = compiled
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    let warnings = compiled.diagnostics.len() - errors;
    match options.format {
        Format::Json => {
            let json = yingda_dsl::render::json(&compiled.diagnostics, &files, lang);
            line(&serde_json::to_string_pretty(&json).unwrap_or_default());
        }
        Format::Human => {
            print!(
                "{}",
                package_file::render(&compiled.diagnostics, &files, lang)
            );
            line(&summary(errors, warnings, compiled.program.as_ref(), lang));
        }
    }
    if errors > 0 {
        Exit::Problem
    } else {
        Exit::Done
    }
}

fn summary(
    errors: usize,
    warnings: usize,
    program: Option<&yingda_dsl::program::Program>,
    lang: Lang,
) -> String {
    let counts = program.map(|program| {
        let rules: usize = program.groups.iter().map(|group| group.rules.len()).sum();
        let flows = program
            .routines
            .iter()
            .filter(|routine| matches!(routine.kind, yingda_dsl::program::RoutineKind::Flow(_)))
            .count();
        (rules, flows, program.faq.len(), program.tests.len())
    });
    match (lang, counts) {
        (Lang::Zh, Some((rules, flows, faq, tests))) => {
            format!(
                "检查通过：{rules} 条规则，{flows} 个流程，{faq} 条常见问题，{tests} 个测试；{warnings} 个警告。"
            )
        }
        (Lang::Zh, None) => format!("没有通过：{errors} 个错误，{warnings} 个警告。"),
        (Lang::En, Some((rules, flows, faq, tests))) => {
            format!(
                "passed: {rules} rules, {flows} flows, {faq} FAQ entries, {tests} tests; {warnings} warnings"
            )
        }
        (Lang::En, None) => format!("refused: {errors} errors, {warnings} warnings"),
    }
}
