//! The form that rule keywords are matched on.

use super::canonical::Canonical;
use super::emoji;

/// The form in which 整句, 含, 形如 and 词 compare a keyword with a message; fold both.
///
/// NFKC, lower case, simplified characters. Each run of spaces, punctuation and emoji becomes one space, and none is
/// left at either end, so that `你好！😊` equals `你好` and `要不要，人工？` does not hold `要人工`. A mark inside a number, a
/// word or an address stays (`3.5`, `a-1`, `12:30`, `a@b.cn`, `1/2`), as do `%`, `+`, `#`, `°` beside a letter or a figure.
///
/// A text of marks alone folds to nothing: compare such a keyword (see [`is_symbolic`]) by [`fold_with_symbols`].
pub fn fold(text: &str) -> String {
    let chars = Canonical::new(text).chars;
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut gap = false;
    while at < chars.len() {
        if let Some((_, length)) = emoji::at(&chars, at) {
            gap = true;
            at += length;
            continue;
        }
        let c = chars[at];
        if is_word(c) || stays(&chars, at) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        } else {
            gap = true;
        }
        at += 1;
    }
    out
}

/// As [`fold`], with punctuation kept and each emoji written as its name in brackets (`[发怒]`).
pub fn fold_with_symbols(text: &str) -> String {
    let chars = Canonical::new(text).chars;
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        if let Some((name, length)) = emoji::at(&chars, at) {
            out.push_str(name);
            at += length;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Whether a keyword is punctuation and emoji only (`？`, `😡`), so that [`fold`] leaves nothing of it.
pub fn is_symbolic(keyword: &str) -> bool {
    fold(keyword).is_empty()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

fn stays(chars: &[char], at: usize) -> bool {
    let alphanumeric = |index: Option<usize>| {
        index
            .and_then(|i| chars.get(i))
            .is_some_and(char::is_ascii_alphanumeric)
    };
    let before = alphanumeric(at.checked_sub(1));
    let after = alphanumeric(Some(at + 1));
    match chars[at] {
        '.' | '-' | ':' | '/' | '_' | '@' | '&' | '\'' => before && after,
        '%' | '+' | '#' | '°' | '℃' => before || after,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_folded_texts() {
        let cases = [
            ("你好！😊", "你好"),
            ("要不要，人工？", "要不要 人工"),
            ("　ＶＩＰ会員 ", "vip会员"),
            ("满3.5折+50%", "满3.5折+50%"),
            ("12:30到！！", "12:30到"),
            ("[发怒]投诉/::@", "投诉"),
            ("a-b - c", "a-b c"),
            ("？？", ""),
            ("查订单。。。急", "查订单 急"),
        ];
        for (text, expected) in cases {
            assert_eq!(fold(text), expected, "{text}");
            assert_eq!(fold(&fold(text)), expected, "folding {text} twice");
        }
    }

    #[test]
    fn a_keyword_of_marks_is_compared_with_symbols_kept() {
        assert!(is_symbolic("😡"));
        assert!(is_symbolic("？"));
        assert!(!is_symbolic("退"));
        assert_eq!(fold_with_symbols("😡"), "[发怒]");
        assert!(fold_with_symbols("什么？😡").contains(&fold_with_symbols("😡")));
        assert!(fold_with_symbols("什么?").contains(&fold_with_symbols("？")));
    }
}
