//! Which known name a wrong one was probably meant to be.

use pinyin::ToPinyin;

/// The closest of the candidates, where one is close enough to be suggested.
///
/// Close is one edit for names of up to three characters, two for longer ones, or the same sound.
pub(crate) fn closest<'c>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = wrong.chars().count();
    let sound = sound_of(wrong);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let longest = length.max(candidate.chars().count());
            let allowed = match longest {
                0 | 1 => 0,
                2 | 3 => 1,
                _ => 2,
            };
            if longest.abs_diff(length) > 2 {
                return None;
            }
            let distance = strsim::osa_distance(wrong, candidate);
            let same_sound = sound.is_some() && sound == sound_of(candidate);
            (distance <= allowed || same_sound).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Plain pinyin of an all-Chinese name.
fn sound_of(name: &str) -> Option<String> {
    let mut out = String::new();
    for syllable in name.to_pinyin() {
        out.push_str(syllable?.plain());
        out.push(' ');
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn only_close_names_are_suggested() {
        let known = ["售后组", "综合组", "查订单", "规则"];
        assert_eq!(closest("售后", known), Some("售后组"));
        assert_eq!(closest("规责", known), Some("规则"));
        assert_eq!(closest("手后组", known), Some("售后组"));
        assert_eq!(closest("贵宾厅", known), None);
    }
}
