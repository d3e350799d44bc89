//! Cutting into words: one jieba for the process, shared by every model and index.

use std::sync::{Arc, OnceLock};

use jieba_rs::Jieba;

use crate::text::{Normalized, PieceKind};

/// Words of customer service that jieba's own dictionary cuts apart.
const SERVICE_WORDS: &[&str] = &[
    "流量包",
    "验证码",
    "退换货",
    "包邮",
    "运费险",
    "优惠券",
    "满减",
    "拼团",
    "预售",
    "现货",
    "补货",
    "断货",
    "客服",
    "人工客服",
    "转人工",
    "小程序",
    "公众号",
    "微信支付",
    "支付宝",
    "花呗",
    "白条",
    "七天无理由",
    "电子发票",
    "专票",
    "普票",
    "开票",
    "抬头",
    "税号",
    "快递单号",
    "订单号",
    "物流",
    "自提",
    "到付",
    "签收",
    "试听课",
    "体验课",
];

/// The shared dictionary with the words above; loaded at the first call.
pub fn jieba() -> Arc<Jieba> {
    static SHARED: OnceLock<Arc<Jieba>> = OnceLock::new();
    Arc::clone(SHARED.get_or_init(|| {
        let mut jieba = Jieba::new();
        for word in SERVICE_WORDS {
            jieba.add_word(word, None, None);
        }
        Arc::new(jieba)
    }))
}

/// The shared dictionary with more words; the shared one itself where there are none.
pub fn jieba_with(base: &Arc<Jieba>, words: &[String]) -> Arc<Jieba> {
    let new: Vec<&String> = words
        .iter()
        .filter(|w| !w.trim().is_empty() && !base.has_word(w))
        .collect();
    if new.is_empty() {
        return Arc::clone(base);
    }
    let mut jieba = Jieba::clone(base);
    for word in new {
        jieba.add_word(word.trim(), None, None);
    }
    Arc::new(jieba)
}

/// The words of a normalised text, in order; a placeholder is one word, spaces are none.
pub fn cut<'a>(jieba: &Jieba, normalized: &'a Normalized) -> Vec<&'a str> {
    let mut words = Vec::with_capacity(normalized.text.len() / 4 + 1);
    for piece in &normalized.pieces {
        let Some(stretch) = normalized.text.get(piece.start..piece.end) else {
            continue;
        };
        match piece.kind {
            PieceKind::Placeholder => words.push(stretch),
            PieceKind::Text => words.extend(
                jieba
                    .cut(stretch, true)
                    .into_iter()
                    .map(|token| token.word)
                    .filter(|word| !word.trim().is_empty()),
            ),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize;

    #[test]
    fn a_placeholder_is_one_word_and_a_package_adds_its_own() {
        let normalized = normalize("畅享宝卡打13800138000办😡");
        let shared = jieba();
        let words = cut(&shared, &normalized);
        assert!(
            words.contains(&"PHONE") && words.contains(&"[发怒]"),
            "{words:?}"
        );
        assert!(!words.contains(&"畅享宝卡"));
        let own = jieba_with(&shared, &["畅享宝卡".to_owned()]);
        assert!(cut(&own, &normalized).contains(&"畅享宝卡"));
    }

    #[test]
    fn no_new_words_share_the_dictionary() {
        let shared = jieba();
        assert!(Arc::ptr_eq(&shared, &jieba_with(&shared, &[])));
        assert!(Arc::ptr_eq(
            &shared,
            &jieba_with(&shared, &["客服".to_owned(), " ".to_owned()])
        ));
    }
}
