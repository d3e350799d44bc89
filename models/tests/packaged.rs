//! The packaged model is what the data gives, and reads messages as a person would.

// A bench or test that cannot set itself up should stop.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use yingda_models::train::{self, PackagedData, Source};
use yingda_models::{EmotionLabel, EntityKind, Understander};

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect()
}

fn sources(files: &[(String, String)]) -> Vec<Source<'_>> {
    files
        .iter()
        .map(|(name, content)| Source { name, content })
        .collect()
}

#[test]
fn the_packaged_model_was_trained_on_the_data_beside_it() {
    let (intents, out_of_scope, emotions) =
        (files("intents"), files("out_of_scope"), files("emotion"));
    let hash = train::data_hash(&PackagedData {
        intents: &sources(&intents),
        out_of_scope: &sources(&out_of_scope),
        emotions: &sources(&emotions),
    });
    let model = Understander::packaged().unwrap();
    assert_eq!(
        model.data_hash(),
        hash,
        "run the command in models/README.md that makes the packaged model"
    );
}

#[test]
fn the_packaged_model_is_under_five_megabytes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaged/standard.yim");
    assert!(std::fs::metadata(file).unwrap().len() < 5_000_000);
}

#[test]
fn every_training_label_is_standard_and_no_text_has_two() {
    let mut seen = std::collections::HashMap::new();
    for (name, content) in files("intents") {
        for example in train::labelled(Source {
            name: &name,
            content: &content,
        })
        .unwrap()
        {
            let label = example.label.unwrap();
            assert!(
                yingda_models::labels::intent_name(&label).is_some(),
                "{name}: {label}"
            );
            let before = seen.insert(example.text.clone(), label.clone());
            assert!(
                before.is_none(),
                "{name}: {} is there twice, {before:?} and {label}",
                example.text
            );
        }
    }
}

/// Character bigrams of the folded text.
fn bigrams(text: &str) -> std::collections::BTreeSet<(char, char)> {
    let letters: Vec<char> = yingda_models::text::fold(text)
        .chars()
        .filter(|c| *c != ' ')
        .collect();
    letters.windows(2).map(|w| (w[0], w[1])).collect()
}

#[test]
fn no_development_text_is_near_a_training_text() {
    let mut index: std::collections::HashMap<(char, char), Vec<usize>> = Default::default();
    let mut training = Vec::new();
    for (_, content) in files("intents").iter().chain(&files("out_of_scope")) {
        for line in content
            .lines()
            .filter(|l| !l.starts_with('#') && !l.is_empty())
        {
            let text = line.rsplit('\t').next().unwrap();
            for bigram in bigrams(text) {
                index.entry(bigram).or_default().push(training.len());
            }
            training.push(text.to_owned());
        }
    }
    let mut near = Vec::new();
    for (_, content) in files("dev") {
        for line in content
            .lines()
            .filter(|l| !l.starts_with('#') && !l.is_empty())
        {
            let text = line.rsplit('\t').next().unwrap();
            let wanted = bigrams(text);
            // Below four pairs a greeting or a call for a person can be said in one way only.
            if wanted.len() < 4 {
                continue;
            }
            let mut shared: std::collections::HashMap<usize, usize> = Default::default();
            for place in wanted.iter().filter_map(|b| index.get(b)).flatten() {
                *shared.entry(*place).or_default() += 1;
            }
            for (place, count) in shared {
                let all = wanted.len() + bigrams(&training[place]).len() - count;
                if count as f64 / all as f64 > 0.8 {
                    near.push(format!("{text} / {}", training[place]));
                }
            }
        }
    }
    near.sort();
    assert!(near.is_empty(), "{near:#?}");
}

#[test]
fn everyday_messages_are_read_right() {
    let model = Understander::packaged().unwrap();
    let cases = [
        ("我要退货", Some("return_exchange")),
        ("发票怎么开", Some("invoice")),
        ("转人工", Some("human_agent")),
        ("我的快递到哪了", Some("track_order")),
        ("忘记密码了登不上去", Some("login_password")),
        ("你们几点关门", Some("store_info")),
        ("我要投诉你们", Some("complaint")),
        ("能便宜点吗，有没有优惠券", Some("promotion")),
        ("可以用花呗吗", Some("payment_method")),
        ("谢谢", Some("chitchat")),
        ("", None),
        ("？？？", None),
    ];
    for (text, expected) in cases {
        let intent = model.understand(text).intent;
        assert_eq!(intent.label.as_deref(), expected, "{text} {:?}", intent.top);
    }
}

#[test]
fn anger_and_thanks_are_told_apart() {
    let model = Understander::packaged().unwrap();
    for (text, label) in [
        ("你们就是骗子！！垃圾公司😡", EmotionLabel::Angry),
        ("太感谢了，服务特别好[玫瑰]", EmotionLabel::Satisfied),
        ("急死了，怎么还没到，孩子等着用", EmotionLabel::Anxious),
        ("请问几点开门", EmotionLabel::Neutral),
    ] {
        let emotion = model.understand(text).emotion;
        assert_eq!(emotion.label, label, "{text} {emotion:?}");
        assert!((-1.0..=1.0).contains(&emotion.score));
    }
}

#[test]
fn entities_keep_their_place_in_the_original() {
    let model = Understander::packaged().unwrap();
    let text = "打１３８ ００１３ ８０００，买两件";
    let understanding = model.understand(text);
    let phone = &understanding.entities[0];
    assert_eq!(
        (phone.kind, phone.value.as_str()),
        (EntityKind::Phone, "13800138000")
    );
    assert_eq!(
        text.chars()
            .skip(phone.start)
            .take(phone.end - phone.start)
            .collect::<String>(),
        "１３８ ００１３ ８０００"
    );
    assert_eq!(understanding.normalized, "打PHONE,买两件");
    assert_eq!(understanding.entities[1].kind, EntityKind::Quantity);
}

#[test]
fn reading_is_the_same_every_time_and_survives_anything() {
    let model = Understander::packaged().unwrap();
    let long = "退货".repeat(50_000);
    for text in [
        long.as_str(),
        "\u{0}\u{1}",
        "👨‍👩‍👧‍👦",
        "ﷺ",
        "\u{202e}abc",
        "123456789012345678901234567890",
        "е́",
    ] {
        let first = model.understand(text);
        assert_eq!(first, model.understand(text));
        assert!(first.intent.confidence.is_finite());
    }
}

#[test]
fn a_hundred_thousand_hostile_characters_are_read_in_passing() {
    let model = Understander::packaged().unwrap();
    for part in [
        "a.",
        "十",
        "1 ",
        "1",
        "[",
        "/:",
        "一",
        "京a",
        "a@",
        "😡",
        "13800138000 ",
        "www.a",
        "明天",
        "半",
        "8月",
    ] {
        let text = part.repeat(100_000 / part.chars().count());
        assert!(model.understand(&text).intent.confidence.is_finite());
        assert!(!yingda_models::mask(&text).is_empty());
    }
}

#[test]
fn a_packages_own_words_change_the_tokens_and_not_the_intent() {
    let model = Understander::packaged().unwrap();
    let own = model.with_words(&["畅享宝卡".to_owned()]);
    assert!(
        own.tokenize("畅享宝卡多少钱")
            .contains(&"畅享宝卡".to_owned())
    );
    assert_eq!(
        own.understand("畅享宝卡多少钱").intent,
        model.understand("畅享宝卡多少钱").intent
    );
    assert_eq!(own.fingerprint(), model.fingerprint());
}
