//! Menus: what they look like and which item a customer means.

use yingda_dsl::program::{Menu, MenuItem};
use yingda_models::text::fold;

use crate::reading::Reading;

/// The item a message chooses: by number in any writing, text, synonym or tap.
pub(crate) fn choose(menu: &Menu, reading: &Reading) -> Option<usize> {
    if let Some(id) = &reading.menu_id {
        let tapped = menu
            .items
            .iter()
            .position(|item| item.number.to_string() == *id);
        // A tap on an older menu has a number of this one but another text.
        let same = |index: &usize| {
            menu.items
                .get(*index)
                .is_some_and(|item| reading.folded.is_empty() || fold(&item.text) == reading.folded)
        };
        if let Some(index) = tapped.filter(same) {
            return Some(index);
        }
    }
    if reading.folded.is_empty() {
        return None;
    }
    let named = menu
        .items
        .iter()
        .position(|item| names(item).any(|name| fold(name) == reading.folded));
    named.or_else(|| {
        let number = choice_number(&reading.folded)?;
        menu.items.iter().position(|item| item.number == number)
    })
}

/// The one item whose text or synonym the message holds, unless it is denied: tried when nothing else took the message.
pub(crate) fn choose_loosely(menu: &Menu, reading: &Reading) -> Option<usize> {
    let text = &reading.folded;
    let held = |item: &MenuItem| {
        names(item).any(|name| {
            let name = fold(name);
            !name.is_empty()
                && text.find(&name).is_some_and(|at| {
                    let before = text.get(..at).unwrap_or_default();
                    !before.ends_with(['不', '别', '没', '非'])
                        && !before.ends_with("不要")
                        && !before.ends_with("不想")
                })
        })
    };
    let mut held = menu.items.iter().enumerate().filter(|(_, item)| held(item));
    let (index, _) = held.next()?;
    held.next().is_none().then_some(index)
}

fn names(item: &MenuItem) -> impl Iterator<Item = &str> {
    std::iter::once(&item.text)
        .chain(&item.synonyms)
        .map(String::as_str)
}

/// The number a customer chose: `1`, `１`, `一`, `①`, `1.`, `选1`, `第一个`, `1号`. The text is folded.
pub(crate) fn choice_number(folded: &str) -> Option<u32> {
    let mut text = folded.trim_matches([' ', '.', '(', ')']);
    for prefix in [
        "我要",
        "我选",
        "我想要",
        "我",
        "请",
        "回复",
        "选择",
        "选",
        "按",
        "第",
        "那就",
        "就",
    ] {
        text = text.strip_prefix(prefix).unwrap_or(text).trim_start();
    }
    for suffix in ["吧", "谢谢", "个", "项", "号", "条", "种"] {
        text = text.strip_suffix(suffix).unwrap_or(text).trim_end();
    }
    if text.is_empty() || text.chars().count() > 4 {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    chinese_number(text)
}

/// 零 to 九十九.
fn chinese_number(text: &str) -> Option<u32> {
    let digit = |c: char| {
        "零一二三四五六七八九"
            .chars()
            .position(|d| d == c)
            .map(|d| d as u32)
    };
    let chars: Vec<char> = text
        .chars()
        .map(|c| if c == '两' { '二' } else { c })
        .collect();
    match chars.as_slice() {
        ['十'] => Some(10),
        [one] => digit(*one),
        ['十', ones] => Some(10 + digit(*ones)?),
        [tens, '十'] => Some(digit(*tens)? * 10),
        [tens, '十', ones] => Some(digit(*tens)? * 10 + digit(*ones)?),
        _ => None,
    }
}

/// Whether a message asks for the menu before: `0`, `返回`.
pub(crate) fn is_back(folded: &str) -> bool {
    choice_number(folded) == Some(0) || matches!(folded, "返回" | "上一级" | "返回上一级")
}

/// `1 到 7`, for sentences about a menu.
pub(crate) fn range(menu: &Menu) -> String {
    let numbers = || menu.items.iter().map(|item| item.number);
    match (numbers().min(), numbers().max()) {
        (Some(least), Some(most)) if least != most => format!("{least} 到 {most}"),
        (Some(only), _) => only.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_writing() {
        let cases = [
            ("1", Some(1)),
            ("７", Some(7)),
            ("一", Some(1)),
            ("①", Some(1)),
            ("1.", Some(1)),
            ("选1", Some(1)),
            ("第一个", Some(1)),
            ("我选3", Some(3)),
            ("3号", Some(3)),
            ("（2）", Some(2)),
            ("⑵", Some(2)),
            ("第十二项", Some(12)),
            ("二十", Some(20)),
            ("两", Some(2)),
            ("1吧", Some(1)),
            ("回复 2", Some(2)),
            ("1、", Some(1)),
            ("0", Some(0)),
            ("12345", None),
            ("13800138000", None),
            ("一下", None),
            ("我要退货", None),
            ("", None),
            ("选", None),
            ("第", None),
            ("1️⃣", Some(1)),
            ("壹", None),
        ];
        for (text, expected) in cases {
            assert_eq!(choice_number(&fold(text)), expected, "{text}");
        }
    }
}
