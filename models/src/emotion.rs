//! How a customer feels in one turn: neutral, anxious, angry, satisfied, and a score.

use std::sync::LazyLock;

use daachorse::CharwiseDoubleArrayAhoCorasick;

use crate::classifier::Classifier;
use crate::features::{CUES, Features, hash_word};
use crate::labels;
use crate::linear::best;
use crate::text::{Canonical, EmojiMood, Normalized, PieceKind, mood};
use crate::understanding::{EmotionLabel, EmotionReading};

/// Words that carry a feeling, each list one cue.
const LEXICON: [(&str, &[&str]); 5] = [
    (
        "angry",
        &[
            "垃圾",
            "骗子",
            "骗人",
            "坑人",
            "坑爹",
            "恶心",
            "无语",
            "投诉",
            "举报",
            "曝光",
            "差评",
            "气死",
            "火大",
            "忽悠",
            "糊弄",
            "敷衍",
            "什么玩意",
            "有病",
            "滚",
            "他妈",
            "妈的",
            "tmd",
            "nmd",
            "sb",
            "傻",
            "太差",
            "过分",
            "欺负",
            "耍我",
            "受够",
            "服了",
            "离谱",
            "霸王",
            "黑店",
            "奸商",
            "不要脸",
            "踢皮球",
            "态度",
            "失望",
            "12315",
            "消协",
            "律师",
            "起诉",
            "还想怎样",
            "凭什么",
        ],
    ),
    (
        "anxious",
        &[
            "急",
            "快点",
            "赶紧",
            "马上",
            "尽快",
            "来不及",
            "怎么办",
            "担心",
            "害怕",
            "怕",
            "等不了",
            "救命",
            "拜托",
            "求求",
            "催",
            "还没",
            "到底",
            "火烧眉毛",
            "着急",
            "慌",
            "睡不着",
            "在线等",
            "今天必须",
            "耽误",
            "误了",
            "万一",
        ],
    ),
    (
        "satisfied",
        &[
            "谢谢",
            "感谢",
            "满意",
            "喜欢",
            "好用",
            "太好了",
            "给力",
            "赞",
            "好评",
            "棒",
            "不错",
            "开心",
            "贴心",
            "耐心",
            "辛苦",
            "靠谱",
            "解决了",
            "完美",
            "惊喜",
            "划算",
            "爱了",
            "优秀",
            "专业",
            "点赞",
            "回购",
            "暖心",
            "周到",
        ],
    ),
    ("negation", &["不", "没", "别", "未", "无", "甭", "莫"]),
    (
        "polite",
        &[
            "请问",
            "麻烦",
            "您好",
            "咨询",
            "了解一下",
            "想问",
            "可以吗",
            "能不能",
        ],
    ),
];

/// One pass over a text finds every word of the lexicon; the value is the word's list.
static WORDS: LazyLock<Option<CharwiseDoubleArrayAhoCorasick<usize>>> = LazyLock::new(|| {
    let words = LEXICON
        .iter()
        .enumerate()
        .flat_map(|(list, (_, words))| words.iter().map(move |word| (*word, list)));
    // A word in two lists would be refused; the tests hold that none is.
    CharwiseDoubleArrayAhoCorasick::with_values(words).ok()
});

/// What the emotion model sees beside the n-grams: lexicon hits and whether a negation precedes them, emphasis, emoji.
pub(crate) fn cues(canonical: &Canonical, normalized: &Normalized, features: &mut Features) {
    let text: String = canonical.chars.iter().collect();
    let mut add = |name: &str| features.push((CUES, hash_word(name) ^ 0x5a5a_5a5a));
    if let Some(words) = WORDS.as_ref() {
        for hit in words.find_overlapping_iter(&text) {
            let (list, _) = LEXICON[hit.value()];
            let mut before = text[..hit.start()].chars().rev().take(3);
            let negated = list != "negation" && before.any(|c| "不没别未无".contains(c));
            add(match (list, negated) {
                ("angry", false) => "angry",
                ("angry", true) => "angry-negated",
                ("anxious", false) => "anxious",
                ("anxious", true) => "anxious-negated",
                ("satisfied", false) => "satisfied",
                ("satisfied", true) => "satisfied-negated",
                (other, _) => other,
            });
        }
    }
    let marks = |mark: char| canonical.chars.iter().filter(|c| **c == mark).count();
    for (mark, once, twice, many) in [
        ('!', "exclaim-1", "exclaim-2", "exclaim-many"),
        ('?', "ask-1", "ask-2", "ask-many"),
    ] {
        match marks(mark) {
            0 => {}
            1 => add(once),
            2 => add(twice),
            _ => add(many),
        }
    }
    if text.contains("?!") || text.contains("!?") {
        add("ask-exclaim");
    }
    if canonical
        .chars
        .windows(3)
        .any(|w| w[0] == w[1] && w[1] == w[2] && w[0].is_alphabetic())
    {
        add("drawn-out");
    }
    for piece in &normalized.pieces {
        match normalized.text.get(piece.start..piece.end).and_then(mood) {
            Some(EmojiMood::Happy) => add("emoji-happy"),
            Some(EmojiMood::Angry) => add("emoji-angry"),
            Some(EmojiMood::Sad) => add("emoji-sad"),
            Some(EmojiMood::Worried) => add("emoji-worried"),
            Some(EmojiMood::Plain) | None => {}
        }
    }
    add(match canonical.chars.len() {
        0..=4 => "length-4",
        5..=9 => "length-9",
        10..=19 => "length-19",
        20..=39 => "length-39",
        _ => "length-more",
    });
}

/// Whether there is anything to tell a feeling by: a number alone (a phone, an order, a date) has none.
pub(crate) fn can_tell(normalized: &Normalized) -> bool {
    normalized.pieces.iter().any(|piece| {
        let text = normalized
            .text
            .get(piece.start..piece.end)
            .unwrap_or_default();
        match piece.kind {
            PieceKind::Text => text.chars().any(|c| c.is_alphabetic() || "!?…".contains(c)),
            PieceKind::Placeholder => mood(text).is_some(),
        }
    })
}

/// The emotion of one turn.
pub(crate) fn read(classifier: &Classifier, features: &Features) -> EmotionReading {
    let probabilities = classifier.probabilities(&classifier.scores(features));
    let of = |label: EmotionLabel| {
        let id = labels::emotion_id(label);
        let index = classifier.labels().iter().position(|l| l == id);
        index.map_or(0.0, |i| f64::from(probabilities[i]))
    };
    let label = classifier
        .labels()
        .get(best(&probabilities))
        .and_then(|id| labels::emotion(id))
        .unwrap_or_default();
    let score =
        of(EmotionLabel::Satisfied) - of(EmotionLabel::Angry) - 0.5 * of(EmotionLabel::Anxious);
    EmotionReading {
        label,
        score: score.clamp(-1.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize;

    fn cues_of(text: &str) -> usize {
        let mut features = Features::new();
        cues(&Canonical::new(text), &normalize(text), &mut features);
        features.len()
    }

    #[test]
    fn the_lexicon_is_whole_and_its_words_are_found() {
        assert!(WORDS.is_some());
        // The length is always a cue.
        assert_eq!(cues_of("随便"), 1);
        assert_eq!(cues_of("垃圾"), 2);
        assert_eq!(cues_of("垃圾!!!😡"), 4);
    }

    #[test]
    fn a_negation_changes_the_cue() {
        let read = |text: &str| {
            let mut features = Features::new();
            cues(&Canonical::new(text), &normalize(text), &mut features);
            features
        };
        assert_ne!(read("很满意")[0], read("不满意")[1]);
    }
}
