//! The order of the entries for a query: each entry's own linear weights, learnt against the other entries' wordings; for
//! bases too large to learn at load, the likeness to the mean of the entry's wordings.

use std::cell::RefCell;

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
    /// The terms of each entry's question, joined by spaces.
    terms: Vec<String>,
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
    /// The mean of each entry's wordings, of length one, by column: every entry is scored.
    Means(Postings),
    /// The lengths of the sums of each entry's wordings: candidates only are scored, from their wordings.
    Sums(Vec<f32>),
}

/// For each column the entries whose mean holds it, with its weight there.
pub(crate) struct Postings {
    starts: Vec<u32>,
    held: Vec<(u32, f32)>,
    entries: usize,
}

/// Weights a learnt ranker may have: 16 million are 64 MB.
const MOST_WEIGHTS: usize = 16_000_000;
/// Wordings times entries beyond which learning takes more than a second.
const MOST_LESSONS: usize = 1_200_000;
/// Entries beyond which candidates only are scored.
const MOST_MEANS: usize = 5_000;
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
                    .first()
                    .map_or_else(String::new, |w| w.terms.join(" "))
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

    /// Runs `run` with the query spread over all columns, for many products with it. The columns are the thread's own and
    /// are cleared after use, so that no query pays for all of them.
    pub(crate) fn with_spread<T>(&self, query: &Sparse, run: impl FnOnce(&[f32]) -> T) -> T {
        thread_local! {
            static COLUMNS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
        }
        COLUMNS.with_borrow_mut(|columns| {
            if columns.len() < self.vocabulary.len() {
                columns.resize(self.vocabulary.len(), 0.0);
            }
            for (column, value) in query {
                columns[*column as usize] = *value;
            }
            let result = run(columns);
            for (column, _) in query {
                columns[*column as usize] = 0.0;
            }
            result
        })
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
        let wording = Wording {
            terms: terms.split(' ').map(str::to_owned).collect(),
            features: Vec::new(),
            length: 0,
        };
        let mut found: Vec<(usize, f32)> =
            self.with_spread(&mean(self.wordings[index].iter()), |query| {
                candidates
                    .find(&wording, RANKED + k)
                    .into_iter()
                    .filter(|(entry, _)| *entry != index)
                    .map(|(entry, _)| (entry, product(query, &mean(self.wordings[entry].iter()))))
                    .collect()
            });
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
        if small && let Ok(model) = separate(base, part) {
            return Ranker::Learnt(model);
        }
        if entries <= MOST_MEANS {
            return Ranker::Means(means(base, part));
        }
        let length = |wordings: &Vec<Sparse>| length(&sum(held(wordings, part)));
        Ranker::Sums(base.wordings.iter().map(length).collect())
    }

    /// Entries with their scores, in no order: every entry, or in a large base those of `candidates`.
    pub(crate) fn scores(
        &self,
        base: &Base,
        part: Part,
        query: &Sparse,
        spread: &[f32],
        candidates: impl FnOnce() -> Vec<(usize, f32)>,
    ) -> Vec<(usize, f32)> {
        // A query that shares nothing with the base is like none of its entries.
        if query.is_empty() {
            return Vec::new();
        }
        match self {
            Ranker::Learnt(model) => {
                let (columns, values): (Vec<u32>, Vec<f32>) = query.iter().copied().unzip();
                model
                    .scores(&columns, &values)
                    .into_iter()
                    .enumerate()
                    .collect()
            }
            Ranker::Means(postings) => postings.scores(query),
            Ranker::Sums(lengths) => candidates()
                .into_iter()
                .map(|(entry, _)| {
                    let products: f32 = held(&base.wordings[entry], part)
                        .map(|w| product(spread, w))
                        .sum();
                    (entry, products / lengths[entry].max(f32::MIN_POSITIVE))
                })
                .collect(),
        }
    }
}

impl Postings {
    fn scores(&self, query: &Sparse) -> Vec<(usize, f32)> {
        let mut scores = vec![0f32; self.entries];
        for (column, value) in query {
            let column = *column as usize;
            for (entry, weight) in
                &self.held[self.starts[column] as usize..self.starts[column + 1] as usize]
            {
                scores[*entry as usize] += value * weight;
            }
        }
        scores
            .into_iter()
            .enumerate()
            .filter(|(_, score)| *score > 0.0)
            .collect()
    }
}

/// The wordings of an entry that `part` holds.
fn held(wordings: &[Sparse], part: Part) -> impl Iterator<Item = &Sparse> {
    wordings
        .iter()
        .enumerate()
        .filter(move |(index, _)| part.holds(*index))
        .map(|(_, wording)| wording)
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
        iterations: 5,
        tolerance: 0.3,
        background: 1.0,
    };
    params.fit(&DatasetBase::new(records, Array1::from(targets)))
}

fn means(base: &Base, part: Part) -> Postings {
    let means: Vec<Sparse> = base
        .wordings
        .iter()
        .map(|wordings| {
            let mut mean = mean(held(wordings, part));
            if mean.len() > MEAN_WIDTH {
                mean.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                mean.truncate(MEAN_WIDTH);
            }
            mean
        })
        .collect();
    let mut counts = vec![0usize; base.vocabulary.len()];
    for (column, _) in means.iter().flatten() {
        counts[*column as usize] += 1;
    }
    // What a tenth of all entries say tells none from another, and costs most.
    let common = (means.len() / 10).max(50);
    let means: Vec<Sparse> = means
        .into_iter()
        .map(|mean| {
            mean.into_iter()
                .filter(|(column, _)| counts[*column as usize] <= common)
                .collect()
        })
        .collect();
    let mut starts = vec![0u32; base.vocabulary.len() + 1];
    for (column, _) in means.iter().flatten() {
        starts[*column as usize + 1] += 1;
    }
    for column in 1..starts.len() {
        starts[column] += starts[column - 1];
    }
    let mut next = starts.clone();
    let mut postings = vec![(0u32, 0f32); means.iter().map(Vec::len).sum()];
    for (entry, mean) in means.iter().enumerate() {
        for (column, weight) in mean {
            let place = &mut next[*column as usize];
            postings[*place as usize] = (entry as u32, *weight);
            *place += 1;
        }
    }
    Postings {
        starts,
        held: postings,
        entries: means.len(),
    }
}

fn sorted(mut row: Sparse) -> Sparse {
    row.sort_unstable_by_key(|(column, _)| *column);
    row
}

fn sum<'a>(vectors: impl Iterator<Item = &'a Sparse>) -> Sparse {
    let mut all: Sparse = vectors.flatten().copied().collect();
    all.sort_by_key(|(column, _)| *column);
    let mut out: Sparse = Vec::with_capacity(all.len());
    for (column, value) in all {
        match out.last_mut() {
            Some((last, sum)) if *last == column => *sum += value,
            _ => out.push((column, value)),
        }
    }
    out
}

fn length(vector: &Sparse) -> f32 {
    vector.iter().map(|(_, v)| v * v).sum::<f32>().sqrt()
}

fn mean<'a>(vectors: impl Iterator<Item = &'a Sparse>) -> Sparse {
    let mut out = sum(vectors);
    let length = length(&out);
    if length > 0.0 {
        out.iter_mut().for_each(|(_, v)| *v /= length);
    }
    out
}

fn product(spread: &[f32], vector: &Sparse) -> f32 {
    vector
        .iter()
        .map(|(column, value)| spread[*column as usize] * value)
        .sum()
}
