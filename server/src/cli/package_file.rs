//! Reading and compiling a package for the commands that take one.

use std::path::Path;
use std::sync::Arc;

use yingda_dsl::diagnostic::{Diagnostic, Lang};
use yingda_dsl::source::PackageFiles;
use yingda_engine::Bot;
use yingda_models::Understander;

use super::Exit;
use super::output::fail;
use crate::package;

/// Read a folder, or say why not.
pub fn read(folder: &Path, lang: Lang) -> Result<PackageFiles, Exit> {
    package::read(folder).map_err(|error| fail(Exit::Environment, &error.sentence(lang)))
}

/// The packaged models, or say why not.
pub fn understander() -> Result<Arc<Understander>, Exit> {
    Understander::packaged().map(Arc::new).map_err(|error| {
        fail(
            Exit::Environment,
            &format!("内置模型读不出来：{error}。程序文件可能损坏，请重新安装。"),
        )
    })
}

/// Read, check and build; diagnostics go to standard error when there is an error.
pub fn build(folder: &Path, lang: Lang) -> Result<Bot, Exit> {
    let files = read(folder, lang)?;
    let compiled = compile(&files);
    let Some(program) = compiled.program else {
        eprint!("{}", render(&compiled.diagnostics, &files, lang));
        return Err(fail(
            Exit::Problem,
            "规则包没有通过检查，请先按上面的提示改好。",
        ));
    };
    Bot::build(program, understander()?)
        .map_err(|error| fail(Exit::Problem, &format!("规则包建不起来：{error}")))
}

/// Check a package as of today: the end of its holiday table is reckoned from it.
pub fn compile(files: &PackageFiles) -> yingda_dsl::Compiled {
    let today = jiff::Zoned::now().date();
    yingda_dsl::compile_on(files, &yingda_engine::standard_catalogue(), Some(today))
}

/// Diagnostics as people read them, in colour where the terminal has it.
pub fn render(diagnostics: &[Diagnostic], files: &PackageFiles, lang: Lang) -> String {
    use std::io::IsTerminal;
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let color = if color {
        yingda_dsl::render::Color::Styled
    } else {
        yingda_dsl::render::Color::Plain
    };
    yingda_dsl::render::human(diagnostics, files, lang, color)
}
