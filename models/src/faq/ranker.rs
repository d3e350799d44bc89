//! The order of the entries for a query: each entry's own linear weights, learnt against the other entries' wordings; for
//! bases too large to learn at load, the likeness to the mean of the entry's wordings.

use linfa::dataset::DatasetBase;
use linfa::traits::Fit;
use ndarray::Array1;

use super::candidates::Candidates;
use super::{RANKED, Wording};
use crate::features::Vocabulary;
use crate::linear::{LinearModel, LinearParams, Loss, SparseRecords};

/// A sparse vector, columns ascending.
pub(crate) type Sparse = Vec<(u32, f32)>;

/// The base as vectors.
pub(crate) struct Base {
    vocabulary: Vocabulary,
    wordings: Vec<Vec<Sparse>>,
    terms: Vec<Vec<String>>,
}

/// Which wordings to learn from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// All but each fourth, which is kept to ask for.
    WithoutFourths,
}

impl Part {
    pub(crate) fn holds(self, wording: usize) -> bool {
        self == Part::Whole || wording % 4 != 3
    }
}

pub(crate) enum Ranker {
    /// Weights of every entry, scored all at once.
    Learnt(LinearModel),
    /// The mean of each entry's wordings, of length one; candidates only are scored.
    Means(Vec<Sparse>),
}

/// Weights a learnt ranker may have: 8 million are 32 MB.
const MOST_WEIGHTS: usize = 8_000_000;
/// Wordings times entries beyond which learning takes more than a second.
const MOST_LESSONS: usize = 1_200_000;
/// Columns of a mean that are kept: the heaviest.
const MEAN_WIDTH: usize = 400;

impl Base {
    pub(crate) fn new(entries: &[Vec<Wording>]) -> Base {
        let vocabulary = Vocabulary::learn(entries.iter().flatten().map(|w| &w.features), 1);
        let wordings = entries
            .iter()
            .map(|wordings| {
                wordings
                    .iter()
                    .map(|w| sorted(vocabulary.row(&w.features)))
                    .collect()
            })
            .collect();
        let terms = entries
            .iter()
            .map(|wordings| {
                wordings
                    .iter()
                    .flat_map(|w| w.terms.iter().cloned())
                    .collect()
            })
            .collect();
        Base {
            vocabulary,
            wordings,
            terms,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.wordings.len()
    }

    pub(crate) fn vector(&self, wording: &Wording) -> Sparse {
        sorted(self.vocabulary.row(&wording.features))
    }

    /// A query spread over all columns, for many products with it.
    pub(crate) fn spread(&self, query: &Sparse) -> Vec<f32> {
        let mut out = vec![0.0; self.vocabulary.len()];
        for (column, value) in query {
            out[*column as usize] = *value;
        }
        out
    }

    /// The cosine to the nearest of an entry's wordings that `part` holds.
    pub(crate) fn nearest(&self, query: &[f32], entry: usize, part: Part) -> f32 {
        self.wordings[entry]
            .iter()
            .enumerate()
            .filter(|(index, _)| part.holds(*index))
            .map(|(_, wording)| product(query, wording))
            .fold(0.0, f32::max)
    }

    /// The `k` entries nearest to an entry by the means of their wordings.
    pub(crate) fn related(&self, index: usize, k: usize, candidates: &Candidates) -> Vec<usize> {
        let Some(terms) = self.terms.get(index) else {
            return Vec::new();
        };
        let query = self.spread(&mean(self.wordings[index].iter()));
        let wording = Wording {
            terms: terms.clone(),
            features: Vec::new(),
            length: 0,
        };
        let mut found: Vec<(usize, f32)> = candidates
            .find(&wording, RANKED + k)
            .into_iter()
            .filter(|(entry, _)| *entry != index)
            .map(|(entry, _)| (entry, product(&query, &mean(self.wordings[entry].iter()))))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.into_iter().take(k).map(|(entry, _)| entry).collect()
    }
}

impl Ranker {
    pub(crate) fn learn(base: &Base, part: Part) -> Ranker {
        let entries = base.len();
        let wordings: usize = base.wordings.iter().map(Vec::len).sum();
        let small = entries > 1
            && entries * base.vocabulary.len() <= MOST_WEIGHTS
            && entries * wordings <= MOST_LESSONS;
        small
            .then(|| separate(base, part).ok())
            .flatten()
            .map_or_else(|| means(base, part), Ranker::Learnt)
    }

    /// Entries with their scores, in no order: every entry where weights are learnt, else those of `candidates`.
    pub(crate) fn scores(
        &self,
        query: &Sparse,
        spread: &[f32],
        candidates: impl FnOnce() -> Vec<(usize, f32)>,
    ) -> Vec<(usize, f32)> {
        match self {
            // A query that shares nothing with the base is like none of its entries.
            Ranker::Learnt(_) if query.is_empty() => Vec::new(),
            Ranker::Learnt(model) => {
                let (columns, values): (Vec<u32>, Vec<f32>) = query.iter().copied().unzip();
                model
                    .scores(&columns, &values)
                    .into_iter()
                    .enumerate()
                    .collect()
            }
            Ranker::Means(means) => candidates()
                .into_iter()
                .map(|(entry, _)| (entry, product(spread, &means[entry])))
                .collect(),
        }
    }
}

fn separate(base: &Base, part: Part) -> Result<LinearModel, linfa::Error> {
    let mut records = SparseRecords::new(base.vocabulary.len());
    let mut targets = Vec::new();
    for (entry, wordings) in base.wordings.iter().enumerate() {
        for (_, wording) in wordings
            .iter()
            .enumerate()
            .filter(|(index, _)| part.holds(*index))
        {
            records.push(wording.iter().copied());
            targets.push(Some(entry));
        }
    }
    let params = LinearParams {
        loss: Loss::SquaredHinge,
        // A cost of 2 a record.
        l2: 0.5 / targets.len().max(1) as f64,
        iterations: 8,
        tolerance: 0.3,
        background: 1.0,
    };
    params.fit(&DatasetBase::new(records, Array1::from(targets)))
}

fn means(base: &Base, part: Part) -> Ranker {
    let mean_of = |wordings: &Vec<Sparse>| {
        let held = wordings
            .iter()
            .enumerate()
            .filter(|(index, _)| part.holds(*index));
        let mut mean = mean(held.map(|(_, wording)| wording));
        if mean.len() > MEAN_WIDTH {
            mean.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            mean.truncate(MEAN_WIDTH);
            mean.sort_by_key(|(column, _)| *column);
        }
        mean
    };
    Ranker::Means(base.wordings.iter().map(mean_of).collect())
}

fn sorted(mut row: Sparse) -> Sparse {
    row.sort_unstable_by_key(|(column, _)| *column);
    row
}

fn mean<'a>(vectors: impl Iterator<Item = &'a Sparse>) -> Sparse {
    let mut all: Sparse = vectors.flatten().copied().collect();
    all.sort_by_key(|(column, _)| *column);
    let mut out: Sparse = Vec::with_capacity(all.len());
    for (column, value) in all {
        match out.last_mut() {
            Some((last, sum)) if *last == column => *sum += value,
            _ => out.push((column, value)),
        }
    }
    let norm = out.iter().map(|(_, v)| v * v).sum::<f32>().sqrt();
    if norm > 0.0 {
        out.iter_mut().for_each(|(_, v)| *v /= norm);
    }
    out
}

fn product(spread: &[f32], vector: &Sparse) -> f32 {
    vector
        .iter()
        .map(|(column, value)| spread[*column as usize] * value)
        .sum()
}
