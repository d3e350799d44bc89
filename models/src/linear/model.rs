//! A linear classifier: multinomial logistic regression, or support vector machines one against the rest.

use linfa::dataset::{DatasetBase, Records};
use linfa::traits::{Fit, PredictInplace};
use ndarray::Array1;

use super::lbfgs::minimize;
use super::{SparseRecords, dual};

/// What a wrong score costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Multinomial logistic regression. A record of no class is asked to score evenly.
    Softmax,
    /// One linear support vector machine a class against all else, squared hinge.
    SquaredHinge,
}

/// How to learn; fit on records and their classes (`None`: of no class).
#[derive(Debug, Clone, PartialEq)]
pub struct LinearParams {
    pub loss: Loss,
    /// Strength of the ridge, on the mean loss: 1 / (C · samples) in the terms of liblinear.
    pub l2: f64,
    pub iterations: usize,
    /// Gradient norm, relative to the first, at which the optimum counts as reached.
    pub tolerance: f64,
    /// Weight of a record of no class.
    pub background: f32,
}

impl Default for LinearParams {
    fn default() -> Self {
        LinearParams {
            loss: Loss::Softmax,
            l2: 1e-5,
            iterations: 80,
            tolerance: 1e-3,
            background: 1.0,
        }
    }
}

/// Learnt weights: `weights[column * classes + class]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    pub classes: usize,
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

impl LinearModel {
    /// One score a class for a sparse row.
    pub fn scores(&self, columns: &[u32], values: &[f32]) -> Vec<f32> {
        let mut scores = self.bias.clone();
        accumulate(&self.weights, self.classes, columns, values, &mut scores);
        scores
    }
}

fn accumulate(
    weights: &[f32],
    classes: usize,
    columns: &[u32],
    values: &[f32],
    scores: &mut [f32],
) {
    for (&column, &value) in columns.iter().zip(values) {
        let row = &weights[column as usize * classes..][..classes];
        for (score, weight) in scores.iter_mut().zip(row) {
            *score += value * weight;
        }
    }
}

impl Fit<SparseRecords, Array1<Option<usize>>, linfa::Error> for LinearParams {
    type Object = LinearModel;

    fn fit(
        &self,
        dataset: &DatasetBase<SparseRecords, Array1<Option<usize>>>,
    ) -> Result<LinearModel, linfa::Error> {
        let records = dataset.records();
        let targets = dataset.targets();
        if records.nsamples() == 0 || records.nsamples() != targets.len() {
            return Err(linfa::Error::NotEnoughSamples);
        }
        let classes = targets.iter().flatten().max().map_or(0, |last| last + 1);
        Ok(match self.loss {
            Loss::Softmax => self.descend(records, targets, classes),
            Loss::SquaredHinge => self.separate(records, targets, classes),
        })
    }
}

impl LinearParams {
    /// One support vector machine a class.
    fn separate(
        &self,
        records: &SparseRecords,
        targets: &Array1<Option<usize>>,
        classes: usize,
    ) -> LinearModel {
        let width = records.nfeatures();
        let cost = 1.0 / (self.l2 * records.nsamples() as f64) as f32;
        let solve = |class: usize| {
            dual::Problem {
                records,
                signs: targets
                    .iter()
                    .map(|t| if *t == Some(class) { 1.0 } else { -1.0 })
                    .collect(),
                costs: targets.iter().map(|t| cost * self.weight(*t)).collect(),
                epochs: self.iterations,
                tolerance: self.tolerance as f32,
                seed: class as u64,
            }
            .solve()
        };
        let mut weights = vec![0f32; width * classes];
        let mut bias = vec![0f32; classes];
        for (class, (column, offset)) in in_threads(classes, solve) {
            bias[class] = offset;
            for (feature, weight) in column.into_iter().enumerate() {
                weights[feature * classes + class] = weight;
            }
        }
        LinearModel {
            classes,
            weights,
            bias,
        }
    }

    fn descend(
        &self,
        records: &SparseRecords,
        targets: &Array1<Option<usize>>,
        classes: usize,
    ) -> LinearModel {
        let width = records.nfeatures();
        let mut x = vec![0f32; (width + 1) * classes];
        let total: f64 = targets.iter().map(|t| f64::from(self.weight(*t))).sum();
        let mut scores = vec![0f32; classes];
        let mut slopes = vec![0f32; classes];
        minimize(&mut x, self.iterations, self.tolerance, |x, gradient| {
            let (weights, bias) = x.split_at(width * classes);
            let mut penalty = 0.0;
            for (chunk, g) in weights.chunks(4096).zip(gradient.chunks_mut(4096)) {
                let mut squares = 0f32;
                for (w, g) in chunk.iter().zip(g) {
                    squares += w * w;
                    *g = self.l2 as f32 * w;
                }
                penalty += f64::from(squares);
            }
            gradient[width * classes..].fill(0.0);
            let mut loss = 0.0;
            for (index, target) in targets.iter().enumerate() {
                let (columns, values) = records.row(index);
                scores.copy_from_slice(bias);
                accumulate(weights, classes, columns, values, &mut scores);
                let weight = self.weight(*target);
                loss += f64::from(weight) * f64::from(slope(&scores, *target, &mut slopes));
                let scale = weight / total as f32;
                slopes.iter_mut().for_each(|s| *s *= scale);
                for (&column, &value) in columns.iter().zip(values) {
                    let row = &mut gradient[column as usize * classes..][..classes];
                    for (g, slope) in row.iter_mut().zip(&slopes) {
                        *g += value * slope;
                    }
                }
                for (g, slope) in gradient[width * classes..].iter_mut().zip(&slopes) {
                    *g += slope;
                }
            }
            loss / total + 0.5 * self.l2 * penalty
        });
        let bias = x.split_off(width * classes);
        LinearModel {
            classes,
            weights: x,
            bias,
        }
    }

    fn weight(&self, target: Option<usize>) -> f32 {
        if target.is_some() {
            1.0
        } else {
            self.background
        }
    }
}

/// `solve` for each number below `count`, on as many threads as there are cores; the results do not depend on how many.
fn in_threads<T: Send>(count: usize, solve: impl Fn(usize) -> T + Sync) -> Vec<(usize, T)> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(count);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let solve = &solve;
                scope.spawn(move || {
                    (thread..count)
                        .step_by(threads)
                        .map(|n| (n, solve(n)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        // A thread that dies of a defect leaves its classes without weights; the tests would see that.
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    })
}

/// The log loss of one record's scores; writes its slope by each score.
fn slope(scores: &[f32], target: Option<usize>, slopes: &mut [f32]) -> f32 {
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for (slope, score) in slopes.iter_mut().zip(scores) {
        *slope = (score - top).exp();
        sum += *slope;
    }
    slopes.iter_mut().for_each(|s| *s /= sum);
    match target {
        Some(class) => {
            slopes[class] -= 1.0;
            sum.ln() + top - scores[class]
        }
        None => {
            let even = 1.0 / scores.len() as f32;
            slopes.iter_mut().for_each(|s| *s -= even);
            sum.ln() + top - scores.iter().sum::<f32>() * even
        }
    }
}

impl PredictInplace<SparseRecords, Array1<usize>> for LinearModel {
    fn predict_inplace<'a>(&'a self, records: &'a SparseRecords, classes: &mut Array1<usize>) {
        for (index, class) in classes.iter_mut().enumerate() {
            let (columns, values) = records.row(index);
            *class = best(&self.scores(columns, values));
        }
    }

    fn default_target(&self, records: &SparseRecords) -> Array1<usize> {
        Array1::zeros(records.nsamples())
    }
}

/// The index of the greatest score, the first of equals.
pub fn best(scores: &[f32]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use linfa::traits::Predict;

    fn toy() -> DatasetBase<SparseRecords, Array1<Option<usize>>> {
        let mut records = SparseRecords::new(4);
        let mut targets = Vec::new();
        for index in 0..60usize {
            let class = index % 3;
            let noise = (index * 7919 % 13) as f32 / 50.0;
            records.push([(class as u32, 1.0), (3, noise)]);
            targets.push(Some(class));
        }
        DatasetBase::new(records, Array1::from(targets))
    }

    #[test]
    fn each_loss_separates_what_is_separable() {
        for loss in [Loss::Softmax, Loss::SquaredHinge] {
            let data = toy();
            let model = LinearParams {
                loss,
                ..LinearParams::default()
            }
            .fit(&data)
            .unwrap();
            let predicted: Array1<usize> = model.predict_inplace_all(data.records());
            assert!(
                predicted
                    .iter()
                    .zip(data.targets())
                    .all(|(p, t)| Some(*p) == *t),
                "{loss:?}"
            );
        }
    }

    #[test]
    fn learning_twice_gives_the_same_bits() {
        let params = LinearParams::default();
        assert_eq!(params.fit(&toy()).unwrap(), params.fit(&toy()).unwrap());
    }

    #[test]
    fn nothing_to_learn_from_is_an_error() {
        let empty = DatasetBase::new(
            SparseRecords::new(2),
            Array1::from(Vec::<Option<usize>>::new()),
        );
        assert!(LinearParams::default().fit(&empty).is_err());
    }

    impl LinearModel {
        fn predict_inplace_all(&self, records: &SparseRecords) -> Array1<usize> {
            let mut classes = self.default_target(records);
            self.predict_inplace(records, &mut classes);
            classes
        }
    }

    #[test]
    fn linfa_predicts_through_its_own_trait() {
        let data = toy();
        let model = LinearParams::default().fit(&data).unwrap();
        let predicted: Array1<usize> = model.predict(&data);
        assert_eq!(predicted.len(), 60);
    }
}
