//! The tests inside the packages of the repository pass.

mod packages;

use yingda_dsl::diagnostic::Lang;
use yingda_engine::scenario::{render_failure, run_tests};

fn all_pass(package: &str) {
    let bot = packages::folder(package);
    let reports = run_tests(&bot);
    assert!(!reports.is_empty(), "{package} has no tests");
    let failures: Vec<String> = reports
        .iter()
        .filter(|report| !report.passed())
        .map(|report| {
            format!(
                "测试「{}」\n{}",
                report.name,
                render_failure(report, Lang::Zh)
            )
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} failed\n{}",
        failures.len(),
        reports.len(),
        failures.join("\n")
    );
}

#[test]
fn the_shop_keeps_its_promises() {
    all_pass("retail");
}

#[test]
fn the_starter_package_keeps_its_promises() {
    all_pass("starter");
}
