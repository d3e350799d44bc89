//! How well a base finds its own wordings, each left out in turn, and how it judges unrelated messages:
//! `cargo run --release -p yingda-models --example evaluate_faq FAQ.csv` (`id,category,question,variants,answer`, or
//! lines of `term<TAB>wording|wording`).

use std::error::Error;
use std::time::Instant;

use yingda_models::{FaqDocument, FaqIndex, Understander};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let documents = if path.ends_with(".csv") {
        csv(&path)?
    } else {
        tsv(&path)?
    };
    let understander = Understander::packaged()?;
    let start = Instant::now();
    let index = FaqIndex::build(&understander, &documents)?;
    println!(
        "{} entries built in {:.3} s",
        documents.len(),
        start.elapsed().as_secs_f64()
    );

    // Fifths: a fifth of the wordings is asked for, the base is built from the rest.
    let mut asked = Vec::new();
    for fifth in 0..5 {
        let kept: Vec<FaqDocument> = documents
            .iter()
            .map(|d| FaqDocument {
                variants: d
                    .variants
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| i % 5 != fifth)
                    .map(|(_, v)| v.clone())
                    .collect(),
                ..d.clone()
            })
            .collect();
        let index = FaqIndex::build(&understander, &kept)?;
        for (gold, document) in documents.iter().enumerate() {
            for (_, variant) in document
                .variants
                .iter()
                .enumerate()
                .filter(|(i, _)| i % 5 == fifth)
            {
                let hits = index.search(&understander, variant, 3);
                let place = hits.iter().position(|h| h.index == gold);
                asked.push((place, hits.first().map_or(0.0, |h| h.score)));
            }
        }
    }
    let count = asked.len().max(1) as f64;
    let share = |deepest: usize| {
        asked
            .iter()
            .filter(|a| a.0.is_some_and(|place| place < deepest))
            .count() as f64
            / count
    };
    println!("R@1 {:.3}  R@3 {:.3}  of {count}", share(1), share(3));
    for least in [0.5, 0.6, 0.7, 0.8, 0.9] {
        let answered: Vec<_> = asked.iter().filter(|a| a.1 >= least).collect();
        let right = answered.iter().filter(|a| a.0 == Some(0)).count();
        println!(
            "at {least}: answers {:.3}, of them right {:.3}",
            answered.len() as f64 / count,
            right as f64 / answered.len().max(1) as f64
        );
    }
    for text in [
        "你好",
        "今天天气怎么样",
        "给我讲个笑话",
        "谢谢",
        "世界杯谁赢了",
    ] {
        let hits = index.search(&understander, text, 1);
        println!(
            "{text}: {:?}",
            hits.first()
                .map(|h| (&documents[h.index].question, h.score))
        );
    }
    let queries: Vec<&String> = documents
        .iter()
        .flat_map(|d| &d.variants)
        .take(2000)
        .collect();
    let start = Instant::now();
    for query in &queries {
        std::hint::black_box(index.search(&understander, *query, 3));
    }
    println!(
        "{:.1} µs a query",
        start.elapsed().as_secs_f64() * 1e6 / queries.len().max(1) as f64
    );
    Ok(())
}

fn csv(path: &str) -> Result<Vec<FaqDocument>, Box<dyn Error>> {
    let mut out = Vec::new();
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        out.push(FaqDocument {
            id: field(0),
            category: field(1),
            question: field(2),
            variants: field(3)
                .split('|')
                .filter(|v| !v.is_empty())
                .map(str::to_owned)
                .collect(),
            answer: field(4),
        });
    }
    Ok(out)
}

fn tsv(path: &str) -> Result<Vec<FaqDocument>, Box<dyn Error>> {
    let content = std::fs::read_to_string(path)?;
    Ok(content
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(term, wordings)| FaqDocument {
            id: term.to_owned(),
            category: String::new(),
            question: term.to_owned(),
            variants: wordings.split('|').map(str::to_owned).collect(),
            answer: term.to_owned(),
        })
        .collect())
}
