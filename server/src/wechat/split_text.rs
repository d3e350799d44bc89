//! Cutting long texts into messages.

use unicode_segmentation::UnicodeSegmentation;

/// Bytes of UTF-8 that one text message may have.
pub const MAX_TEXT_BYTES: usize = 2048;

/// `text` in pieces of at most `max_bytes` bytes, cut after a line break where one is near enough, else between
/// graphemes. The pieces put together are the text; a single grapheme longer than `max_bytes` is cut between
/// characters, and a character that does not fit stands alone.
pub fn split_text(text: &str, max_bytes: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > max_bytes {
        let (piece, tail) = rest.split_at(cut(rest, max_bytes));
        pieces.push(piece.to_owned());
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

/// Where the first piece of a text longer than `max_bytes` ends; never 0.
fn cut(text: &str, max_bytes: usize) -> usize {
    let fitting = |starts: &mut dyn Iterator<Item = usize>| {
        starts
            .take_while(|start| *start <= max_bytes)
            .last()
            .unwrap_or(0)
    };
    let grapheme = fitting(&mut text.grapheme_indices(true).map(|(start, _)| start));
    if grapheme == 0 {
        let character = fitting(&mut text.char_indices().map(|(start, _)| start));
        return match character {
            0 => text.chars().next().map_or(text.len(), char::len_utf8),
            _ => character,
        };
    }
    // A line break in the second half makes a better end than the middle of a sentence.
    let line_end = text
        .get(..grapheme)
        .and_then(|head| head.rfind('\n'))
        .map(|at| at + 1);
    line_end
        .filter(|at| *at > max_bytes / 2)
        .unwrap_or(grapheme)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_cut_at_line_ends_and_between_graphemes() {
        let cases: [(&str, usize, &[&str]); 8] = [
            ("", 10, &[]),
            ("您好", 6, &["您好"]),
            ("您好吗", 6, &["您好", "吗"]),
            ("您好吗", 8, &["您好", "吗"]),
            ("一二三\n四五六", 15, &["一二三\n", "四五六"]),
            ("一\n二三四五六", 15, &["一\n二三四", "五六"]),
            ("a👨‍👩‍👧b", 18, &["a", "👨‍👩‍👧", "b"]),
            ("好的", 1, &["好", "的"]),
        ];
        for (text, max, expected) in cases {
            assert_eq!(split_text(text, max), expected, "{text} at {max}");
        }
    }

    proptest! {
        #[test]
        fn pieces_fit_and_put_together_are_the_text(text in "\\PC{0,200}|[a-z\n😀\u{301}👍🏽中文]{0,300}", max in 4usize..200) {
            let pieces = split_text(&text, max);
            prop_assert_eq!(pieces.concat(), text);
            for piece in &pieces {
                prop_assert!(piece.len() <= max && !piece.is_empty());
            }
        }

        #[test]
        fn no_grapheme_that_fits_is_cut(text in "[a-z😀中é🇨🇳👍🏽\r\n]{0,300}", max in 40usize..200) {
            let whole: Vec<&str> = text.graphemes(true).collect();
            prop_assume!(whole.iter().all(|grapheme| grapheme.len() <= max));
            let pieces = split_text(&text, max);
            let cut: Vec<&str> = pieces.iter().flat_map(|piece| piece.graphemes(true)).collect();
            prop_assert_eq!(cut, whole);
        }
    }
}
