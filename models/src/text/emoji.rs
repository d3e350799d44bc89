//! Emoji and WeChat bracket codes as one alphabet of names: `😡`, `[发怒]` and `/::@` are all `[发怒]`.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// What an emoji says about the one who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmojiMood {
    Happy,
    Angry,
    Sad,
    Worried,
    /// Nothing by itself; `[微笑]` is as often cold as kind.
    Plain,
}

use EmojiMood::{Angry, Happy, Plain, Sad, Worried};

/// Name, mood, the Unicode emoji written the same, the old keyboard codes. WeChat's own names, as its client shows them.
const TABLE: &[(&str, EmojiMood, &str, &[&str])] = &[
    ("[微笑]", Plain, "🙂", &["/::)"]),
    ("[撇嘴]", Sad, "😟", &["/::~"]),
    ("[色]", Happy, "😍🥰😻", &["/::b"]),
    ("[发呆]", Plain, "😳", &["/::|"]),
    ("[得意]", Happy, "😎", &["/:8-)"]),
    ("[流泪]", Sad, "😢😥", &["/::<"]),
    ("[害羞]", Happy, "☺😊", &["/::$"]),
    ("[闭嘴]", Plain, "🤐", &["/::x"]),
    ("[睡]", Plain, "😴💤", &["/::z"]),
    ("[大哭]", Sad, "😭", &["/::'("]),
    ("[尴尬]", Worried, "😅", &["/::-|"]),
    ("[发怒]", Angry, "😡😠🤬👿💢", &["/::@"]),
    ("[调皮]", Happy, "😜😝😛", &["/::p"]),
    ("[呲牙]", Happy, "😁😀😃😄", &["/::d"]),
    ("[惊讶]", Worried, "😮😲😱", &["/::o"]),
    ("[难过]", Sad, "☹🙁😞😔", &["/::("]),
    ("[囧]", Worried, "😣😖", &[]),
    ("[抓狂]", Angry, "😫😩", &["/::q"]),
    ("[吐]", Angry, "🤮🤢", &["/::t"]),
    ("[偷笑]", Happy, "🤭", &["/:,@p"]),
    ("[愉快]", Happy, "😌", &["/:,@-d"]),
    ("[白眼]", Angry, "🙄", &["/::d"]),
    ("[傲慢]", Angry, "😤", &["/:,@o"]),
    ("[困]", Plain, "🥱", &["/:|-)"]),
    ("[惊恐]", Worried, "😨😧", &["/::!"]),
    ("[憨笑]", Happy, "😆", &["/::>"]),
    ("[悠闲]", Happy, "", &["/::,@"]),
    ("[咒骂]", Angry, "", &["/::-s"]),
    ("[疑问]", Plain, "❓🤔🤨", &["/:?"]),
    ("[嘘]", Plain, "🤫", &["/:,@x"]),
    ("[晕]", Worried, "😵🥴", &["/:,@@"]),
    ("[衰]", Sad, "", &["/:,@!"]),
    ("[骷髅]", Angry, "💀", &["/:!!!"]),
    ("[敲打]", Angry, "🔨", &["/:xx"]),
    ("[再见]", Plain, "👋", &["/:bye"]),
    ("[擦汗]", Worried, "😓", &["/:wipe"]),
    ("[抠鼻]", Angry, "", &["/:dig"]),
    ("[鼓掌]", Happy, "👏", &["/:handclap"]),
    ("[坏笑]", Happy, "😏", &["/:b-)"]),
    ("[右哼哼]", Angry, "", &["/:@>"]),
    ("[左哼哼]", Angry, "", &["/:<@"]),
    ("[哈欠]", Plain, "", &["/::-o"]),
    ("[鄙视]", Angry, "👎", &["/:>-|"]),
    ("[委屈]", Sad, "🥺", &["/:p-("]),
    ("[快哭了]", Sad, "", &["/::'|"]),
    ("[阴险]", Angry, "", &["/:x-)"]),
    ("[亲亲]", Happy, "😘😚😙", &["/::*"]),
    ("[可怜]", Sad, "", &["/:8*"]),
    ("[菜刀]", Angry, "🔪🗡", &["/:pd"]),
    ("[西瓜]", Plain, "🍉", &[]),
    ("[啤酒]", Plain, "🍺🍻", &["/:beer"]),
    ("[咖啡]", Plain, "☕", &["/:coffee"]),
    ("[玫瑰]", Happy, "🌹💐🌸", &["/:rose"]),
    ("[凋谢]", Sad, "🥀", &["/:fade"]),
    ("[嘴唇]", Happy, "💋", &["/:showlove"]),
    ("[爱心]", Happy, "❤💕💖💗💓♥🧡💛💚💙💜", &["/:heart"]),
    ("[心碎]", Sad, "💔", &["/:break"]),
    ("[蛋糕]", Happy, "🎂", &["/:cake"]),
    ("[闪电]", Plain, "⚡", &["/:li"]),
    ("[炸弹]", Angry, "💣💥", &["/:bome"]),
    ("[便便]", Angry, "💩", &["/:shit"]),
    ("[月亮]", Plain, "🌙", &["/:moon"]),
    ("[太阳]", Plain, "🌞☀", &["/:sun"]),
    ("[拥抱]", Happy, "🤗", &["/:hug"]),
    ("[强]", Happy, "👍", &["/:strong"]),
    ("[弱]", Angry, "", &["/:weak"]),
    ("[握手]", Happy, "🤝", &["/:share"]),
    ("[胜利]", Happy, "✌", &["/:v"]),
    ("[抱拳]", Happy, "", &["/:@)"]),
    ("[勾引]", Plain, "", &["/:jj"]),
    ("[拳头]", Angry, "👊✊", &["/:@@"]),
    ("[ok]", Happy, "👌🆗✅", &["/:ok"]),
    ("[跳跳]", Happy, "💃", &["/:jump"]),
    ("[发抖]", Worried, "🥶", &["/:shake"]),
    ("[怄火]", Angry, "🔥", &["/:<o>"]),
    ("[转圈]", Happy, "", &["/:circle"]),
    ("[笑脸]", Happy, "☺", &[]),
    ("[生病]", Sad, "😷🤒🤕", &[]),
    ("[破涕为笑]", Happy, "😂🤣", &[]),
    ("[吐舌]", Happy, "", &[]),
    ("[脸红]", Happy, "", &[]),
    ("[恐惧]", Worried, "😰", &[]),
    ("[失望]", Sad, "", &[]),
    ("[无语]", Angry, "😒😑😐😶", &[]),
    ("[嘿哈]", Happy, "", &[]),
    ("[捂脸]", Worried, "🤦", &[]),
    ("[奸笑]", Happy, "😈", &[]),
    ("[机智]", Happy, "", &[]),
    ("[皱眉]", Worried, "😕", &[]),
    ("[耶]", Happy, "", &[]),
    ("[吃瓜]", Plain, "", &[]),
    ("[加油]", Happy, "💪", &[]),
    ("[汗]", Worried, "💦", &[]),
    ("[天啊]", Worried, "", &[]),
    ("[emm]", Plain, "", &[]),
    ("[社会社会]", Plain, "", &[]),
    ("[旺柴]", Plain, "🐶", &[]),
    ("[好的]", Happy, "", &[]),
    ("[打脸]", Worried, "", &[]),
    ("[哇]", Happy, "🤩", &[]),
    ("[翻白眼]", Angry, "", &[]),
    ("[666]", Happy, "", &[]),
    ("[让我看看]", Plain, "👀", &[]),
    ("[叹气]", Sad, "😮‍💨", &[]),
    ("[苦涩]", Sad, "", &[]),
    ("[裂开]", Angry, "", &[]),
    ("[礼物]", Happy, "🎁", &[]),
    ("[庆祝]", Happy, "🎉🎊🥳", &[]),
    ("[合十]", Happy, "🙏", &[]),
    ("[红包]", Plain, "🧧", &[]),
    ("[發]", Plain, "", &[]),
    ("[福]", Happy, "", &[]),
    ("[烟花]", Happy, "🎆", &[]),
    ("[爆竹]", Happy, "🧨", &[]),
    ("[猪头]", Plain, "🐷", &["/:pig"]),
];

/// Any emoji without a name of its own.
const OTHER: &str = "[表情]";

static BY_CHAR: LazyLock<FxHashMap<char, &'static str>> = LazyLock::new(|| {
    let mut map = FxHashMap::default();
    for (name, _, emoji, _) in TABLE {
        for c in emoji.chars().filter(|c| is_emoji(*c)) {
            map.entry(c).or_insert(*name);
        }
    }
    map
});

static MOODS: LazyLock<FxHashMap<&'static str, EmojiMood>> =
    LazyLock::new(|| TABLE.iter().map(|row| (row.0, row.1)).collect());

/// The mood of an emoji given by its name in brackets; `None` for what is no emoji.
pub fn mood(name: &str) -> Option<EmojiMood> {
    if name == OTHER {
        return Some(Plain);
    }
    MOODS.get(name).copied()
}

/// The emoji that starts at `at` of a canonical text: its name in brackets and how many characters it takes.
pub(crate) fn at(chars: &[char], at: usize) -> Option<(&'static str, usize)> {
    let first = *chars.get(at)?;
    match first {
        '[' => bracketed(&chars[at..]),
        '/' => typed(&chars[at..]),
        c if is_emoji(c) => {
            let name = BY_CHAR.get(&c).copied().unwrap_or(OTHER);
            Some((name, sequence(&chars[at..])))
        }
        _ => None,
    }
}

fn bracketed(rest: &[char]) -> Option<(&'static str, usize)> {
    // The longest name has four characters.
    let close = rest.iter().take(7).position(|c| *c == ']')?;
    let name: String = rest[..=close].iter().collect();
    if name == OTHER {
        return Some((OTHER, close + 1));
    }
    let (name, _) = MOODS.get_key_value(name.as_str())?;
    Some((name, close + 1))
}

fn typed(rest: &[char]) -> Option<(&'static str, usize)> {
    if rest.get(1) != Some(&':') {
        return None;
    }
    let mut best: Option<(&'static str, usize)> = None;
    for (name, _, _, codes) in TABLE {
        for code in *codes {
            let length = code.len();
            let same = rest.len() >= length && code.chars().zip(rest).all(|(a, b)| a == *b);
            if same && best.is_none_or(|(_, longest)| length > longest) {
                best = Some((name, length));
            }
        }
    }
    best
}

/// How many characters one emoji takes with its skin tones, joined parts, tags, or second flag letter.
fn sequence(rest: &[char]) -> usize {
    let mut length = 1;
    if is_flag(rest[0]) && rest.get(1).is_some_and(|c| is_flag(*c)) {
        return 2;
    }
    while let Some(c) = rest.get(length) {
        match c {
            '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}' => length += 1,
            '\u{200d}' => {
                length += 1;
                if rest
                    .get(length)
                    .is_some_and(|c| is_emoji(*c) || *c == '♂' || *c == '♀')
                {
                    length += 1;
                }
            }
            _ => break,
        }
    }
    length
}

fn is_flag(c: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)
}

pub(crate) fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{2604}' | '\u{2607}'..='\u{265f}' | '\u{2661}'..='\u{27bf}'
        | '\u{231a}'..='\u{231b}' | '\u{23e9}'..='\u{23fa}' | '\u{2b1b}'..='\u{2b1c}' | '\u{2b50}' | '\u{2b55}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<(&'static str, usize)> {
        let chars: Vec<char> = text.chars().collect();
        at(&chars, 0)
    }

    #[test]
    fn three_ways_of_writing_are_one_name() {
        assert_eq!(name("😡").map(|n| n.0), Some("[发怒]"));
        assert_eq!(name("[发怒]"), Some(("[发怒]", 4)));
        assert_eq!(name("/::@"), Some(("[发怒]", 4)));
    }

    #[test]
    fn a_joined_or_toned_emoji_is_one() {
        assert_eq!(name("👍🏽好"), Some(("[强]", 2)));
        assert_eq!(name("👨\u{200d}👩\u{200d}👧"), Some(("[表情]", 5)));
        assert_eq!(name("🇨🇳"), Some(("[表情]", 2)));
    }

    #[test]
    fn other_brackets_and_slashes_are_text() {
        assert_eq!(name("[订单]"), None);
        assert_eq!(name("["), None);
        assert_eq!(name("/a"), None);
        assert_eq!(name("/:"), None);
    }
}
