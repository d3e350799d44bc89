//! How good a classifier is: accuracy, F1, confusion, calibration, refusal.

use linfa::prelude::ToConfusionMatrix;
use ndarray::Array1;
use serde::Serialize;

/// A classifier's answer to one text whose label is known; `gold` is `None` for out-of-scope texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub gold: Option<String>,
    /// The best label, whether refused or not.
    pub predicted: String,
    pub confidence: f64,
    /// What refusal goes by: the greatest raw score.
    pub score: f64,
}

/// Figures over a labelled set; shares are 0–1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub count: usize,
    /// Share of in-scope texts whose best label is right.
    pub accuracy: f64,
    pub macro_f1: f64,
    pub per_label: Vec<LabelFigures>,
    /// The mistakes: expected, predicted, how often; most frequent first.
    pub confusion: Vec<(String, String, usize)>,
    /// Expected calibration error over ten equal bins of confidence.
    pub ece: f64,
    /// Share of out-of-scope texts refused where 95 % (90 %) of in-scope ones are kept; absent without such texts.
    pub oos_recall_at_95: Option<f64>,
    pub oos_recall_at_90: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFigures {
    pub label: String,
    pub count: usize,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
}

/// Figures of a set of outcomes.
pub fn report(outcomes: &[Outcome]) -> Report {
    let scoped: Vec<(&Outcome, &String)> = outcomes
        .iter()
        .filter_map(|o| Some((o, o.gold.as_ref()?)))
        .collect();
    let right = scoped
        .iter()
        .filter(|(o, gold)| o.predicted == **gold)
        .count();
    let mut labels: Vec<&str> = scoped
        .iter()
        .flat_map(|(o, gold)| [gold.as_str(), o.predicted.as_str()])
        .collect();
    labels.sort_unstable();
    labels.dedup();
    let index = |label: &str| labels.binary_search(&label).unwrap_or(0);
    let gold: Array1<usize> = scoped.iter().map(|(_, gold)| index(gold)).collect();
    let predicted: Array1<usize> = scoped.iter().map(|(o, _)| index(&o.predicted)).collect();
    let per_label = label_figures(&labels, &gold, &predicted);
    let with_gold: Vec<&LabelFigures> = per_label.iter().filter(|l| l.count > 0).collect();
    let mut confusion: std::collections::BTreeMap<(usize, usize), usize> = Default::default();
    for (g, p) in gold.iter().zip(&predicted).filter(|(g, p)| g != p) {
        *confusion.entry((*g, *p)).or_default() += 1;
    }
    let mut confusion: Vec<(String, String, usize)> = confusion
        .into_iter()
        .map(|((g, p), count)| (labels[g].to_owned(), labels[p].to_owned(), count))
        .collect();
    confusion.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    Report {
        count: outcomes.len(),
        accuracy: share(right, scoped.len()),
        macro_f1: with_gold.iter().map(|l| l.f1).sum::<f64>() / with_gold.len().max(1) as f64,
        ece: expected_calibration_error(&scoped),
        oos_recall_at_95: refused_at(outcomes, 0.95),
        oos_recall_at_90: refused_at(outcomes, 0.90),
        per_label,
        confusion,
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Precision, recall and F1 of each label, from linfa's confusion matrix split one against the rest.
fn label_figures(
    labels: &[&str],
    gold: &Array1<usize>,
    predicted: &Array1<usize>,
) -> Vec<LabelFigures> {
    let matrix = predicted.confusion_matrix(gold).ok();
    // linfa knows the labels that occur, in ascending order: all of them, and a single one is no matrix to split.
    let split = matrix
        .map(|m| {
            if labels.len() > 1 {
                m.split_one_vs_all()
            } else {
                Vec::new()
            }
        })
        .unwrap_or_default();
    labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let finite = |x: f32| if x.is_finite() { f64::from(x) } else { 0.0 };
            // linfa 0.8.1 puts two labels in descending order, and calls precision what is recall and the other way round.
            let place = if labels.len() == 2 { 1 - index } else { index };
            let (precision, recall) = split
                .get(place)
                .map_or((1.0, 1.0), |m| (finite(m.recall()), finite(m.precision())));
            let sum = precision + recall;
            LabelFigures {
                label: (*label).to_owned(),
                count: gold.iter().filter(|g| **g == index).count(),
                precision,
                recall,
                f1: if sum > 0.0 {
                    2.0 * precision * recall / sum
                } else {
                    0.0
                },
            }
        })
        .collect()
}

fn expected_calibration_error(scoped: &[(&Outcome, &String)]) -> f64 {
    const BINS: usize = 10;
    let mut bins = [(0usize, 0usize, 0f64); BINS];
    for (outcome, gold) in scoped {
        let bin = ((outcome.confidence * BINS as f64) as usize).min(BINS - 1);
        bins[bin].0 += 1;
        bins[bin].1 += usize::from(outcome.predicted == **gold);
        bins[bin].2 += outcome.confidence;
    }
    bins.iter()
        .map(|(_, right, confidence)| (*right as f64 - confidence).abs())
        .sum::<f64>()
        / scoped.len().max(1) as f64
}

/// The share of out-of-scope texts below the score that keeps `kept` of the in-scope ones.
fn refused_at(outcomes: &[Outcome], kept: f64) -> Option<f64> {
    let threshold = threshold(
        outcomes
            .iter()
            .filter(|o| o.gold.is_some())
            .map(|o| o.score),
        kept,
    )?;
    let out: Vec<&Outcome> = outcomes.iter().filter(|o| o.gold.is_none()).collect();
    if out.is_empty() {
        return None;
    }
    Some(share(
        out.iter().filter(|o| o.score < threshold).count(),
        out.len(),
    ))
}

/// The greatest threshold that at least `kept` of the scores reach.
pub fn threshold(scores: impl Iterator<Item = f64>, kept: f64) -> Option<f64> {
    let mut scores: Vec<f64> = scores.collect();
    scores.sort_by(f64::total_cmp);
    let lost = ((1.0 - kept) * scores.len() as f64).floor() as usize;
    scores
        .get(lost.min(scores.len().saturating_sub(1)))
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(gold: Option<&str>, predicted: &str, confidence: f64) -> Outcome {
        Outcome {
            gold: gold.map(str::to_owned),
            predicted: predicted.to_owned(),
            confidence,
            score: confidence,
        }
    }

    #[test]
    fn figures_of_a_small_set_are_as_counted_by_hand() {
        let outcomes = [
            outcome(Some("a"), "a", 0.9),
            outcome(Some("a"), "b", 0.6),
            outcome(Some("b"), "b", 0.8),
            outcome(Some("c"), "c", 0.7),
            outcome(None, "c", 0.5),
            outcome(None, "a", 0.95),
        ];
        let report = report(&outcomes);
        assert_eq!(report.accuracy, 0.75);
        let a = &report.per_label[0];
        assert_eq!((a.label.as_str(), a.precision, a.recall), ("a", 1.0, 0.5));
        let b = &report.per_label[1];
        assert_eq!((b.precision, b.recall), (0.5, 1.0));
        assert!((report.macro_f1 - (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-6);
        assert_eq!(report.confusion, [("a".to_owned(), "b".to_owned(), 1)]);
        assert!((report.ece - (0.1 + 0.6 + 0.2 + 0.3) / 4.0).abs() < 1e-9);
        assert_eq!(report.oos_recall_at_95, Some(0.5));
    }

    #[test]
    fn a_set_of_one_label_or_none_is_reported() {
        assert_eq!(report(&[outcome(Some("a"), "a", 1.0)]).accuracy, 1.0);
        assert_eq!(report(&[]).count, 0);
    }
}
