//! One token deleted, doubled or swapped: never a panic, an error nearby, few errors.
//!
//! Every seventh token is tried; `MUTATE_ALL=1 cargo test -p yingda-dsl --test mutation -- --nocapture` tries all and
//! prints what went wrong.

#![allow(clippy::unwrap_used)]

mod support;

use support::{catalogue, folder, package};
use yingda_dsl::compile;
use yingda_dsl::diagnostic::{Diagnostic, Severity};

/// Byte ranges of the tokens of a text: quoted texts, words, numbers, single signs.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let pattern = regex::Regex::new(r#""[^"\n]*"|[\p{L}_][\p{L}\p{N}_]*|\p{N}+|->|[^\s]"#).unwrap();
    pattern
        .find_iter(text)
        .map(|found| (found.start(), found.end()))
        .collect()
}

fn mutants(text: &str, tokens: &[(usize, usize)], at: usize) -> Vec<(&'static str, String)> {
    let (start, end) = tokens[at];
    let token = &text[start..end];
    let mut mutants = vec![
        ("deleted", format!("{}{}", &text[..start], &text[end..])),
        (
            "doubled",
            format!("{} {token}{}", &text[..end], &text[end..]),
        ),
    ];
    if let Some((next_start, next_end)) = tokens.get(at + 1) {
        let next = &text[*next_start..*next_end];
        let between = &text[end..*next_start];
        mutants.push((
            "swapped",
            format!(
                "{}{next}{between}{token}{}",
                &text[..start],
                &text[*next_end..]
            ),
        ));
    }
    mutants
}

#[test]
fn a_mutated_token_gives_few_errors_nearby() {
    let all = std::env::var_os("MUTATE_ALL").is_some();
    let files = package(&folder("cases/samples"));
    let paths: Vec<String> = files.paths().into_iter().map(str::to_owned).collect();
    let line_of = |text: &str, at: usize| {
        text.as_bytes()[..at.min(text.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    };
    let (mut broken, mut far, mut many) = (0, 0, 0);
    for (file, path) in paths
        .iter()
        .enumerate()
        .filter(|(_, path)| path.ends_with(".yd"))
    {
        let text = String::from_utf8(files.files[path].clone()).unwrap();
        let tokens = tokens(&text);
        for at in (0..tokens.len()).step_by(if all { 1 } else { 7 }) {
            for (how, mutant) in mutants(&text, &tokens, at) {
                let line = line_of(&text, tokens[at].0);
                let mut files = files.clone();
                files
                    .files
                    .insert(path.clone(), mutant.clone().into_bytes());
                let found = compile(&files, &catalogue()).diagnostics;
                let errors: Vec<&Diagnostic> = found
                    .iter()
                    .filter(|one| one.severity == Severity::Error)
                    .collect();
                if errors.is_empty() {
                    continue;
                }
                broken += 1;
                let near = errors.iter().any(|one| {
                    let places =
                        std::iter::once(&one.span).chain(one.related.iter().map(|(span, _)| span));
                    places
                        .filter(|span| span.file as usize == file)
                        .any(|span| line_of(&mutant, span.start as usize).abs_diff(line) <= 3)
                });
                far += usize::from(!near);
                many += usize::from(errors.len() > 3);
                if all && (!near || errors.len() > 3) {
                    println!(
                        "{path}:{} {how} {:?}",
                        line + 1,
                        &text[tokens[at].0..tokens[at].1]
                    );
                    for one in errors {
                        println!(
                            "    {} line {} {}",
                            one.code,
                            line_of(&mutant, one.span.start as usize) + 1,
                            one.message
                        );
                    }
                }
            }
        }
    }
    println!("{broken} mutants with errors, {far} without one nearby, {many} with more than three");
    assert!(broken > 100);
    assert!(far * 20 <= broken, "{far} of {broken} have no error nearby");
    assert!(
        many * 20 <= broken,
        "{many} of {broken} have more than three errors"
    );
}
