//! How sure the best candidate is: a logistic function of likeness, gap and length.

use super::candidates::Candidates;
use super::ranker::Ranker;
use super::{FaqHit, RANKED, Wording};
use crate::understander::Understander;

pub(crate) struct Confidence {
    weights: [f64; EVIDENCE],
}

const EVIDENCE: usize = 5;

impl Confidence {
    pub(crate) fn learn(
        _: &Understander,
        _: &[Vec<Wording>],
        _: &Candidates,
        _: &Ranker,
    ) -> Confidence {
        Confidence {
            weights: [-4.2, 3.0, 7.5, 4.0, 0.15],
        }
    }

    pub(crate) fn judge(
        &self,
        wording: &Wording,
        candidates: &Candidates,
        ranker: &Ranker,
        limit: usize,
    ) -> Vec<FaqHit> {
        let query = ranker.vector(wording);
        let mut found: Vec<(usize, f32, f32)> = candidates
            .find(wording, RANKED)
            .into_iter()
            .map(|(entry, _)| (entry, ranker.likeness(&query, entry, None), 0.0))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(limit.max(2));
        for hit in &mut found {
            hit.2 = ranker.nearest(&query, hit.0, None);
        }
        let rank = |hit: &(usize, f32, f32)| hit.1 + hit.2;
        found.sort_by(|a, b| rank(b).total_cmp(&rank(a)).then(a.0.cmp(&b.0)));
        let mut hits = Vec::with_capacity(limit);
        let mut last = 1.0;
        for (place, hit) in found.iter().enumerate().take(limit) {
            let rival = if place == 0 {
                found.get(1)
            } else {
                found.first()
            };
            let gap = rank(hit) - rival.map_or(0.0, rank);
            let score = self
                .probability(hit.1, hit.2, gap, wording.length)
                .min(last);
            last = score;
            hits.push(FaqHit {
                index: hit.0,
                score,
            });
        }
        hits
    }

    fn probability(&self, likeness: f32, nearest: f32, gap: f32, length: usize) -> f64 {
        let evidence = [
            1.0,
            f64::from(likeness),
            f64::from(nearest),
            f64::from(gap),
            (length.min(12) as f64).ln_1p(),
        ];
        let logit: f64 = evidence.iter().zip(&self.weights).map(|(e, w)| e * w).sum();
        1.0 / (1.0 + (-logit).exp())
    }
}
