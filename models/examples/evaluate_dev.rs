//! The packaged model on the development set, which is never trained on:
//! `cargo run --release -p yingda-models --example evaluate_dev [wrong]`; `wrong` lists the mistakes.

use std::error::Error;
use std::path::Path;

use yingda_models::Understander;
use yingda_models::evaluate::{Outcome, report};
use yingda_models::train::{self, Example, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let show = std::env::args().nth(1).is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/dev");
    let model = Understander::packaged()?;
    let content = std::fs::read_to_string(root.join("out_of_scope.txt"))?;
    let strange = train::unlabelled(Source {
        name: "out_of_scope.txt",
        content: &content,
    });
    for name in ["clean.tsv", "messy.tsv"] {
        let content = std::fs::read_to_string(root.join(name))?;
        let mut examples = train::labelled(Source {
            name,
            content: &content,
        })?;
        examples.extend(strange.iter().cloned());
        let mut outcomes = Vec::new();
        let (mut kept, mut refused) = (0, 0);
        for Example { label, text } in examples {
            let intent = model.understand(&text).intent;
            let best = intent
                .top
                .first()
                .map(|t| t.label.clone())
                .unwrap_or_default();
            kept += usize::from(label.is_some() && intent.label.is_some());
            refused += usize::from(label.is_none() && intent.label.is_none());
            let wrong = label.as_ref().is_some_and(|gold| *gold != best);
            if show && (wrong || label.is_some() != intent.label.is_some()) {
                println!(
                    "  {text}: {label:?}, read as {best} {:.2} ({:?})",
                    intent.confidence, intent.label
                );
            }
            outcomes.push(Outcome {
                gold: label,
                predicted: best,
                confidence: intent.confidence,
                score: intent.confidence,
            });
        }
        let report = report(&outcomes);
        let scoped = outcomes.iter().filter(|o| o.gold.is_some()).count();
        println!(
            "{name}: accuracy {:.3}, macro-F1 {:.3}, ECE {:.3}; kept {kept} of {scoped}, refused {refused} of {} out of scope",
            report.accuracy,
            report.macro_f1,
            report.ece,
            strange.len()
        );
    }
    Ok(())
}
