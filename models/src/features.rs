//! What a classifier sees of a text: hashed n-grams of characters, words and syllables, in blocks, weighted by TF-IDF.

use jieba_rs::Jieba;
use rustc_hash::FxHashMap;

use crate::linear::SparseRecords;
use crate::model_file::IDF_STEP;
use crate::pinyin;
use crate::text::{Normalized, PieceKind};
use crate::tokens;

/// Raised whenever the same text gives other features; a model of another version is refused.
pub const SPEC: u16 = 2;

/// The blocks, each of length one after weighting.
pub const BLOCKS: usize = 5;

/// How long each block is beside the others, as measured best, see `models/README.md`.
pub const BLOCK_WEIGHTS: [f32; BLOCKS] = [1.0, 0.5, 0.5, 0.5, 0.5];

const CHARACTERS: u8 = 0;
const WORDS: u8 = 1;
const SYLLABLES: u8 = 2;
const SKIPS: u8 = 3;
/// What only the emotion model looks at, see `emotion::cues`.
pub(crate) const CUES: u8 = 4;

/// Longer texts are read at both ends only: what a customer wants stands there, and the cost stays bounded.
const LONGEST: usize = 240;

/// Hashes of one text's features with their block, in order of reading, repeated as often as they occur.
pub type Features = Vec<(u8, u32)>;

/// The features of a text and its words.
pub fn extract(normalized: &Normalized, words: &[&str]) -> Features {
    let symbols = symbols(normalized);
    let mut out = Features::with_capacity(symbols.len() * 9 + words.len() * 2 + 8);
    let edge = 1u32;
    let n = symbols.len();
    let at = |index: usize| symbols.get(index).map_or(edge, |s| s.0);
    let mut before = edge;
    for i in 0..n {
        let (c, next, after) = (at(i), at(i + 1), at(i + 2));
        if i == 0 {
            out.push((CHARACTERS, hash(2, &[edge, c])));
            out.push((CHARACTERS, hash(3, &[edge, c, next])));
        }
        out.push((CHARACTERS, hash(1, &[c])));
        out.push((CHARACTERS, hash(2, &[c, next])));
        if i + 1 < n {
            out.push((CHARACTERS, hash(3, &[c, next, after])));
        }
        if i + 2 < n {
            out.push((SKIPS, hash(8, &[c, after])));
        }
        if i + 3 < n {
            out.push((SKIPS, hash(9, &[c, at(i + 3)])));
        }
    }
    for word in words {
        let word = hash_word(word);
        out.push((WORDS, hash(4, &[word])));
        out.push((WORDS, hash(5, &[before, word])));
        before = word;
    }
    if !words.is_empty() {
        out.push((WORDS, hash(5, &[before, edge])));
    }
    let sound = |index: usize| symbols.get(index).map_or(0, |s| s.1);
    for i in 0..n {
        let (a, b, c) = (sound(i), sound(i + 1), sound(i + 2));
        if a == 0 {
            continue;
        }
        out.push((SYLLABLES, hash(10, &[a])));
        if b != 0 {
            out.push((SYLLABLES, hash(6, &[a, b])));
            if c != 0 {
                out.push((SYLLABLES, hash(7, &[a, b, c])));
            }
        }
    }
    out
}

/// Ready-made terms as features, one block.
pub(crate) fn of_terms(terms: &[String]) -> Features {
    terms
        .iter()
        .map(|term| (WORDS, hash(4, &[hash_word(term)])))
        .collect()
}

/// Cuts and extracts in one go.
pub fn read(jieba: &Jieba, normalized: &Normalized) -> Features {
    extract(normalized, &tokens::cut(jieba, normalized))
}

/// A text as symbols: a character or a whole placeholder each, with its sound (0: none). Spaces and stops are left out
/// of nothing: where a customer pauses is a feature.
fn symbols(normalized: &Normalized) -> Vec<(u32, u32)> {
    let mut out = Vec::with_capacity(normalized.text.len() / 2);
    for piece in &normalized.pieces {
        let Some(stretch) = normalized.text.get(piece.start..piece.end) else {
            continue;
        };
        match piece.kind {
            PieceKind::Placeholder => out.push((hash_word(stretch), 0)),
            PieceKind::Text => out.extend(stretch.chars().map(|c| {
                let sound = pinyin::syllable(c).map_or(0, u32::from);
                (
                    if c.is_ascii_digit() {
                        '0' as u32
                    } else {
                        c as u32
                    },
                    sound,
                )
            })),
        }
    }
    if out.len() > LONGEST {
        let tail = out.len() - LONGEST / 2;
        out.drain(LONGEST / 2..tail);
    }
    out
}

pub(crate) fn hash_word(word: &str) -> u32 {
    let mut state = 0x811c_9dc5u32;
    for byte in word.bytes() {
        state = (state ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    state
}

/// Murmur3's mixing over a kind and its symbols: the same on every machine.
fn hash(kind: u32, symbols: &[u32]) -> u32 {
    let mut state = kind.wrapping_mul(0x9e37_79b9);
    for symbol in symbols {
        let mut k = symbol.wrapping_mul(0xcc9e_2d51);
        k = k.rotate_left(15).wrapping_mul(0x1b87_3593);
        state = (state ^ k)
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    state ^= state >> 16;
    state = state.wrapping_mul(0x85eb_ca6b);
    state ^= state >> 13;
    state = state.wrapping_mul(0xc2b2_ae35);
    state ^ (state >> 16)
}

/// Hashes to columns: open addressing behind a filter of one bit a hash, which stays in the near cache and turns away most
/// of the features that a model does not know.
#[derive(Debug, Clone, Default)]
struct Columns {
    filter: Vec<u64>,
    /// `(hash, column + 1)`; 0 marks a free slot.
    slots: Vec<(u32, u32)>,
}

impl Columns {
    fn new(hashes: &[u32]) -> Columns {
        let size = (hashes.len() * 2).next_power_of_two().max(64);
        let mut out = Columns {
            filter: vec![0; size / 8],
            slots: vec![(0, 0); size],
        };
        for (column, hash) in hashes.iter().enumerate() {
            let (word, bit) = out.bit(*hash);
            out.filter[word] |= bit;
            let mut slot = *hash as usize & (size - 1);
            while out.slots[slot].1 != 0 && out.slots[slot].0 != *hash {
                slot = (slot + 1) & (size - 1);
            }
            out.slots[slot] = (*hash, column as u32 + 1);
        }
        out
    }

    /// Eight bits a slot, chosen by the upper part of the hash.
    fn bit(&self, hash: u32) -> (usize, u64) {
        let place = hash.rotate_left(12) as usize & (self.filter.len() * 64 - 1);
        (place / 64, 1 << (place % 64))
    }

    fn get(&self, hash: u32) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let (word, bit) = self.bit(hash);
        if self.filter[word] & bit == 0 {
            return None;
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.slots[slot] {
                (_, 0) => return None,
                (held, column) if held == hash => return Some(column - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }
}

/// Which features a model knows, each with its inverse document frequency.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    columns: Columns,
    hashes: Vec<u32>,
    idf: Vec<f32>,
    /// Length of each block beside the others.
    blocks: [f32; BLOCKS],
    /// What a feature counts that is not known: as the rarest one that is. It has no column, but it lengthens its block, so
    /// that a text of unfamiliar words scores low.
    unknown: f32,
}

impl Vocabulary {
    /// The features that occur in at least `least` of `texts`.
    pub fn learn<'a>(texts: impl IntoIterator<Item = &'a Features>, least: u32) -> Vocabulary {
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        let mut total = 0u32;
        for features in texts {
            total += 1;
            let mut seen: Vec<u32> = features.iter().map(|f| f.1).collect();
            seen.sort_unstable();
            seen.dedup();
            for feature in seen {
                *counts.entry(feature).or_default() += 1;
            }
        }
        let mut kept: Vec<(u32, u32)> = counts
            .into_iter()
            .filter(|(_, count)| *count >= least)
            .collect();
        kept.sort_unstable();
        // The smoothed form: as if one more text held every feature.
        let idf = kept
            .iter()
            .map(|(_, count)| ((1.0 + total as f32) / (1.0 + *count as f32)).ln() + 1.0)
            // In the steps of the model file, so that what is trained is what is served.
            .map(|idf: f32| ((idf / IDF_STEP).round() * IDF_STEP).min(255.0 * IDF_STEP))
            .collect();
        Vocabulary::from_parts(kept.into_iter().map(|(hash, _)| hash).collect(), idf)
    }

    pub fn from_parts(hashes: Vec<u32>, idf: Vec<f32>) -> Vocabulary {
        let columns = Columns::new(&hashes);
        let unknown = idf.iter().copied().fold(0.0, f32::max);
        Vocabulary {
            columns,
            hashes,
            idf,
            blocks: BLOCK_WEIGHTS,
            unknown,
        }
    }

    /// The same vocabulary with other block weights, for measuring what each block is worth.
    pub fn with_blocks(self, blocks: [f32; BLOCKS]) -> Vocabulary {
        Vocabulary { blocks, ..self }
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub fn hashes(&self) -> &[u32] {
        &self.hashes
    }

    pub fn idf(&self) -> &[f32] {
        &self.idf
    }

    /// The weighted row of a text: `(1 + ln tf) · idf`, each block of its length, the whole of length
    /// one with what is unknown.
    pub fn row(&self, features: &Features) -> Vec<(u32, f32)> {
        let mut known: Vec<u64> = Vec::with_capacity(features.len());
        let mut norms = [0f32; BLOCKS];
        for (block, hash) in features {
            match self.columns.get(*hash) {
                Some(column) => known.push(u64::from(*block) << 32 | u64::from(column)),
                None => norms[*block as usize] += self.unknown * self.unknown,
            }
        }
        known.sort_unstable();
        let mut row: Vec<(u32, f32)> = Vec::with_capacity(known.len());
        let mut blocks: Vec<u8> = Vec::with_capacity(known.len());
        for group in known.chunk_by(|a, b| a == b) {
            let (block, column) = ((group[0] >> 32) as u8, group[0] as u32);
            let tf = if group.len() == 1 {
                1.0
            } else {
                1.0 + (group.len() as f32).ln()
            };
            let value = tf * self.idf[column as usize];
            norms[block as usize] += value * value;
            blocks.push(block);
            row.push((column, value));
        }
        let present: f32 = norms
            .iter()
            .zip(self.blocks)
            .filter(|(n, _)| **n > 0.0)
            .map(|(_, w)| w * w)
            .sum();
        let mut scales = self.blocks;
        for (scale, norm) in scales.iter_mut().zip(norms) {
            *scale = if norm > 0.0 && present > 0.0 {
                *scale / (norm * present).sqrt()
            } else {
                0.0
            };
        }
        for ((_, value), block) in row.iter_mut().zip(blocks) {
            *value *= scales[block as usize];
        }
        row
    }

    /// The rows of many texts.
    pub fn records<'a>(&self, texts: impl IntoIterator<Item = &'a Features>) -> SparseRecords {
        let mut records = SparseRecords::new(self.len());
        for features in texts {
            records.push(self.row(features));
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize;

    #[test]
    fn a_row_is_no_longer_than_one_and_unknown_features_shorten_it() {
        let jieba = tokens::jieba();
        let texts: Vec<Features> = ["我要退货", "我要退款", "退货退货"]
            .iter()
            .map(|t| read(&jieba, &normalize(t)))
            .collect();
        let vocabulary = Vocabulary::learn(&texts, 2);
        for text in &texts {
            let norm: f32 = vocabulary.row(text).iter().map(|(_, v)| v * v).sum();
            assert!(norm > 0.3 && norm < 1.0 + 1e-4, "{norm}");
        }
        assert!(vocabulary.row(&read(&jieba, &normalize("xyz"))).is_empty());
        assert!(vocabulary.row(&Features::new()).is_empty());
    }

    #[test]
    fn a_very_long_text_is_read_at_both_ends() {
        let text = "啊".repeat(100_000);
        assert!(read(&tokens::jieba(), &normalize(&text)).len() < 120_000);
    }
}
