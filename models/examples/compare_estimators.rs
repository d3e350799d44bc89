//! Cross-validates estimators and features on the training data, one line each:
//! `cargo run --release -p yingda-models --example compare_estimators [part of a name]`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use yingda_models::linear::{LinearParams, Loss};
use yingda_models::train::{self, Cues, Example, Options, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut examples = read(&root.join("intents"))?;
    for entry in std::fs::read_dir(root.join("out_of_scope"))? {
        let content = std::fs::read_to_string(entry?.path())?;
        examples.extend(train::unlabelled(Source {
            name: "",
            content: &content,
        }));
    }
    let turns = read(&root.join("emotion"))?;
    let scoped: Vec<Example> = examples
        .iter()
        .filter(|e| e.label.is_some())
        .cloned()
        .collect();
    println!(
        "{} labelled, {} out of scope, {} turns",
        scoped.len(),
        examples.len() - scoped.len(),
        turns.len()
    );

    let base = Options {
        folds: 3,
        ..Options::default()
    };
    for (loss, l2, background) in [
        (Loss::SquaredHinge, 1e-4, 1.0),
        (Loss::SquaredHinge, 2e-4, 1.0),
        (Loss::SquaredHinge, 4e-4, 1.0),
        (Loss::SquaredHinge, 5e-5, 1.0),
        (Loss::SquaredHinge, 2e-4, 3.0),
        (Loss::Softmax, 1e-5, 1.0),
        (Loss::Softmax, 3e-6, 1.0),
    ] {
        let name = format!("loss {loss:?} l2 {l2:e} background {background}");
        let params = LinearParams {
            loss,
            l2,
            background,
            tolerance: if loss == Loss::Softmax { 3e-3 } else { 0.1 },
            iterations: 60,
        };
        line(
            &wanted,
            &name,
            &examples,
            Cues::Without,
            &Options {
                params,
                ..base.clone()
            },
        )?;
    }
    for (name, blocks) in [
        ("characters", [1.0, 0.0, 0.0, 0.0, 0.0]),
        ("words", [0.0, 1.0, 0.0, 0.0, 0.0]),
        ("even", [1.0, 1.0, 1.0, 1.0, 1.0]),
        ("half", [1.0, 0.5, 0.5, 0.5, 0.5]),
        ("without words", [1.0, 0.0, 0.5, 0.5, 0.5]),
        ("without syllables", [1.0, 0.5, 0.0, 0.5, 0.5]),
        ("without skips", [1.0, 0.5, 0.5, 0.0, 0.5]),
        ("third", [1.0, 0.33, 0.33, 0.33, 0.33]),
    ] {
        line(
            &wanted,
            &format!("blocks {name}"),
            &examples,
            Cues::Without,
            &Options {
                blocks,
                ..base.clone()
            },
        )?;
    }
    for least in [1, 2, 3, 4] {
        let name = format!("features in at least {least} texts");
        line(
            &wanted,
            &name,
            &examples,
            Cues::Without,
            &Options {
                least,
                ..base.clone()
            },
        )?;
    }
    for (loss, l2) in [
        (Loss::Softmax, 1e-4),
        (Loss::Softmax, 5e-4),
        (Loss::SquaredHinge, 1e-3),
        (Loss::SquaredHinge, 3e-3),
    ] {
        let params = LinearParams {
            loss,
            l2,
            ..LinearParams::default()
        };
        for (cues, name) in [(Cues::With, "with"), (Cues::Without, "without")] {
            let options = Options {
                params: params.clone(),
                folds: 5,
                ..base.clone()
            };
            line(
                &wanted,
                &format!("emotion {loss:?} l2 {l2:e} {name} cues"),
                &turns,
                cues,
                &options,
            )?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<Example>, Box<dyn Error>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let content = std::fs::read_to_string(&path)?;
        out.extend(train::labelled(Source {
            name: &path.to_string_lossy(),
            content: &content,
        })?);
    }
    Ok(out)
}

fn line(
    wanted: &str,
    name: &str,
    examples: &[Example],
    cues: Cues,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    if !name.contains(wanted) {
        return Ok(());
    }
    let start = Instant::now();
    let report = train::cross_validate(examples, cues, options)?;
    let percent = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{:.1}", 100.0 * x));
    println!(
        "| {name} | {:.2} | {:.2} | {:.2} | {} | {} | {:.0} s |",
        100.0 * report.accuracy,
        100.0 * report.macro_f1,
        100.0 * report.ece,
        percent(report.oos_recall_at_95),
        percent(report.oos_recall_at_90),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
