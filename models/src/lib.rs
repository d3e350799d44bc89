//! Understanding for Yingda: text in, what it says out, in microseconds, deterministic.

pub mod classifier;
pub mod emotion;
pub mod entity;
pub mod error;
pub mod evaluate;
pub mod faq;
pub mod features;
pub mod labels;
pub mod linear;
pub mod mask;
pub mod model_file;
pub mod pinyin;
pub mod text;
pub mod tokens;
pub mod train;
pub mod understander;
pub mod understanding;

pub use error::{FaqError, ModelError, TrainError};
pub use faq::{FaqDocument, FaqHit, FaqIndex};
pub use mask::mask;
pub use understander::Understander;
pub use understanding::{
    EmotionLabel, EmotionReading, Entity, EntityKind, Intent, ScoredLabel, Understanding,
};
