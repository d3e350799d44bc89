//! Makes `models/packaged/standard.yim` from `models/data`: `cargo run --release -p yingda-models --example train_packaged`.

use std::error::Error;
use std::path::{Path, PathBuf};

use yingda_models::evaluate::Report;
use yingda_models::train::{self, PackagedData, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let intents = files(&root.join("data/intents"))?;
    let out_of_scope = files(&root.join("data/out_of_scope"))?;
    let emotions = files(&root.join("data/emotion"))?;
    let (bytes, intent_report, emotion_report) = train::packaged(&PackagedData {
        intents: &sources(&intents),
        out_of_scope: &sources(&out_of_scope),
        emotions: &sources(&emotions),
    })?;
    show("intents", &intent_report);
    show("emotions", &emotion_report);
    let file = root.join("packaged/standard.yim");
    std::fs::write(&file, &bytes)?;
    println!("{} bytes", bytes.len());
    Ok(())
}

/// Every file of a folder by name, with its content.
fn files(folder: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let mut out = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        out.push((name, std::fs::read_to_string(&path)?));
    }
    Ok(out)
}

fn sources(files: &[(String, String)]) -> Vec<Source<'_>> {
    files
        .iter()
        .map(|(name, content)| Source { name, content })
        .collect()
}

fn show(what: &str, report: &Report) {
    println!(
        "{what}: {} texts, accuracy {:.4}, macro-F1 {:.4}, ECE {:.4}, out-of-scope recall at 95 % kept {:?}, at 90 % {:?}",
        report.count,
        report.accuracy,
        report.macro_f1,
        report.ece,
        report.oos_recall_at_95,
        report.oos_recall_at_90
    );
    for (gold, predicted, count) in report.confusion.iter().take(15) {
        println!("  {gold} taken for {predicted}: {count}");
    }
}
