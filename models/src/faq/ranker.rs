//! The order of the candidates: each entry's own weights over the features of its wordings.

use super::candidates::Candidates;
use super::{RANKED, Wording};
use crate::features::Vocabulary;

/// A sparse vector, columns ascending.
pub(crate) type Sparse = Vec<(u32, f32)>;

pub(crate) struct Ranker {
    vocabulary: Vocabulary,
    /// The mean of each entry's wordings, of length one.
    entries: Vec<Sparse>,
    /// Each entry's wordings.
    wordings: Vec<Vec<Sparse>>,
    terms: Vec<Vec<String>>,
}

impl Ranker {
    pub(crate) fn learn(entries: &[Vec<Wording>]) -> Ranker {
        let vocabulary = Vocabulary::learn(entries.iter().flatten().map(|w| &w.features), 1);
        let wordings: Vec<Vec<Sparse>> = entries
            .iter()
            .map(|wordings| {
                wordings
                    .iter()
                    .map(|w| sorted(vocabulary.row(&w.features)))
                    .collect()
            })
            .collect();
        let means = wordings
            .iter()
            .map(|wordings| mean(wordings.iter()))
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
        Ranker {
            vocabulary,
            entries: means,
            wordings,
            terms,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn vector(&self, wording: &Wording) -> Sparse {
        sorted(self.vocabulary.row(&wording.features))
    }

    /// Likeness of a query to an entry, 0–1. `without` leaves one of its wordings out, to see how the others do alone.
    pub(crate) fn likeness(&self, query: &Sparse, entry: usize, without: Option<usize>) -> f32 {
        match without {
            None => dot(query, &self.entries[entry]),
            Some(left_out) => {
                let rest = self.wordings[entry]
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| *i != left_out)
                    .map(|(_, w)| w);
                dot(query, &mean(rest))
            }
        }
    }

    /// The cosine to the entry's nearest wording.
    pub(crate) fn nearest(&self, query: &Sparse, entry: usize, without: Option<usize>) -> f32 {
        self.wordings[entry]
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != without)
            .map(|(_, wording)| dot(query, wording))
            .fold(0.0, f32::max)
    }

    pub(crate) fn related(&self, index: usize, k: usize, candidates: &Candidates) -> Vec<usize> {
        let Some(vector) = self.entries.get(index) else {
            return Vec::new();
        };
        let wording = Wording {
            terms: self.terms[index].clone(),
            features: Vec::new(),
            length: 0,
        };
        let mut found: Vec<(usize, f32)> = candidates
            .find(&wording, RANKED + k)
            .into_iter()
            .filter(|(entry, _)| *entry != index)
            .map(|(entry, _)| (entry, dot(vector, &self.entries[entry])))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.into_iter().take(k).map(|(entry, _)| entry).collect()
    }
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

pub(crate) fn dot(a: &Sparse, b: &Sparse) -> f32 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some((ca, va)), Some((cb, vb))) = (a.get(i), b.get(j)) {
        match ca.cmp(cb) {
            std::cmp::Ordering::Equal => {
                sum += va * vb;
                i += 1;
                j += 1;
            }
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
        }
    }
    sum
}
