//! `yingda understand`: a text per input line, a JSON object per output line.

use std::io::BufRead;

use yingda_dsl::diagnostic::Lang;

use super::output::{fail, line};
use super::{Exit, package_file};

/// Read lines until the end of input.
pub fn run(_lang: Lang) -> Exit {
    let understander = match package_file::understander() {
        Ok(understander) => understander,
        Err(exit) => return exit,
    };
    let mut input = std::io::stdin().lock();
    let mut bytes = Vec::new();
    let mut number = 0u64;
    let mut exit = Exit::Done;
    loop {
        bytes.clear();
        number += 1;
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => return exit,
            Ok(_) => {}
            Err(error) => return fail(Exit::Environment, &format!("读不了输入：{error}")),
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            eprintln!("第 {number} 行不是 UTF-8，跳过了。");
            exit = Exit::Problem;
            continue;
        };
        let text = text.trim_end_matches(['\n', '\r']);
        let understanding = understander.understand(text);
        if !line(&serde_json::to_string(&understanding).unwrap_or_default()) {
            return exit;
        }
    }
}
