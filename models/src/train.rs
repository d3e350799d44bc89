//! Learning the classifiers from labelled text. Pure: strings in, bytes out, the same bytes every time.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array1;
use rand08::SeedableRng;
use rand08::seq::SliceRandom;
use sha2::{Digest, Sha256};

use crate::classifier::{pack, softmax};
use crate::error::TrainError;
use crate::evaluate::{Outcome, Report, report, threshold};
use crate::features::{BLOCK_WEIGHTS, BLOCKS, Features, Vocabulary, extract};
use crate::linear::{LinearModel, LinearParams, Loss, SparseRecords, best};
use crate::model_file::{self, Body, Packed};
use crate::text::{self, Canonical};
use crate::{emotion, entity, tokens};

/// A labelled text; of no label where it is out of scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub label: Option<String>,
    pub text: String,
}

/// A file of training data: its name (for messages) and its content.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub name: &'a str,
    pub content: &'a str,
}

/// A classifier and how it did on what it had not seen.
#[derive(Debug, Clone)]
pub struct Trained {
    pub packed: Packed,
    /// Raw greatest score below which a text is refused.
    pub refusal: f32,
    /// Cross-validated: each text judged by a model that was not shown it.
    pub report: Report,
}

/// How the classifiers are learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub params: LinearParams,
    /// Folds of the cross-validation that calibration and figures come from.
    pub folds: usize,
    pub seed: u64,
    /// Least number of texts a feature must occur in.
    pub least: u32,
    /// Share of in-scope texts that refusal must keep.
    pub kept: f64,
    /// Lengths of the blocks of features, for measuring what each is worth; a model file is read with
    /// `features::BLOCK_WEIGHTS`.
    pub blocks: [f32; BLOCKS],
}

impl Default for Options {
    fn default() -> Self {
        Options {
            params: LinearParams {
                loss: Loss::SquaredHinge,
                l2: 1e-4,
                iterations: 60,
                tolerance: 0.1,
                background: 1.0,
            },
            folds: 5,
            seed: 7,
            least: 2,
            kept: 0.90,
            blocks: BLOCK_WEIGHTS,
        }
    }
}

/// Fewest examples a label can be learnt from.
pub const LEAST_EXAMPLES: usize = 4;

/// Lines of `label<TAB>text`; empty lines and lines that begin with `#` are skipped.
///
/// # Errors
/// A line without a tab, a label or a text, by file and number.
pub fn labelled(source: Source<'_>) -> Result<Vec<Example>, TrainError> {
    let mut out = Vec::new();
    for (number, line) in lines(source.content) {
        let wrong = |what: &str| TrainError::Line {
            file: source.name.to_owned(),
            line: number,
            what: what.to_owned(),
        };
        let Some((label, text)) = line.split_once('\t') else {
            return Err(wrong("标签和文本之间要用 Tab 键隔开，这里没有 Tab"));
        };
        let (label, text) = (label.trim(), text.trim());
        if label.is_empty() {
            return Err(wrong("缺少标签，Tab 前面应写标签"));
        }
        if text.is_empty() {
            return Err(wrong("缺少文本，Tab 后面应写例句"));
        }
        out.push(Example {
            label: Some(label.to_owned()),
            text: text.to_owned(),
        });
    }
    Ok(out)
}

/// Lines of one text each, out of scope.
pub fn unlabelled(source: Source<'_>) -> Vec<Example> {
    lines(source.content)
        .map(|(_, line)| Example {
            label: None,
            text: line.trim().to_owned(),
        })
        .collect()
}

fn lines(content: &str) -> impl Iterator<Item = (usize, &str)> {
    content
        .trim_start_matches('\u{feff}')
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
}

/// Learns an intent classifier from labelled and out-of-scope examples.
///
/// # Errors
/// No examples, one label only, a label with fewer than [`LEAST_EXAMPLES`].
pub fn intents(examples: &[Example], options: &Options) -> Result<Trained, TrainError> {
    learn(examples, options, Cues::Without)
}

/// Learns an emotion classifier.
///
/// # Errors
/// As [`intents`].
pub fn emotions(examples: &[Example], options: &Options) -> Result<Trained, TrainError> {
    learn(examples, options, Cues::With)
}

/// What the packaged model is made of.
#[derive(Debug, Clone, Copy)]
pub struct PackagedData<'a> {
    pub intents: &'a [Source<'a>],
    pub out_of_scope: &'a [Source<'a>],
    pub emotions: &'a [Source<'a>],
}

/// The bytes of a model file from its data, with the figures of both classifiers.
///
/// # Errors
/// As [`labelled`] and [`intents`].
pub fn packaged(data: &PackagedData<'_>) -> Result<(Vec<u8>, Report, Report), TrainError> {
    let mut examples = Vec::new();
    for source in data.intents {
        examples.extend(labelled(*source)?);
    }
    examples.extend(
        data.out_of_scope
            .iter()
            .flat_map(|source| unlabelled(*source)),
    );
    let mut turns = Vec::new();
    for source in data.emotions {
        turns.extend(labelled(*source)?);
    }
    let intents = intents(&examples, &Options::default())?;
    let emotions = emotions(&turns, &Options::default())?;
    let mut figures = vec![
        ("intent_accuracy".to_owned(), intents.report.accuracy),
        ("intent_macro_f1".to_owned(), intents.report.macro_f1),
        ("intent_ece".to_owned(), intents.report.ece),
        ("emotion_accuracy".to_owned(), emotions.report.accuracy),
    ];
    if let Some(recall) = intents.report.oos_recall_at_95 {
        figures.push(("oos_recall_at_95".to_owned(), recall));
    }
    let bytes = model_file::write(&Body {
        intents: intents.packed,
        emotions: emotions.packed,
        refusal: intents.refusal,
        data: data_hash(data),
        figures,
    });
    Ok((bytes, intents.report, emotions.report))
}

/// SHA-256, in hexadecimal, over the contents of all files in their order.
pub fn data_hash(data: &PackagedData<'_>) -> String {
    let mut hasher = Sha256::new();
    for source in [data.intents, data.out_of_scope, data.emotions]
        .into_iter()
        .flatten()
    {
        hasher.update((source.content.len() as u64).to_le_bytes());
        hasher.update(source.content.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Whether the features of feeling are read, see `emotion::cues`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cues {
    With,
    Without,
}

/// The features of a text exactly as `Understander` reads it.
fn featurize(text: &str, cues: Cues) -> Features {
    let canonical = Canonical::new(text);
    let normalized =
        text::with_placeholders(&canonical, &entity::canonical_entities(&canonical, None));
    let jieba = tokens::jieba();
    let words = tokens::cut(&jieba, &normalized);
    let mut features = extract(&normalized, &words);
    if cues == Cues::With {
        emotion::cues(&canonical, &normalized, &mut features);
    }
    features
}

/// Examples as a learner sees them.
struct Prepared {
    labels: Vec<String>,
    targets: Vec<Option<usize>>,
    vocabulary: Vocabulary,
    records: SparseRecords,
}

fn prepare(examples: &[Example], options: &Options, cues: Cues) -> Result<Prepared, TrainError> {
    let labels = label_set(examples)?;
    let features: Vec<Features> = examples.iter().map(|e| featurize(&e.text, cues)).collect();
    let targets = examples
        .iter()
        .map(|e| e.label.as_ref().and_then(|l| labels.binary_search(l).ok()))
        .collect();
    let vocabulary = Vocabulary::learn(&features, options.least).with_blocks(options.blocks);
    let records = vocabulary.records(&features);
    Ok(Prepared {
        labels,
        targets,
        vocabulary,
        records,
    })
}

impl Prepared {
    fn fit(&self, rows: &[usize], options: &Options) -> Result<LinearModel, linfa::Error> {
        let targets: Array1<Option<usize>> = rows.iter().map(|row| self.targets[*row]).collect();
        options
            .params
            .fit(&DatasetBase::new(self.records.select(rows), targets))
    }

    /// Scores of every row by a model that was not shown it; one thread a fold.
    fn held_out_scores(&self, options: &Options) -> Result<Vec<Vec<f32>>, linfa::Error> {
        let folds = folds(&self.targets, options);
        let judged = std::thread::scope(|scope| {
            let running: Vec<_> = folds
                .iter()
                .map(|fold| {
                    scope.spawn(move || {
                        let mut held = vec![false; self.targets.len()];
                        fold.iter().for_each(|row| held[*row] = true);
                        let rest: Vec<usize> = (0..held.len()).filter(|row| !held[*row]).collect();
                        let model = self.fit(&rest, options)?;
                        let score = |row: &usize| {
                            let (columns, values) = self.records.row(*row);
                            (*row, model.scores(columns, values))
                        };
                        Ok(fold.iter().map(score).collect::<Vec<_>>())
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|fold| fold.join().unwrap_or(Err(linfa::Error::NotEnoughSamples)))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let mut scores = vec![Vec::new(); self.targets.len()];
        for (row, row_scores) in judged.into_iter().flatten() {
            scores[row] = row_scores;
        }
        Ok(scores)
    }

    fn outcomes(&self, scores: &[Vec<f32>], sharpness: f32) -> Vec<Outcome> {
        scores
            .iter()
            .zip(&self.targets)
            .map(|(scores, target)| {
                let class = best(scores);
                Outcome {
                    gold: target.map(|t| self.labels[t].clone()),
                    predicted: self.labels[class].clone(),
                    confidence: f64::from(softmax(scores, sharpness)[class]),
                    score: f64::from(scores[class]),
                }
            })
            .collect()
    }
}

/// Figures of an estimator by cross-validation alone, without the final fit; for comparing estimators.
///
/// # Errors
/// As [`intents`].
pub fn cross_validate(
    examples: &[Example],
    cues: Cues,
    options: &Options,
) -> Result<Report, TrainError> {
    let prepared = prepare(examples, options, cues)?;
    let scores = prepared.held_out_scores(options)?;
    let sharpness = sharpness(&scores, &prepared.targets);
    Ok(report(&prepared.outcomes(&scores, sharpness)))
}

fn learn(examples: &[Example], options: &Options, cues: Cues) -> Result<Trained, TrainError> {
    let prepared = prepare(examples, options, cues)?;
    let scores = prepared.held_out_scores(options)?;
    let sharpness = sharpness(&scores, &prepared.targets);
    let outcomes = prepared.outcomes(&scores, sharpness);
    let scoped = outcomes.iter().filter(|o| o.gold.is_some());
    let refusal = threshold(scoped.map(|o| o.score), options.kept).unwrap_or(f64::MIN) as f32;
    let everything: Vec<usize> = (0..examples.len()).collect();
    let model = prepared.fit(&everything, options)?;
    Ok(Trained {
        packed: pack(prepared.labels, &prepared.vocabulary, &model, sharpness),
        refusal,
        report: report(&outcomes),
    })
}

fn label_set(examples: &[Example]) -> Result<Vec<String>, TrainError> {
    let mut counts: std::collections::BTreeMap<&str, usize> = Default::default();
    for label in examples.iter().filter_map(|e| e.label.as_deref()) {
        *counts.entry(label).or_default() += 1;
    }
    if counts.is_empty() {
        return Err(TrainError::Empty);
    }
    if let (1, Some((label, _))) = (counts.len(), counts.first_key_value()) {
        return Err(TrainError::OneLabel((*label).to_owned()));
    }
    if let Some((label, count)) = counts.iter().find(|(_, count)| **count < LEAST_EXAMPLES) {
        return Err(TrainError::TooFew {
            label: (*label).to_owned(),
            count: *count,
            least: LEAST_EXAMPLES,
        });
    }
    Ok(counts.into_keys().map(str::to_owned).collect())
}

/// Rows dealt out class by class, shuffled by the seed.
fn folds(targets: &[Option<usize>], options: &Options) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..targets.len()).collect();
    rows.shuffle(&mut rand08::rngs::StdRng::seed_from_u64(options.seed));
    rows.sort_by_key(|row| targets[*row]);
    let count = options.folds.max(2);
    let mut folds = vec![Vec::new(); count];
    for (index, row) in rows.into_iter().enumerate() {
        folds[index % count].push(row);
    }
    folds
}

/// What scores must be multiplied by for their softmax to be honest: the least log loss over held-out scores, by golden
/// section on the logarithm.
fn sharpness(scores: &[Vec<f32>], targets: &[Option<usize>]) -> f32 {
    let loss = |log: f64| -> f64 {
        let sharpness = log.exp() as f32;
        scores
            .iter()
            .zip(targets)
            .filter_map(|(scores, target)| {
                Some(-f64::from(softmax(scores, sharpness)[(*target)?].max(1e-12)).ln())
            })
            .sum()
    };
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-3.0f64, 5.0f64);
    for _ in 0..40 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    ((low + high) / 2.0).exp() as f32
}
