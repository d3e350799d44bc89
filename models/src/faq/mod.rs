//! Finding the entry of a base of questions and answers that a message asks for.
//!
//! A ranker of the base's own, over the classifiers' features, orders the entries; a calibration of the base's own says how
//! sure that is. In a base too large to learn weights for at load, tantivy finds the candidates first: one document an
//! entry with all its wordings, words and character bigrams.

mod candidates;
mod confidence;
mod ranker;

use serde::{Deserialize, Serialize};

use crate::error::FaqError;
use crate::features::{self, Features};
use crate::text;
use crate::understander::Understander;
use crate::understanding::Understanding;
use candidates::Candidates;
use confidence::{Confidence, Judge};
use ranker::{Base, Part, Ranker};

/// One entry of a base.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FaqDocument {
    pub id: String,
    pub category: String,
    pub question: String,
    /// Other wordings of the question.
    pub variants: Vec<String>,
    pub answer: String,
}

/// An entry that may answer a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaqHit {
    /// Position of the entry in the documents the index was built from.
    pub index: usize,
    /// How sure it is that this entry answers the message, 0–1: of answers given at 0.80, some four in five are right.
    pub score: f64,
}

/// A base ready to be searched. Free to share between threads.
pub struct FaqIndex {
    candidates: Candidates,
    base: Base,
    ranker: Ranker,
    confidence: Confidence,
    detail: Detail,
}

/// How many candidates the ranker looks at.
const RANKED: usize = 16;

/// Wordings beyond which a base is seen by its words and bigrams only: with every feature, 600,000 wordings are gigabytes.
const MOST_DETAILED: usize = 20_000;

/// What the ranker sees of a wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All the classifiers' features.
    Full,
    /// The terms that tantivy indexes.
    Terms,
}

impl FaqIndex {
    /// Builds the index over `documents` with the dictionary of `understander`.
    ///
    /// # Errors
    /// An id that occurs twice, an entry without id, question or answer.
    pub fn build(
        understander: &Understander,
        documents: &[FaqDocument],
    ) -> Result<FaqIndex, FaqError> {
        check(documents)?;
        let count: usize = documents.iter().map(|d| d.variants.len() + 1).sum();
        let detail = if count > MOST_DETAILED {
            Detail::Terms
        } else {
            Detail::Full
        };
        let wordings: Vec<Vec<Wording>> = documents
            .iter()
            .map(|document| {
                std::iter::once(&document.question)
                    .chain(&document.variants)
                    .filter(|wording| !wording.trim().is_empty())
                    .map(|wording| Wording::read(understander, wording, detail))
                    .collect()
            })
            .collect();
        let candidates = Candidates::build(&wordings)?;
        let base = Base::new(&wordings);
        let confidence = Confidence::learn(understander, detail, &wordings, &candidates, &base);
        let ranker = Ranker::learn(&base, Part::Whole);
        Ok(FaqIndex {
            candidates,
            base,
            ranker,
            confidence,
            detail,
        })
    }

    /// The entries that may answer `query`, best first, at most `limit`.
    pub fn search<'a>(
        &self,
        understander: &Understander,
        query: impl Into<Query<'a>>,
        limit: usize,
    ) -> Vec<FaqHit> {
        let text = match query.into() {
            Query::Text(text) => text,
            // The features depend on the pieces of the text, which an understanding does not keep.
            Query::Read(understanding) => &understanding.text,
        };
        let wording = Wording::read(understander, text, self.detail);
        let judge = Judge {
            base: &self.base,
            ranker: &self.ranker,
            candidates: &self.candidates,
            part: Part::Whole,
        };
        self.confidence.hits(&judge, &wording, limit)
    }

    /// The `k` entries nearest to an entry, nearest first, without itself.
    pub fn related(&self, index: usize, k: usize) -> Vec<usize> {
        self.base.related(index, k, &self.candidates)
    }

    pub fn len(&self) -> usize {
        self.base.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for FaqIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaqIndex")
            .field("entries", &self.len())
            .finish()
    }
}

/// What to search for: a text, or one already read.
#[derive(Debug, Clone, Copy)]
pub enum Query<'a> {
    Text(&'a str),
    Read(&'a Understanding),
}

impl<'a> From<&'a str> for Query<'a> {
    fn from(text: &'a str) -> Self {
        Query::Text(text)
    }
}

impl<'a> From<&'a String> for Query<'a> {
    fn from(text: &'a String) -> Self {
        Query::Text(text)
    }
}

impl<'a> From<&'a Understanding> for Query<'a> {
    fn from(understanding: &'a Understanding) -> Self {
        Query::Read(understanding)
    }
}

/// One wording of an entry, or a query, as the index sees it.
pub(crate) struct Wording {
    /// Words and character bigrams.
    pub terms: Vec<String>,
    pub features: Features,
    /// Characters that are neither spaces nor marks.
    pub length: usize,
}

impl Wording {
    pub(crate) fn read(understander: &Understander, wording: &str, detail: Detail) -> Wording {
        let normalized = text::normalize(wording);
        let words = crate::tokens::cut(understander.jieba(), &normalized);
        let terms = terms(&words, &normalized.text);
        let features = match detail {
            Detail::Full => features::extract(&normalized, &words),
            Detail::Terms => features::of_terms(&terms),
        };
        let length = normalized
            .text
            .chars()
            .filter(|c| c.is_alphanumeric())
            .count();
        Wording {
            terms,
            features,
            length,
        }
    }
}

/// Words, and character bigrams behind `#`.
fn terms(words: &[&str], normalized: &str) -> Vec<String> {
    let letters: Vec<char> = normalized
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(400)
        .collect();
    let mut terms: Vec<String> = words
        .iter()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| (*word).to_owned())
        .collect();
    for pair in letters.windows(2) {
        if !pair.iter().all(char::is_ascii) {
            terms.push(format!("#{}{}", pair[0], pair[1]));
        }
    }
    terms
}

fn check(documents: &[FaqDocument]) -> Result<(), FaqError> {
    let mut seen = rustc_hash::FxHashMap::default();
    for (index, document) in documents.iter().enumerate() {
        let missing = [
            (&document.id, "编号"),
            (&document.question, "问题"),
            (&document.answer, "答案"),
        ]
        .into_iter()
        .find(|(field, _)| field.trim().is_empty());
        if let Some((_, what)) = missing {
            return Err(FaqError::Missing {
                index: index + 1,
                id: document.id.clone(),
                what,
            });
        }
        if let Some(first) = seen.insert(document.id.as_str(), index) {
            return Err(FaqError::DuplicateId {
                id: document.id.clone(),
                first: first + 1,
                second: index + 1,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
