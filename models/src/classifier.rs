//! A packed linear classifier at work.

use crate::features::{Features, Vocabulary};
use crate::linear::LinearModel;
use crate::model_file::{IDF_STEP, Packed};

/// Labels, vocabulary, eight-bit weights.
pub struct Classifier {
    labels: Vec<String>,
    vocabulary: Vocabulary,
    /// `weights[feature * padded + label]`.
    weights: Vec<i8>,
    /// Labels, rounded up to whole lanes.
    padded: usize,
    scales: Vec<f32>,
    bias: Vec<f32>,
    sharpness: f32,
}

/// Weights that are multiplied at once.
const LANES: usize = 16;

impl Classifier {
    pub(crate) fn unpack(packed: Packed) -> Classifier {
        let mut last = 0u32;
        let hashes = packed
            .hashes
            .iter()
            .map(|step| {
                last = last.wrapping_add(*step);
                last
            })
            .collect();
        let idf = packed
            .idf
            .iter()
            .map(|steps| f32::from(*steps) * IDF_STEP)
            .collect();
        let labels = packed.labels.len();
        let padded = labels.next_multiple_of(LANES);
        let mut weights = vec![0i8; packed.hashes.len() * padded];
        for (to, from) in weights
            .chunks_exact_mut(padded)
            .zip(packed.weights.chunks_exact(labels))
        {
            to[..labels].copy_from_slice(from);
        }
        Classifier {
            padded,
            labels: packed.labels,
            vocabulary: Vocabulary::from_parts(hashes, idf),
            weights,
            scales: packed.scales,
            bias: packed.bias,
            sharpness: packed.sharpness,
        }
    }

    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// One raw score a label.
    pub fn scores(&self, features: &Features) -> Vec<f32> {
        let labels = self.labels.len();
        let mut sums = vec![0f32; self.padded];
        for (column, value) in self.vocabulary.row(features) {
            let row = &self.weights[column as usize * self.padded..][..self.padded];
            for (sums, weights) in sums.chunks_exact_mut(LANES).zip(row.chunks_exact(LANES)) {
                for lane in 0..LANES {
                    sums[lane] += value * f32::from(weights[lane]);
                }
            }
        }
        sums.truncate(labels);
        for ((score, scale), bias) in sums.iter_mut().zip(&self.scales).zip(&self.bias) {
            *score = *score * scale + bias;
        }
        sums
    }

    /// Calibrated probabilities of raw scores.
    pub fn probabilities(&self, scores: &[f32]) -> Vec<f32> {
        softmax(scores, self.sharpness)
    }
}

/// The softmax of `scores · sharpness`.
pub(crate) fn softmax(scores: &[f32], sharpness: f32) -> Vec<f32> {
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut out: Vec<f32> = scores
        .iter()
        .map(|s| ((s - top) * sharpness).exp())
        .collect();
    let sum: f32 = out.iter().sum();
    out.iter_mut().for_each(|p| *p /= sum);
    out
}

/// Packs a learnt model: eight bits a weight with a scale a label.
pub(crate) fn pack(
    labels: Vec<String>,
    vocabulary: &Vocabulary,
    model: &LinearModel,
    sharpness: f32,
) -> Packed {
    let classes = model.classes;
    let mut scales = vec![0f32; classes];
    for row in model.weights.chunks_exact(classes) {
        for (scale, weight) in scales.iter_mut().zip(row) {
            *scale = scale.max(weight.abs() / 127.0);
        }
    }
    scales
        .iter_mut()
        .filter(|s| **s == 0.0)
        .for_each(|s| *s = 1.0);
    let mut last = 0;
    let hashes = vocabulary
        .hashes()
        .iter()
        .map(|hash| {
            let step = hash.wrapping_sub(last);
            last = *hash;
            step
        })
        .collect();
    let weights = model
        .weights
        .chunks_exact(classes)
        .flat_map(|row| {
            row.iter()
                .zip(&scales)
                .map(|(weight, scale)| (weight / scale).round() as i8)
        })
        .collect();
    Packed {
        labels,
        hashes,
        idf: vocabulary
            .idf()
            .iter()
            .map(|idf| (idf / IDF_STEP).round().clamp(0.0, 255.0) as u8)
            .collect(),
        weights,
        scales,
        bias: model.bias.clone(),
        sharpness,
    }
}
