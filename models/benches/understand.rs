//! What a message costs: `cargo bench -p yingda-models --bench understand`.

// A bench or test that cannot set itself up should stop.
#![allow(clippy::unwrap_used)]

use std::sync::OnceLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use yingda_models::{FaqDocument, FaqIndex, Understander, mask, text};

const INTENTS: &str = include_str!("../data/intents/starter.tsv");

fn main() {
    Understander::packaged().unwrap();
    divan::main();
}

/// Each twentieth training message: of the length and kind customers send.
fn messages() -> Vec<&'static str> {
    INTENTS
        .lines()
        .step_by(20)
        .filter_map(|line| Some(line.split_once('\t')?.1))
        .collect()
}

/// All messages an iteration: read the time of one off the items a second.
fn over_messages<T>(bencher: Bencher<'_, '_>, mut run: impl FnMut(&str) -> T) {
    let messages = messages();
    bencher
        .counter(ItemsCount::new(messages.len()))
        .bench_local(|| {
            for message in &messages {
                black_box(run(black_box(message)));
            }
        });
}

#[divan::bench]
fn normalize(bencher: Bencher<'_, '_>) {
    over_messages(bencher, text::normalize);
}

#[divan::bench]
fn fold(bencher: Bencher<'_, '_>) {
    over_messages(bencher, text::fold);
}

#[divan::bench]
fn tokenize(bencher: Bencher<'_, '_>) {
    let understander = Understander::packaged().unwrap();
    over_messages(bencher, |text| understander.tokenize(text));
}

#[divan::bench]
fn understand(bencher: Bencher<'_, '_>) {
    let understander = Understander::packaged().unwrap();
    over_messages(bencher, |text| understander.understand(text));
}

#[divan::bench]
fn mask_message(bencher: Bencher<'_, '_>) {
    over_messages(bencher, mask);
}

#[divan::bench]
fn mask_phone(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        mask(black_box(
            "我的手机号是138 0013 8000，麻烦帮我查一下订单到哪里了谢谢",
        ))
    });
}

#[divan::bench]
fn load_model() -> Understander {
    static FILE: &[u8] = include_bytes!("../packaged/standard.yim");
    Understander::load(black_box(FILE)).unwrap()
}

/// A base of `entries` with six wordings each, out of pairs of training messages.
fn base(entries: usize) -> Vec<FaqDocument> {
    let lines: Vec<&str> = INTENTS
        .lines()
        .filter_map(|line| Some(line.split_once('\t')?.1))
        .collect();
    let line = |n: usize| lines[n % lines.len()].to_owned();
    (0..entries)
        .map(|entry| FaqDocument {
            id: entry.to_string(),
            category: "常见问题".to_owned(),
            question: line(entry * 7),
            variants: (1..6)
                .map(|k| {
                    if entry < 1400 {
                        line(entry * 7 + k)
                    } else {
                        line(entry * 7 + k) + &line(entry / 3 + k * 11)
                    }
                })
                .collect(),
            answer: "答".to_owned(),
        })
        .collect()
}

#[divan::bench(args = [70, 200, 1000], sample_count = 3, sample_size = 1)]
fn faq_build(bencher: Bencher<'_, '_>, entries: usize) {
    let understander = Understander::packaged().unwrap();
    let documents = base(entries);
    bencher.bench_local(|| FaqIndex::build(&understander, &documents).unwrap());
}

#[divan::bench(args = [70, 200, 1000, 100_000])]
fn faq_search(bencher: Bencher<'_, '_>, entries: usize) {
    static BASES: OnceLock<std::sync::Mutex<std::collections::HashMap<usize, &'static FaqIndex>>> =
        OnceLock::new();
    let understander = Understander::packaged().unwrap();
    let mut bases = BASES.get_or_init(Default::default).lock().unwrap();
    let index: &FaqIndex = bases.entry(entries).or_insert_with(|| {
        let start = std::time::Instant::now();
        let index = FaqIndex::build(&understander, &base(entries)).unwrap();
        eprintln!(
            "{entries} entries built in {:.2} s",
            start.elapsed().as_secs_f64()
        );
        Box::leak(Box::new(index))
    });
    over_messages(bencher, |text| index.search(&understander, text, 3));
}
