use super::*;

fn document(id: &str, question: &str, variants: &[&str]) -> FaqDocument {
    FaqDocument {
        id: id.to_owned(),
        category: "常见问题".to_owned(),
        question: question.to_owned(),
        variants: variants.iter().map(|v| (*v).to_owned()).collect(),
        answer: format!("{question}的答案"),
    }
}

fn base() -> Vec<FaqDocument> {
    vec![
        document(
            "invoice",
            "发票怎么开",
            &["能开发票吗", "公司要报销，给我开个票", "电子发票在哪里下载"],
        ),
        document(
            "return",
            "怎么退货",
            &[
                "七天无理由退货怎么操作",
                "买回来不想要了",
                "收到货不喜欢能退吗",
            ],
        ),
        document(
            "shipping",
            "多久能发货",
            &["什么时候发货", "下单之后几天能寄出来"],
        ),
        document(
            "password",
            "忘记密码怎么办",
            &["登录密码忘了", "进不去账号了"],
        ),
        document(
            "hours",
            "营业时间是几点到几点",
            &["几点开门", "晚上几点关门"],
        ),
    ]
}

fn index() -> (Understander, FaqIndex) {
    let understander = Understander::packaged().unwrap();
    let index = FaqIndex::build(&understander, &base()).unwrap();
    (understander, index)
}

#[test]
fn a_wording_of_an_entry_finds_it_for_certain() {
    let (understander, index) = index();
    for (position, document) in base().iter().enumerate() {
        for wording in std::iter::once(&document.question).chain(&document.variants) {
            let hits = index.search(&understander, wording, 3);
            assert_eq!(hits[0].index, position, "{wording}");
            assert!(hits[0].score > 0.85, "{wording} {hits:?}");
        }
    }
}

#[test]
fn unrelated_messages_score_low() {
    let (understander, index) = index();
    for text in ["你好", "今天天气怎么样", "哈哈哈", "", "？？", "123456"] {
        let hits = index.search(&understander, text, 3);
        assert!(hits.iter().all(|h| h.score < 0.6), "{text} {hits:?}");
    }
}

#[test]
fn hits_come_best_first_and_no_more_than_asked_for() {
    let (understander, index) = index();
    let hits = index.search(&understander, "怎么退货发票", 2);
    assert!(hits.len() <= 2);
    assert!(hits.windows(2).all(|w| w[0].score >= w[1].score));
    assert!(index.search(&understander, "发票", 0).is_empty());
}

#[test]
fn related_entries_are_others() {
    let (_, index) = index();
    let related = index.related(1, 3);
    assert!(!related.contains(&1) && related.len() <= 3);
    assert!(index.related(99, 3).is_empty());
}

#[test]
fn a_bad_base_is_refused_by_name() {
    let understander = Understander::packaged().unwrap();
    let mut twice = base();
    twice[3].id = "invoice".to_owned();
    let error = FaqIndex::build(&understander, &twice)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("invoice") && error.contains("第 1 条和第 4 条"),
        "{error}"
    );
    let mut empty = base();
    empty[2].answer = " ".to_owned();
    let error = FaqIndex::build(&understander, &empty)
        .unwrap_err()
        .to_string();
    assert!(error.contains("没有答案"), "{error}");
}

#[test]
fn an_empty_base_finds_nothing() {
    let understander = Understander::packaged().unwrap();
    let index = FaqIndex::build(&understander, &[]).unwrap();
    assert!(index.is_empty());
    assert!(index.search(&understander, "发票怎么开", 3).is_empty());
}
