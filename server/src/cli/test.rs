//! `yingda test PKG`.

use yingda_dsl::diagnostic::Lang;
use yingda_engine::scenario::{TestReport, render_failure, run_tests};

use super::arguments::{Format, TestOptions};
use super::output::line;
use super::{Exit, package_file};

/// Run the package's tests; a failed one is a problem.
pub fn run(options: &TestOptions, lang: Lang) -> Exit {
    let bot = match package_file::build(&options.package, lang) {
        Ok(bot) => bot,
        Err(exit) => return exit,
    };
    let reports = run_tests(&bot);
    let failed = reports.iter().filter(|report| !report.passed()).count();
    let place = |report: &TestReport| {
        let span = report
            .failure
            .as_ref()
            .map_or(report.span, |failure| failure.span);
        bot.program()
            .paths
            .get(span.file as usize)
            .cloned()
            .unwrap_or_default()
    };
    match options.format {
        Format::Json => {
            let all: Vec<_> = reports
                .iter()
                .map(|report| {
                    serde_json::json!({
                        "name": report.name,
                        "passed": report.passed(),
                        "file": place(report),
                        "message": report.failure.as_ref().map(|failure| match lang {
                            Lang::Zh => &failure.message,
                            Lang::En => &failure.message_en,
                        }),
                    })
                })
                .collect();
            line(&serde_json::to_string_pretty(&all).unwrap_or_default());
        }
        Format::Human => {
            for report in &reports {
                line(&format!(
                    "{} {}",
                    if report.passed() { "✓" } else { "✗" },
                    report.name
                ));
                if !report.passed() {
                    line(&format!(
                        "  {}：{}",
                        place(report),
                        render_failure(report, lang).trim_end()
                    ));
                }
            }
            let passed = reports.len() - failed;
            line(&match lang {
                Lang::Zh if reports.is_empty() => {
                    "这个规则包里没有测试。用「测试 \"名字\" { … }」写一个。".to_string()
                }
                Lang::Zh => format!("{passed} 个通过，{failed} 个没有通过。"),
                Lang::En => format!("{passed} passed, {failed} failed"),
            });
        }
    }
    if failed > 0 {
        Exit::Problem
    } else {
        Exit::Done
    }
}
