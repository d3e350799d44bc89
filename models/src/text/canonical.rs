//! One way of writing: NFKC, lower case, simplified characters, single spaces; each character knows where it came from.

use super::emoji::is_emoji;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// A text in its one way of writing, as characters.
#[derive(Debug, Clone)]
pub struct Canonical {
    pub chars: Vec<char>,
    /// The characters of the original each one stands for, `start..end`.
    pub origins: Vec<(u32, u32)>,
}

impl Canonical {
    pub fn new(text: &str) -> Canonical {
        let mut out = Canonical {
            chars: Vec::with_capacity(text.len() / 2 + 4),
            origins: Vec::with_capacity(text.len() / 2 + 4),
        };
        let mut foreign = false;
        let mut source = text.chars().enumerate().peekable();
        while let Some((index, c)) = source.next() {
            let start = index as u32;
            // ASCII and the Han block are their own NFKC; nearly all of a message is one of them.
            let plain = c.is_ascii() || ('\u{4e00}'..='\u{9fff}').contains(&c);
            let combined = source.peek().is_some_and(|(_, next)| joins(*next));
            if plain && !combined {
                foreign |= !c.is_ascii();
                out.push(c.to_ascii_lowercase(), start, start + 1);
                continue;
            }
            let mut end = start + 1;
            let mut cluster = [c; 8];
            let mut length = 1;
            while let Some((_, next)) = source.next_if(|(_, next)| joins(*next)) {
                // More marks than any script stacks are noise.
                if length < cluster.len() {
                    cluster[length] = next;
                    length += 1;
                }
                end += 1;
            }
            for part in cluster[..length].iter().copied().nfkc() {
                for lower in part.to_lowercase() {
                    foreign |= !lower.is_ascii();
                    out.push(lower, start, end);
                }
            }
        }
        while out.chars.last() == Some(&' ') {
            out.chars.pop();
            out.origins.pop();
        }
        if foreign {
            out.simplify();
        }
        out
    }

    /// The stretch of the original, in characters, behind `start..end` of `chars`.
    pub fn original(&self, start: usize, end: usize) -> (usize, usize) {
        match self.origins.get(start..end) {
            Some([first, .., last]) => (first.0 as usize, last.1 as usize),
            Some([only]) => (only.0 as usize, only.1 as usize),
            _ => (0, 0),
        }
    }

    fn push(&mut self, c: char, start: u32, end: u32) {
        // A joiner means something between two emoji only.
        let joiner = c == '\u{200d}' && !self.chars.last().copied().is_some_and(emoji_part);
        if ignorable(c) || joiner {
            return;
        }
        let c = if c.is_whitespace() || c.is_control() {
            ' '
        } else {
            c
        };
        if c == ' ' && matches!(self.chars.last(), None | Some(' ')) {
            return;
        }
        self.chars.push(c);
        self.origins.push((start, end));
    }

    fn simplify(&mut self) {
        // `convert` maps one character to one, looking at both neighbours.
        let text: String = self.chars.iter().collect();
        for (c, simple) in self.chars.iter_mut().zip(fast2s::convert(&text).chars()) {
            *c = simple;
        }
    }
}

/// Characters nobody sees: zero-width, direction marks, the byte-order mark, soft hyphens, variation selectors, and the
/// frame of a keycap (`1️⃣` is 1).
fn ignorable(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}

fn emoji_part(c: char) -> bool {
    is_emoji(c) || ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

/// Whether NFKC may compose `c` with what precedes it: combining marks and Hangul vowels and finals.
fn joins(c: char) -> bool {
    c >= '\u{300}'
        && !('\u{2e80}'..='\u{d7ff}').contains(&c)
        && (canonical_combining_class(c) != 0 || ('\u{1160}'..='\u{11ff}').contains(&c))
        || matches!(c, '\u{3099}' | '\u{309a}')
}
