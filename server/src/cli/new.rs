//! `yingda new DIR`.

use yingda_dsl::diagnostic::Lang;

use super::Exit;
use super::arguments::NewOptions;
use super::output::{fail, line};
use crate::package;

/// Write the starter package.
pub fn run(options: &NewOptions, lang: Lang) -> Exit {
    match package::copy_starter(&options.folder) {
        Err(error) => fail(Exit::Environment, &error.sentence(lang)),
        Ok(written) => {
            for path in &written {
                line(&format!("  {}", path.display()));
            }
            let folder = options.folder.display();
            line(&match lang {
                Lang::Zh => format!(
                    "规则包建好了。接着试试：\n  yingda check {folder}\n  yingda test {folder}\n  yingda chat {folder}"
                ),
                Lang::En => format!(
                    "created. Next:\n  yingda check {folder}\n  yingda test {folder}\n  yingda chat {folder}"
                ),
            });
            Exit::Done
        }
    }
}
