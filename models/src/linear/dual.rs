//! A linear support vector machine with squared hinge by dual coordinate descent (Hsieh et al., A Dual Coordinate
//! Descent Method for Large-scale Linear SVM, 2008, algorithm 1 with shrinking).

use rand08::SeedableRng;
use rand08::rngs::StdRng;
use rand08::seq::SliceRandom;

use super::SparseRecords;

/// One class against the rest.
pub(super) struct Problem<'a> {
    pub records: &'a SparseRecords,
    /// +1 or −1 a record.
    pub signs: Vec<f32>,
    /// Cost of a record's error.
    pub costs: Vec<f32>,
    pub epochs: usize,
    /// Spread of the projected gradients at which the optimum counts as reached.
    pub tolerance: f32,
    pub seed: u64,
}

impl Problem<'_> {
    /// Weights of the columns and the bias.
    pub(super) fn solve(&self) -> (Vec<f32>, f32) {
        let n = self.signs.len();
        let mut weights = vec![0f32; self.records.width];
        let mut bias = 0f32;
        let mut alphas = vec![0f32; n];
        let squares: Vec<f32> = (0..n)
            .map(|row| 1.0 + self.records.row(row).1.iter().map(|v| v * v).sum::<f32>())
            .collect();
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut active: Vec<usize> = (0..n).collect();
        let mut bound = f32::INFINITY;
        for _ in 0..self.epochs {
            active.shuffle(&mut random);
            let (mut highest, mut lowest) = (f32::MIN, f32::MAX);
            let mut kept = Vec::with_capacity(active.len());
            for &row in &active {
                let (columns, values) = self.records.row(row);
                let sign = self.signs[row];
                let mut score = bias;
                for (&column, &value) in columns.iter().zip(values) {
                    score += weights[column as usize] * value;
                }
                let ridge = 0.5 / self.costs[row];
                let gradient = sign * score - 1.0 + ridge * alphas[row];
                if alphas[row] == 0.0 && gradient > bound {
                    continue;
                }
                kept.push(row);
                let projected = if alphas[row] == 0.0 {
                    gradient.min(0.0)
                } else {
                    gradient
                };
                highest = highest.max(projected);
                lowest = lowest.min(projected);
                if projected.abs() > 1e-7 {
                    let old = alphas[row];
                    alphas[row] = (old - gradient / (squares[row] + ridge)).max(0.0);
                    let step = (alphas[row] - old) * sign;
                    bias += step;
                    for (&column, &value) in columns.iter().zip(values) {
                        weights[column as usize] += step * value;
                    }
                }
            }
            let whole = kept.len() == n;
            active = kept;
            if highest - lowest <= self.tolerance {
                if whole {
                    break;
                }
                // What was set aside is looked at once more.
                active = (0..n).collect();
                bound = f32::INFINITY;
            } else {
                bound = if highest > 0.0 {
                    highest
                } else {
                    f32::INFINITY
                };
            }
        }
        (weights, bias)
    }
}
