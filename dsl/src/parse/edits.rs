//! Mending the text before the grammar sees it, with the way back to the positions of the file.

/// Replace the bytes `start..end` of the file by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// Edits of one file, none overlapping another.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// Adds an edit unless it overlaps one that is there.
    pub fn add(&mut self, edit: Edit) -> bool {
        let clash = self.edits.iter().any(|other| {
            edit.start < other.end && other.start < edit.end
                || edit.start == other.start && edit.end == other.end && edit.text == other.text
        });
        if clash {
            return false;
        }
        let at = self
            .edits
            .partition_point(|other| (other.start, other.end) <= (edit.start, edit.end));
        self.edits.insert(at, edit);
        true
    }

    /// The file with all edits done.
    pub fn apply(&self, source: &str) -> String {
        let mut out = String::with_capacity(source.len() + 64);
        let mut at = 0;
        for edit in &self.edits {
            out.push_str(source.get(at..edit.start).unwrap_or_default());
            out.push_str(&edit.text);
            at = edit.end;
        }
        out.push_str(source.get(at..).unwrap_or_default());
        out
    }

    /// The place in the file of a place in the mended text.
    pub fn origin(&self, mended: usize) -> usize {
        // `shift` is how much longer the mended text is than the file, up to here.
        let mut shift = 0isize;
        for edit in &self.edits {
            let start = edit.start.wrapping_add_signed(shift);
            if mended <= start {
                break;
            }
            let end = start + edit.text.len();
            if mended < end {
                return (edit.start + (mended - start)).min(edit.end);
            }
            shift += edit.text.len() as isize - (edit.end - edit.start) as isize;
        }
        mended.wrapping_add_signed(-shift)
    }
}
