//! The samples of the language page compile.

mod support;

use support::{catalogue, folder, listing, package};

#[test]
fn every_sample_of_the_language_page_compiles() {
    let files = package(&folder("cases/samples"));
    insta::assert_snapshot!(listing(&files, &catalogue()));
    let program = yingda_dsl::compile(&files, &catalogue()).program.unwrap();
    assert_eq!(program.tests.len(), 3);
    assert_eq!(program.route.len(), 7);
}
