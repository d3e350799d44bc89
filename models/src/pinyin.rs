//! How a text sounds, with the confusions of southern speech and of pinyin keyboards folded away:
//! zh/z, ch/c, sh/s, n/l at the front; ing/in, eng/en, ang/an at the end.

use std::sync::LazyLock;

use ::pinyin::ToPinyin;

const FIRST: u32 = 0x4e00;
const LAST: u32 = 0x9fff;

/// Every folded syllable, and for each Han character which one it is (0: none).
struct Table {
    syllables: Vec<String>,
    by_char: Vec<u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut syllables = vec![String::new()];
    let mut ids = rustc_hash::FxHashMap::default();
    let by_char = (FIRST..=LAST)
        .map(|code| {
            let Some(plain) = char::from_u32(code)
                .and_then(|c| c.to_pinyin())
                .map(|p| p.plain())
            else {
                return 0;
            };
            let folded = fold(plain);
            *ids.entry(folded.clone()).or_insert_with(|| {
                syllables.push(folded);
                (syllables.len() - 1) as u16
            })
        })
        .collect();
    Table { syllables, by_char }
});

fn fold(syllable: &str) -> String {
    let mut out = syllable.replace('ü', "v");
    for (from, to) in [("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l")] {
        if let Some(rest) = out.strip_prefix(from) {
            out = format!("{to}{rest}");
            break;
        }
    }
    for (from, to) in [("ing", "in"), ("eng", "en"), ("ang", "an")] {
        if let Some(rest) = out.strip_suffix(from) {
            out = format!("{rest}{to}");
            break;
        }
    }
    out
}

/// The folded syllable of a Han character as a number; `None` for anything else.
pub(crate) fn syllable(c: char) -> Option<u16> {
    let index = (c as u32).checked_sub(FIRST)? as usize;
    TABLE.by_char.get(index).copied().filter(|id| *id != 0)
}

/// The folded syllables of a text in order; characters that are no Han characters stand for themselves, spaces and
/// marks are left out.
pub fn key(text: &str) -> Vec<String> {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| match syllable(c) {
            Some(id) => TABLE.syllables[id as usize].clone(),
            None => c.to_string(),
        })
        .collect()
}

/// A sound: a syllable's number, or a character that has none, out of the syllables' way.
fn sounds(text: &str) -> Vec<u32> {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| syllable(c).map_or(c as u32 + 0x10000, u32::from))
        .collect()
}

/// Whether a stretch of `haystack` sounds like `word`: every folded syllable for words of up to three, one inserted,
/// left out or other syllable allowed for longer ones. Both are expected folded (see `text::fold`).
pub fn sounds_like(haystack: &str, word: &str) -> bool {
    let (haystack, word) = (sounds(haystack), sounds(word));
    if word.is_empty() {
        return false;
    }
    if word.len() <= 3 {
        return haystack.windows(word.len()).any(|w| w == word);
    }
    within_one_edit(&haystack, &word)
}

/// Sellers' algorithm: the least edits between `word` and any stretch of `haystack`.
fn within_one_edit(haystack: &[u32], word: &[u32]) -> bool {
    let mut column: Vec<usize> = (0..=word.len()).collect();
    for sound in haystack {
        let mut diagonal = 0;
        for (row, wanted) in word.iter().enumerate() {
            let substituted = diagonal + usize::from(sound != wanted);
            diagonal = column[row + 1];
            column[row + 1] = substituted.min(column[row] + 1).min(diagonal + 1);
        }
        if column[word.len()] <= 1 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn southern_and_keyboard_confusions_have_one_key() {
        assert_eq!(key("是"), key("四"));
        assert_eq!(key("牛奶"), key("流来"));
        assert_eq!(key("请"), key("寝"));
        assert_eq!(key("退货A1"), ["tui", "huo", "A", "1"]);
    }

    #[test]
    fn a_table_of_what_sounds_alike() {
        let cases = [
            ("我要推货", "退货", true),
            ("我要腿火", "退货", true),
            ("我要退款", "退货", false),
            ("转仁工", "人工", true),
            ("会圆积分怎么用", "会员积分", true),
            ("会园几分", "会员积分", true),
            ("会员卡号", "会员积分", false),
            ("电子发漂", "电子发票", true),
            ("电发票", "电子发票", true),
            ("发票", "电子发票", false),
            ("", "退货", false),
            ("退货", "", false),
        ];
        for (haystack, word, expected) in cases {
            assert_eq!(sounds_like(haystack, word), expected, "{haystack} / {word}");
        }
    }
}
