//! What a decision costs, and how the cost grows with rules and with the message (P4, P6, P7, P8 of the targets).
//!
//! `cargo bench -p yingda-engine` prints the growth first, then divan's figures. Times are of one thread; quote ratios
//! from one run.

#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

#[path = "../tests/programs/mod.rs"]
mod programs;

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;

use programs::*;
use yingda_dsl::program::*;
use yingda_engine::Bot;
use yingda_engine::event::Event;
use yingda_models::{FaqDocument, FaqIndex};

/// Lines of the starter data, as messages of strangers.
const UTTERANCES: &str = include_str!("../../models/data/intents/starter.tsv");

fn main() {
    print_decisions();
    print_growth();
    divan::main();
}

/// P4: the whole decision.
fn print_decisions() {
    println!(
        "decision alone, 500 rules of 5 keywords, 2,000 messages (P4: p50 < 40 µs, p99 < 100 µs)"
    );
    for faqs in [200, 1_000] {
        let bot = generated(500, faqs);
        let (conversation, around) = (conversation(), around());
        let events = messages(2_000);
        let times = sorted_times(&events, |event| {
            black_box(bot.decide(&conversation, event, &around));
        });
        let reader = understander();
        let reading = sorted_times(&events, |event| {
            if let Event::Message(message) = event {
                black_box(reader.understand(&message.text));
            }
        });
        let index = FaqIndex::build(&reader, &documents(bot.program())).unwrap();
        let searching = sorted_times(&events, |event| {
            if let Event::Message(message) = event {
                black_box(index.search(&reader, &message.text, 5));
            }
        });
        println!(
            "  {faqs:>5} FAQs   p50 {:6.1} µs   p99 {:6.1} µs   mean {:6.1} µs   (understanding p50 {:.1} µs, FAQ search p50 {:.1} µs)",
            at(&times, 0.50),
            at(&times, 0.99),
            mean(&times),
            at(&reading, 0.50),
            at(&searching, 0.50),
        );
    }
}

/// P6, P7, P8: the rules stage, understanding taken off.
fn print_growth() {
    println!(
        "rules stage, 5 keywords a rule (P6: 10,000 rules ≤ 1.5 × 500; P7: ≤ 6 µs at 500; P8: 2,000 characters ≤ 120 × 20)"
    );
    let mut base = None;
    for rules in [100, 500, 1_000, 5_000, 10_000] {
        let bot = generated(rules, 0);
        let short = rules_stage(&bot, &messages(1_000));
        let long = rules_stage(&bot, &[message(&long_text(2_000))]);
        if rules == 500 {
            base = Some(short);
        }
        let growth = base.map_or_else(String::new, |base| {
            format!("   {:4.2} × 500 rules", short / base)
        });
        println!(
            "  {rules:>6} rules   message {short:6.2} µs   2,000 characters {long:7.1} µs{growth}"
        );
    }
    let bot = generated(500, 200);
    let (conversation, around) = (conversation(), around());
    let whole = |text: &str| {
        let event = message(text);
        at(
            &sorted_times(&vec![event; 200], |event| {
                black_box(bot.decide(&conversation, event, &around));
            }),
            0.5,
        )
    };
    let (short, long) = (whole(&long_text(20)), whole(&long_text(2_000)));
    println!(
        "whole decision: 20 characters {short:.1} µs, 2,000 characters {long:.1} µs, {:.0} × (P8)",
        long / short
    );
}

/// Median of a decision by rules alone less the median of understanding, µs.
fn rules_stage(bot: &Bot, events: &[Event]) -> f64 {
    let (conversation, around) = (conversation(), around());
    let reader = understander();
    let mut best = f64::MAX;
    for _ in 0..5 {
        let whole = sorted_times(events, |event| {
            black_box(bot.decide(&conversation, event, &around));
        });
        let reading = sorted_times(events, |event| {
            if let Event::Message(message) = event {
                black_box(reader.understand(&message.text));
            }
        });
        best = best.min((at(&whole, 0.5) - at(&reading, 0.5)).max(0.01));
    }
    best
}

fn sorted_times(events: &[Event], mut run: impl FnMut(&Event)) -> Vec<f64> {
    let mut times: Vec<f64> = Vec::new();
    for round in 0..6 {
        for event in events {
            let start = Instant::now();
            run(event);
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    times
}

fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

fn messages(count: usize) -> Vec<Event> {
    let lines: Vec<&str> = UTTERANCES
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .collect();
    let step = lines.len() / count;
    lines
        .iter()
        .step_by(step.max(1))
        .take(count)
        .map(|text| message(text))
        .collect()
}

fn long_text(characters: usize) -> String {
    UTTERANCES
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .flat_map(|text| text.chars().chain(['，']))
        .take(characters)
        .collect()
}

/// Keywords that customers might use: stretches of two to four characters of the data, all different.
fn keywords(count: usize) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut words = Vec::with_capacity(count);
    for length in [4usize, 3, 5, 6] {
        for line in UTTERANCES
            .lines()
            .filter_map(|line| line.split('\t').nth(1))
        {
            let chars: Vec<char> = line.chars().filter(|c| c.is_alphanumeric()).collect();
            for window in chars.windows(length).step_by(5) {
                let word: String = window.iter().collect();
                // Nearly all messages are to pass all rules: the dear case.
                let word = format!("{word}呗");
                if words.len() < count && seen.insert(word.clone()) {
                    words.push(word);
                }
            }
        }
    }
    words
}

fn generated(rules: usize, faqs: usize) -> Bot {
    let mut b = Builder::default();
    let words_of = keywords(rules * 5);
    let listed: Vec<_> = words_of
        .chunks(5)
        .enumerate()
        .map(|(index, five)| {
            let name = format!("规则{index}");
            let action = b.routine(
                &format!("规则 {name}"),
                RoutineKind::Action,
                vec![say("好的，这就为您办理。")],
            );
            let five: Vec<&str> = five.iter().map(String::as_str).collect();
            (name, words(TextMatch::Contains, &five), action)
        })
        .collect();
    let group = b.group("日常", listed);
    b.stage(Stage::Group(group), "日常");
    if faqs > 0 {
        let lines: Vec<&str> = UTTERANCES
            .lines()
            .filter_map(|line| line.split('\t').nth(1))
            .collect();
        for (index, wordings) in lines.chunks(6).step_by(3).take(faqs).enumerate() {
            b.faq(
                &format!("f{index}"),
                wordings[0],
                &wordings[1..],
                "这是答案，请在订单页查看。",
            );
        }
        b.stage(Stage::Faq { min: Some(0.8) }, "常见问题");
        b.stage(Stage::Intent { min: Some(0.75) }, "意图");
        b.stage(Stage::Suggest { max: 3 }, "推荐问题");
    }
    b.build()
}

fn documents(program: &Program) -> Vec<FaqDocument> {
    let document = |entry: &FaqEntry| FaqDocument {
        id: entry.id.clone(),
        category: entry.category.clone(),
        question: entry.question.clone(),
        variants: entry.variants.clone(),
        answer: entry.answer.clone(),
    };
    program.faq.iter().map(document).collect()
}

fn shared() -> &'static Bot {
    static BOT: OnceLock<Bot> = OnceLock::new();
    BOT.get_or_init(|| generated(500, 200))
}

#[divan::bench(args = ["在吗", "我的快递怎么还没到，都三天了", "不要人工，我自己查一下订单可以吗谢谢你"])]
fn decision_500_rules_200_faqs(bencher: divan::Bencher<'_, '_>, text: &str) {
    let (bot, conversation, around, event) = (shared(), conversation(), around(), message(text));
    bencher.bench(|| bot.decide(&conversation, &event, &around));
}

#[divan::bench(args = [20, 2_000])]
fn decision_by_length(bencher: divan::Bencher<'_, '_>, characters: usize) {
    let (bot, conversation, around) = (shared(), conversation(), around());
    let event = message(&long_text(characters));
    bencher.bench(|| bot.decide(&conversation, &event, &around));
}

#[divan::bench(args = [20, 2_000])]
fn understanding_by_length(bencher: divan::Bencher<'_, '_>, characters: usize) {
    let (reader, text) = (understander(), long_text(characters));
    bencher.bench(|| reader.understand(&text));
}

/// Understanding included; take [`understanding_by_length`] off.
#[divan::bench(args = [100, 500, 10_000])]
fn rules_by_number(bencher: divan::Bencher<'_, '_>, rules: usize) {
    let (bot, conversation, around) = (generated(rules, 0), conversation(), around());
    let event = message(&long_text(20));
    bencher.bench(|| bot.decide(&conversation, &event, &around));
}
