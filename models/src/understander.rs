//! The whole reading of a message: one model, one dictionary, shared between threads.

use std::sync::{Arc, OnceLock};

use jieba_rs::Jieba;

use crate::classifier::Classifier;
use crate::error::ModelError;
use crate::features;
use crate::text::{self, Canonical};
use crate::understanding::{Intent, ScoredLabel, Understanding};
use crate::{emotion, entity, model_file, tokens};

/// Reads messages. Cheap to clone, free to share between threads.
#[derive(Clone)]
pub struct Understander {
    model: Arc<Model>,
    /// The shared dictionary, which the model was trained with.
    base: Arc<Jieba>,
    /// With a package's own words.
    jieba: Arc<Jieba>,
}

struct Model {
    intents: Classifier,
    emotions: Classifier,
    refusal: f32,
    fingerprint: String,
    data: String,
    figures: Vec<(String, f64)>,
}

static PACKAGED: &[u8] = include_bytes!("../packaged/standard.yim");

impl Understander {
    /// The model that comes with the program; read once per process.
    ///
    /// # Errors
    /// As [`Understander::load`]; none in a program that was built whole.
    pub fn packaged() -> Result<Understander, ModelError> {
        static SHARED: OnceLock<Understander> = OnceLock::new();
        if let Some(shared) = SHARED.get() {
            return Ok(shared.clone());
        }
        let loaded = Understander::load(PACKAGED)?;
        Ok(SHARED.get_or_init(|| loaded).clone())
    }

    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// A file that is foreign, cut short, damaged, of another version, or inconsistent.
    pub fn load(bytes: &[u8]) -> Result<Understander, ModelError> {
        let (body, fingerprint) = model_file::read(bytes)?;
        let base = tokens::jieba();
        Ok(Understander {
            model: Arc::new(Model {
                intents: Classifier::unpack(body.intents),
                emotions: Classifier::unpack(body.emotions),
                refusal: body.refusal,
                fingerprint,
                data: body.data,
                figures: body.figures,
            }),
            jieba: Arc::clone(&base),
            base,
        })
    }

    /// The same model with a package's own words added to the dictionary. Costs nothing where none is new, else a copy
    /// of the dictionary (some 15 ms and 30 MB): keep the result with the package. The classifiers go on seeing the
    /// words they were trained on.
    pub fn with_words(&self, words: &[String]) -> Understander {
        Understander {
            jieba: tokens::jieba_with(&self.jieba, words),
            ..self.clone()
        }
    }

    /// Reads a message. Dates and times keep their words where they depend on the day (明天): this reads no clock.
    pub fn understand(&self, text: &str) -> Understanding {
        self.read(text, None)
    }

    /// As [`Understander::understand`], with relative dates and times resolved against `now`.
    pub fn understand_at(&self, text: &str, now: jiff::civil::DateTime) -> Understanding {
        self.read(text, Some(now))
    }

    fn read(&self, text: &str, now: Option<jiff::civil::DateTime>) -> Understanding {
        let canonical = Canonical::new(text);
        let entities = entity::canonical_entities(&canonical, now);
        let normalized = text::with_placeholders(&canonical, &entities);
        let words = tokens::cut(&self.jieba, &normalized);
        let mut features = if Arc::ptr_eq(&self.jieba, &self.base) {
            features::extract(&normalized, &words)
        } else {
            features::read(&self.base, &normalized)
        };
        let intent = self.intent(&features);
        emotion::cues(&canonical, &normalized, &mut features);
        let emotion = if emotion::can_tell(&normalized) {
            emotion::read(&self.model.emotions, &features)
        } else {
            Default::default()
        };
        let tokens = words.into_iter().map(str::to_owned).collect();
        Understanding {
            text: text.to_owned(),
            tokens,
            intent,
            emotion,
            entities: entity::to_original(&canonical, entities),
            normalized: normalized.text,
        }
    }

    fn intent(&self, features: &features::Features) -> Intent {
        let classifier = &self.model.intents;
        let scores = classifier.scores(features);
        let probabilities = classifier.probabilities(&scores);
        let top: Vec<ScoredLabel> = top_three(&probabilities)
            .into_iter()
            .map(|index| ScoredLabel {
                label: classifier.labels()[index].clone(),
                confidence: f64::from(probabilities[index]),
            })
            .collect();
        let greatest = scores.iter().copied().fold(f32::MIN, f32::max);
        let sure = !features.is_empty() && greatest >= self.model.refusal;
        Intent {
            label: top.first().filter(|_| sure).map(|best| best.label.clone()),
            confidence: top.first().map_or(0.0, |best| best.confidence),
            top,
        }
    }

    /// Words of a text, normalised, with the package's dictionary.
    pub fn tokenize(&self, text: &str) -> Vec<String> {
        let normalized = text::normalize(text);
        tokens::cut(&self.jieba, &normalized)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Names the model in records: 16 hexadecimal digits of its SHA-256.
    pub fn fingerprint(&self) -> &str {
        &self.model.fingerprint
    }

    /// SHA-256 of the data it was trained on, in hexadecimal.
    pub fn data_hash(&self) -> &str {
        &self.model.data
    }

    /// Figures measured on held-out data when the model was made, by name.
    pub fn figures(&self) -> &[(String, f64)] {
        &self.model.figures
    }

    pub(crate) fn jieba(&self) -> &Arc<Jieba> {
        &self.jieba
    }
}

/// The indices of the three greatest, greatest first; the first of equals.
fn top_three(values: &[f32]) -> Vec<usize> {
    let mut top: Vec<usize> = Vec::with_capacity(4);
    for (index, value) in values.iter().enumerate() {
        let place = top
            .iter()
            .position(|&held| *value > values[held])
            .unwrap_or(top.len());
        if place < 3 {
            top.insert(place, index);
            top.truncate(3);
        }
    }
    top
}

impl std::fmt::Debug for Understander {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Understander")
            .field("fingerprint", &self.model.fingerprint)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_greatest_come_in_order() {
        assert_eq!(top_three(&[0.1, 0.5, 0.2, 0.4]), [1, 3, 2]);
        assert_eq!(top_three(&[0.5, 0.5]), [0, 1]);
        assert_eq!(top_three(&[4.0, 3.0, 2.0, 1.0]), [0, 1, 2]);
        assert_eq!(top_three(&[1.0, 2.0, 3.0, 4.0]), [3, 2, 1]);
    }

    #[test]
    fn it_goes_between_threads() {
        fn shared<T: Send + Sync + Clone + 'static>() {}
        shared::<Understander>();
    }
}
