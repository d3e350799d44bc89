//! One automaton over all keywords of all conditions: a message is scanned once, whatever the number of rules.

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder};
use rustc_hash::FxHashMap;
use yingda_models::text::{fold, fold_with_symbols, is_symbolic};

use crate::bot::BuildError;

/// Number of a set of keywords: the inline words of one condition, or a word list.
pub(crate) type SetId = u32;

/// All keywords of a package.
pub(crate) struct KeywordIndex {
    sets: Vec<Vec<Keyword>>,
    folded: Automaton,
    symbolic: Automaton,
}

pub(crate) struct Keyword {
    /// As written in the package.
    pub shown: String,
    /// As compared: folded, or folded with symbols where the word is of marks alone.
    pub form: String,
    pub symbolic: bool,
}

/// Where a keyword of a set occurs: set and position of the word in it. Sorted, so that the first of a set is the
/// word that stands first in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Occurrence {
    pub set: SetId,
    pub word: u32,
}

/// The keywords that occur in one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Occurrences(Vec<Occurrence>);

impl Occurrences {
    /// Those of one set, in the order of its words.
    pub fn of(&self, set: SetId) -> &[Occurrence] {
        let start = self.0.partition_point(|o| o.set < set);
        let rest = self.0.get(start..).unwrap_or_default();
        let length = rest.partition_point(|o| o.set == set);
        rest.get(..length).unwrap_or_default()
    }

    /// The sets of which a word occurs, each once.
    pub fn sets(&self) -> impl Iterator<Item = SetId> {
        self.0
            .chunk_by(|a, b| a.set == b.set)
            .filter_map(|c| c.first().map(|o| o.set))
    }
}

impl KeywordIndex {
    /// Scans a message: cost grows with its length and with what occurs, not with the number of keywords.
    pub fn scan(&self, folded: &str, symbols: impl FnOnce() -> String) -> Occurrences {
        let mut found = Vec::new();
        self.folded.scan(folded, &mut found);
        if self.symbolic.automaton.is_some() {
            self.symbolic.scan(&symbols(), &mut found);
        }
        found.sort_unstable();
        found.dedup();
        Occurrences(found)
    }

    /// The same answer word by word, for comparison.
    pub fn scan_plainly(&self, folded: &str, symbols: &str) -> Occurrences {
        let mut found = Vec::new();
        for (set, words) in self.sets.iter().enumerate() {
            for (word, keyword) in words.iter().enumerate() {
                let text = if keyword.symbolic { symbols } else { folded };
                if !keyword.form.is_empty() && text.contains(&keyword.form) {
                    found.push(Occurrence {
                        set: set as SetId,
                        word: word as u32,
                    });
                }
            }
        }
        Occurrences(found)
    }

    pub fn keyword(&self, occurrence: Occurrence) -> Option<&Keyword> {
        self.sets
            .get(occurrence.set as usize)?
            .get(occurrence.word as usize)
    }

    pub fn set_count(&self) -> usize {
        self.sets.len()
    }
}

#[derive(Default)]
struct Automaton {
    automaton: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    /// By keyword: the places it has in sets.
    places: Vec<Vec<Occurrence>>,
}

impl Automaton {
    fn build(words: FxHashMap<String, Vec<Occurrence>>) -> Result<Automaton, BuildError> {
        if words.is_empty() {
            return Ok(Automaton::default());
        }
        let mut words: Vec<(String, Vec<Occurrence>)> = words.into_iter().collect();
        words.sort_unstable();
        let (patterns, places): (Vec<String>, Vec<Vec<Occurrence>>) = words.into_iter().unzip();
        let automaton = CharwiseDoubleArrayAhoCorasickBuilder::new()
            .build_with_values(patterns.iter().zip(0u32..))
            .map_err(|error| BuildError::Keywords(error.to_string()))?;
        Ok(Automaton {
            automaton: Some(automaton),
            places,
        })
    }

    fn scan(&self, text: &str, found: &mut Vec<Occurrence>) {
        let Some(automaton) = &self.automaton else {
            return;
        };
        for hit in automaton.find_overlapping_iter(text) {
            if let Some(places) = self.places.get(hit.value() as usize) {
                found.extend_from_slice(places);
            }
        }
    }
}

/// Collects the sets while conditions are compiled.
#[derive(Default)]
pub(crate) struct KeywordBuilder {
    sets: Vec<Vec<Keyword>>,
    folded: FxHashMap<String, Vec<Occurrence>>,
    symbolic: FxHashMap<String, Vec<Occurrence>>,
}

impl KeywordBuilder {
    pub fn add_set<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) -> SetId {
        let set = self.sets.len() as SetId;
        let mut keywords = Vec::new();
        for (word, shown) in words.into_iter().enumerate() {
            let symbolic = is_symbolic(shown);
            let (form, table) = if symbolic {
                (fold_with_symbols(shown), &mut self.symbolic)
            } else {
                (fold(shown), &mut self.folded)
            };
            if !form.is_empty() {
                table.entry(form.clone()).or_default().push(Occurrence {
                    set,
                    word: word as u32,
                });
            }
            keywords.push(Keyword {
                shown: shown.to_owned(),
                form,
                symbolic,
            });
        }
        self.sets.push(keywords);
        set
    }

    pub fn build(self) -> Result<KeywordIndex, BuildError> {
        Ok(KeywordIndex {
            sets: self.sets,
            folded: Automaton::build(self.folded)?,
            symbolic: Automaton::build(self.symbolic)?,
        })
    }
}
