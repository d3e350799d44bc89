//! Linear classifiers over sparse records, behind linfa's traits: linfa's own take dense arrays only.

mod dual;
mod lbfgs;
mod model;

pub use lbfgs::minimize;
pub use model::{LinearModel, LinearParams, Loss, best};

use linfa::dataset::Records;

/// Sparse records in compressed rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseRecords {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

impl SparseRecords {
    /// No rows yet, `width` columns.
    pub fn new(width: usize) -> SparseRecords {
        SparseRecords {
            starts: vec![0],
            width,
            ..SparseRecords::default()
        }
    }

    /// Adds a row of `(column, value)`; columns at or beyond the width are dropped.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            if (column as usize) < self.width {
                self.columns.push(column);
                self.values.push(value);
            }
        }
        self.starts.push(self.columns.len());
    }

    pub fn row(&self, index: usize) -> (&[u32], &[f32]) {
        let range = self.starts[index]..self.starts[index + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The rows of `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> SparseRecords {
        let mut out = SparseRecords::new(self.width);
        for &index in indices {
            let (columns, values) = self.row(index);
            out.push(columns.iter().copied().zip(values.iter().copied()));
        }
        out
    }
}

impl Records for SparseRecords {
    type Elem = f32;

    fn nsamples(&self) -> usize {
        self.starts.len() - 1
    }

    fn nfeatures(&self) -> usize {
        self.width
    }
}
