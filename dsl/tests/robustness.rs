//! Whatever is typed: no panic, and every position lies in its file on character borders.

#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use support::{catalogue, single};
use yingda_dsl::diagnostic::Lang;
use yingda_dsl::keywords::KEYWORDS;
use yingda_dsl::render::{Color, human, json};
use yingda_dsl::{compile, format};

/// Words of the language, names, texts and punctuation in any order.
fn soup() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = KEYWORDS
        .iter()
        .flat_map(|keyword| [keyword.zh, keyword.en])
        .collect();
    let piece = prop_oneof![
        4 => prop::sample::select(words).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["甲", "乙", "订单", "售后组", "x1"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["\"您好\"", "“您好”", "「{客户.称呼}」", "\"{\"", "\"", "「"]).prop_map(str::to_owned),
        4 => prop::sample::select(vec!["{", "}", "(", ")", "｛", "｝", "->", "≥", "=", ",", "、", ":", ";", ".", "\n", "\n"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["1", "2 次", "3秒", "0.8", "70%", "9:00-21:00", "2026-11-20", "周一", "99999999999"]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.join(" "))
}

fn holds(text: &str) {
    let files = single(text);
    let compiled = compile(&files, &catalogue());
    let errors = compiled
        .diagnostics
        .iter()
        .any(|one| one.severity == yingda_dsl::diagnostic::Severity::Error);
    assert_eq!(compiled.program.is_none(), errors);
    for diagnostic in &compiled.diagnostics {
        let places = std::iter::once(diagnostic.span)
            .chain(diagnostic.related.iter().map(|(span, _)| *span))
            .chain(diagnostic.fixes.iter().map(|fix| fix.span));
        for span in places {
            assert!(
                text.get(span.start as usize..span.end as usize).is_some(),
                "{span:?} of {diagnostic:?} in {text:?}"
            );
        }
    }
    human(&compiled.diagnostics, &files, Lang::Zh, Color::Plain);
    json(&compiled.diagnostics, &files, Lang::En);
    if let Ok(once) = format(text, Lang::Zh) {
        assert_eq!(format(&once, Lang::Zh).unwrap(), once);
        let english = format(&once, Lang::En).unwrap();
        assert_eq!(format(&english, Lang::Zh).unwrap(), once, "{english}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_in_any_order_are_taken(text in soup()) {
        holds(&text);
    }

    #[test]
    fn any_characters_are_taken(text in "\\PC{0,80}") {
        holds(&text);
    }
}
