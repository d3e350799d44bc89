//! Variants and experiment arms: a stable hash stands where others draw lots.

use jiff::civil::Date;
use yingda_dsl::program::Experiment;

/// A hash that stays the same over machines and versions (FNV-1a, 64 bit, with a final mix): never change it, running
/// experiments hang on it.
pub fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The arm of an experiment a customer belongs to. Outside its period everybody is in the arm the guard falls back
/// to, else in the first.
pub fn arm_of(experiment: &Experiment, customer: &str, today: Date) -> usize {
    let running = experiment
        .period
        .is_none_or(|(first, last)| first <= today && today <= last);
    if !running {
        return experiment.guard.as_ref().map_or(0, |guard| guard.arm);
    }
    let point = (stable_hash(&[&experiment.salt, customer]) % 10_000) as u32;
    let mut sum = 0;
    for (index, arm) in experiment.arms.iter().enumerate() {
        sum += arm.share;
        if point < sum {
            return index;
        }
    }
    0
}

/// Which of `count` variants a customer gets in a turn. Nobody in particular gets the first: so tests of a package can
/// expect a text.
pub fn variant_of(count: usize, customer: &str, turn: u32, what: &str) -> usize {
    if count < 2 || customer.is_empty() {
        return 0;
    }
    (stable_hash(&[customer, &turn.to_string(), what]) % count as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use yingda_dsl::program::Arm;
    use yingda_dsl::source::Span;

    fn experiment() -> Experiment {
        Experiment {
            name: "退货新话术".into(),
            salt: "tuihuo-202611".into(),
            period: None,
            arms: vec![
                Arm {
                    name: "对照".into(),
                    share: 7_000,
                },
                Arm {
                    name: "新版".into(),
                    share: 3_000,
                },
            ],
            metrics: Vec::new(),
            guard: None,
            span: Span::default(),
        }
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(stable_hash(&["盐", "客户"]), stable_hash(&["盐", "客户"]));
        assert_ne!(stable_hash(&["ab", "c"]), stable_hash(&["a", "bc"]));
        assert_eq!(stable_hash(&[]), 17_058_014_651_485_797_458);
    }

    #[test]
    fn arms_get_about_their_share() {
        let experiment = experiment();
        let day = Date::constant(2026, 11, 20);
        let new = (0..10_000)
            .filter(|n| arm_of(&experiment, &format!("客户{n}"), day) == 1)
            .count();
        assert!((2_800..3_200).contains(&new), "{new}");
    }

    #[test]
    fn outside_its_period_everybody_is_in_the_first_arm() {
        let mut experiment = experiment();
        experiment.period = Some((Date::constant(2026, 11, 20), Date::constant(2026, 12, 4)));
        let day = Date::constant(2026, 12, 5);
        assert!((0..100).all(|n| arm_of(&experiment, &format!("{n}"), day) == 0));
        let day = Date::constant(2026, 12, 4);
        assert!((0..100).any(|n| arm_of(&experiment, &format!("{n}"), day) == 1));
    }
}
