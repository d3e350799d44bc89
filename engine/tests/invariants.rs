//! What holds for every program, conversation and event.

mod programs;

use std::sync::OnceLock;

use jiff::SignedDuration;
use programs::*;
use proptest::prelude::*;
use proptest::strategy::Strategy;
use yingda_dsl::program::*;
use yingda_engine::conversation::{Conversation, Owner};
use yingda_engine::event::{Event, Message, Outcome, Surroundings};
use yingda_engine::turn::Effect;
use yingda_engine::{Bot, Evaluation};

const WORDS: [&str; 14] = [
    "人工",
    "退货",
    "退款",
    "订单",
    "投诉",
    "发票",
    "不要人工",
    "快递",
    "😡",
    "？",
    "在吗",
    "vip",
    "查",
    "优惠券",
];

fn pick() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

fn text_condition() -> impl Strategy<Value = Condition> {
    let how = prop::sample::select(vec![
        TextMatch::Contains,
        TextMatch::Contains,
        TextMatch::Equals,
        TextMatch::NotContains,
        TextMatch::Word,
        TextMatch::SoundsLike,
        TextMatch::Wildcard,
        TextMatch::Regex,
    ]);
    (how, prop::collection::vec(pick(), 1..4)).prop_map(|(how, list)| {
        let owned: Vec<String> = list
            .iter()
            .map(|word| match how {
                TextMatch::Wildcard => format!("*{word}?*"),
                TextMatch::Regex if word.chars().all(char::is_alphanumeric) => format!("{word}.?"),
                TextMatch::Regex => "[0-9]{3}".to_owned(),
                _ => (*word).to_owned(),
            })
            .collect();
        words(how, &owned.iter().map(String::as_str).collect::<Vec<_>>())
    })
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        6 => text_condition(),
        1 => Just(check(Check::Emotion(vec![Emotion::Angry]), "情绪 是 愤怒")),
        1 => Just(check(Check::Tag("投诉".to_owned()), "有标签 \"投诉\"")),
        1 => prop::sample::select(vec![EventKind::Subscribe, EventKind::FirstContact, EventKind::Enter])
            .prop_map(|kind| check(Check::Event(vec![kind]), "事件 是 …")),
        1 => Just(check(
            Check::Intent { labels: vec!["track_order".to_owned()], min: Some(0.5) },
            "意图 是 订单跟踪 置信度 ≥ 0.50",
        )),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|all| condition(ConditionKind::All(all), "全部")),
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|any| condition(ConditionKind::Any(any), "任一")),
            inner.prop_map(|one| condition(ConditionKind::Not(Box::new(one)), "非")),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop_oneof![
            3 => pick().prop_map(str::to_owned),
            1 => "[我要的了 ，！a1]{0,4}",
        ], 0..5).prop_map(|parts| parts.concat()),
        1 => "[0-9一二①]{1,2}",
        1 => "1[38][0-9]{9}",
        1 => "\\PC{0,30}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_index_never_changes_a_turn(
        groups in prop::collection::vec(prop::collection::vec(any_condition(), 0..60), 1..4),
        events in prop::collection::vec(prop_oneof![
            5 => any_text().prop_map(|text| message(&text)),
            1 => Just(Event::Subscribe { scene: None }),
            1 => Just(Event::Enter { scene: None }),
        ], 1..6),
    ) {
        let mut builder = Builder::default();
        for (g, conditions) in groups.into_iter().enumerate() {
            let rules = conditions
                .into_iter()
                .enumerate()
                .map(|(r, condition)| {
                    let name = format!("规则{g}-{r}");
                    let op = if r % 5 == 0 { Op::Tag(name.clone()) } else { say(&name) };
                    let action = builder.routine(&format!("规则 {name}"), RoutineKind::Action, vec![op]);
                    (name, condition, action)
                })
                .collect();
            let group = builder.group(&format!("组{g}"), rules);
            builder.stage(Stage::Group(group), &format!("组{g}"));
        }
        let bot = builder.build();
        let mut conversation = conversation();
        for event in events {
            let indexed = bot.decide_by(&conversation, &event, &around(), Evaluation::Indexed);
            let plain = bot.decide_by(&conversation, &event, &around(), Evaluation::Plain);
            prop_assert_eq!(&indexed, &plain);
            conversation = indexed.next;
        }
    }
}

/// A shop with everything that waits: nested menus, questions, calls, handoffs with limits, every kind of interruption.
fn shop() -> &'static Bot {
    static SHOP: OnceLock<Bot> = OnceLock::new();
    SHOP.get_or_init(build_shop)
}

fn build_shop() -> Bot {
    let mut b = Builder::default();
    let desk = b.skill_group("综合组");
    let sales = b.skill_group("售后组");
    b.program.connectors.push(Connector {
        name: "查询订单".into(),
        parameters: vec![("手机号".into(), Type::Phone)],
        result: vec![("状态".into(), Type::Text)],
        span: Default::default(),
    });
    // Keys are entered by index, so the order here is fixed: 0 main menu, 1 returns, 2 order, 3 leave a message, 4 form.
    let handoff = |group| {
        Op::Handoff(Handoff {
            target: HandoffTarget::Group(group),
            urgency: Urgency::Normal,
            note: None,
            queue_over: None,
        })
    };
    let item = |number, text: &str, target| MenuItem {
        number,
        text: text.into(),
        synonyms: vec![],
        target,
    };
    let menu = |name: &str, items, other| {
        Op::Menu(Menu {
            name: name.into(),
            prompt: Some(says("请选：")),
            items,
            misses: 2,
            miss_text: None,
            other,
        })
    };
    let ask = |variable: &str, ty, give_up| {
        Op::Ask(Ask {
            variable: variable.into(),
            ty,
            pattern: None,
            prompt: says("请发："),
            retries: 1,
            retry_prompt: Some(says("不对，再发：")),
            give_up,
            confirm: None,
        })
    };
    b.routine(
        "流程 主菜单",
        RoutineKind::Flow(Interrupt::Resume),
        vec![
            menu(
                "主",
                vec![
                    item(1, "查订单", 1),
                    item(2, "退换货", 2),
                    item(3, "人工", 3),
                ],
                3,
            ),
            Op::Enter { routine: 2 },
            Op::Enter { routine: 1 },
            handoff(desk),
        ],
    );
    b.routine(
        "菜单 退换货",
        RoutineKind::Menu,
        vec![
            menu("退", vec![item(1, "退货", 1), item(2, "换货", 3)], 4),
            say("退货在订单页申请。"),
            Op::End,
            Op::Enter { routine: 4 },
            handoff(sales),
        ],
    );
    b.routine(
        "流程 查订单",
        RoutineKind::Flow(Interrupt::Ask),
        vec![
            ask("手机号", Type::Phone, 5),
            Op::Call(Call {
                connector: 0,
                arguments: vec![Expr::Field(Field::Variable("手机号".into()))],
                result: Some("订单".into()),
                timeout_ms: 3_000,
                success: 2,
                failure: 4,
                timed_out: 5,
            }),
            say("订单找到了。"),
            Op::End,
            Op::Enter { routine: 3 },
            handoff(sales),
        ],
    );
    b.routine(
        "流程 留言",
        RoutineKind::Flow(Interrupt::Never),
        vec![Op::LeaveMessage {
            prompt: template("请留言："),
        }],
    );
    b.routine(
        "流程 登记",
        RoutineKind::Flow(Interrupt::Abandon),
        vec![
            ask("尺码", Type::Choice(vec!["大".into(), "小".into()]), 3),
            say("登记好了。"),
            Op::End,
            Op::Enter { routine: 0 },
        ],
    );
    let complain = b.routine(
        "规则 投诉",
        RoutineKind::Action,
        vec![
            Op::Soothe,
            Op::Tag("投诉".into()),
            Op::Handoff(Handoff {
                target: HandoffTarget::Group(sales),
                urgency: Urgency::Urgent,
                note: None,
                queue_over: Some((60, 3)),
            }),
            say("专员会尽快联系您。"),
        ],
    );
    let tag = b.routine(
        "规则 标记",
        RoutineKind::Action,
        vec![Op::Tag("快递".into())],
    );
    let block = b.routine(
        "规则 广告",
        RoutineKind::Action,
        vec![Op::Block {
            reason: "广告".into(),
        }],
    );
    let enter = |b: &mut Builder, name: &str, routine| {
        b.routine(
            &format!("规则 {name}"),
            RoutineKind::Action,
            vec![Op::Enter { routine }],
        )
    };
    let (hello, order, form, leave) = (
        enter(&mut b, "你好", 0),
        enter(&mut b, "订单", 2),
        enter(&mut b, "优惠券", 4),
        enter(&mut b, "发票", 3),
    );
    b.program.skill_groups[sales].queue_limit = Some((5, leave));
    b.program.skill_groups[desk].queue_over = Some((300, leave));
    let rule = |name: &str, word: &str, action| {
        (name.to_owned(), words(TextMatch::Contains, &[word]), action)
    };
    let early = b.group(
        "安全",
        vec![
            rule("投诉", "投诉", complain),
            rule("标记", "快递", tag),
            rule("广告", "vip", block),
        ],
    );
    let daily = b.group(
        "日常",
        vec![
            rule("你好", "在吗", hello),
            rule("订单", "订单", order),
            rule("优惠券", "优惠券", form),
            rule("发票", "发票", leave),
        ],
    );
    b.faq(
        "退货",
        "怎么退货",
        &["我想把东西退掉", "退货流程"],
        "在订单页点申请退货。",
    );
    b.faq(
        "退款",
        "退款多久到账",
        &["钱什么时候退回来", "退款要几天"],
        "三个工作日。",
    );
    b.program.bot.unrecognized = Some((2, hello));
    b.program.bot.idle_close_s = Some(1_800);
    b.stage(Stage::Group(early), "安全");
    b.stage(Stage::InFlow, "流程中");
    b.stage(Stage::Group(daily), "日常");
    b.stage(Stage::Faq { min: Some(0.6) }, "常见问题");
    b.stage(Stage::Suggest { max: 3 }, "推荐问题");
    b.build()
}

#[derive(Debug, Clone)]
enum Happening {
    Event(Event),
    /// A result for the call in flight, if any.
    Result(Outcome),
    Pass(i64),
    Waiting(u32),
}

fn happening() -> impl Strategy<Value = Happening> {
    let agent = || "[ab]".prop_map(String::from);
    prop_oneof![
        12 => any_text().prop_map(|text| Happening::Event(message(&text))),
        3 => "[0-4]".prop_map(|text| Happening::Event(message(&text))),
        1 => Just(Happening::Event(Event::Message(Message {
            kind: MessageKind::Image, text: String::new(), menu_id: None, attachment: Default::default(),
        }))),
        1 => Just(Happening::Event(Event::Subscribe { scene: None })),
        1 => Just(Happening::Event(Event::Unsubscribe)),
        1 => agent().prop_map(|agent| Happening::Event(Event::AgentJoined { agent })),
        1 => agent().prop_map(|agent| Happening::Event(Event::AgentChanged { agent })),
        1 => Just(Happening::Event(Event::AgentLeft)),
        1 => Just(Happening::Event(Event::Closed)),
        2 => Just(Happening::Result(Outcome::Success { fields: Default::default() })),
        1 => Just(Happening::Result(Outcome::Failure { reason: "没有".into() })),
        2 => (1i64..2_000).prop_map(Happening::Pass),
        1 => (0u32..10).prop_map(Happening::Waiting),
    ]
}

/// Plays happenings; hands each turn with the state before it to `check`.
fn play(
    happenings: Vec<Happening>,
    mut check: impl FnMut(
        &Conversation,
        &Event,
        &Surroundings,
        &yingda_engine::turn::Turn,
    ) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let bot = shop();
    let mut conversation = conversation();
    let mut around = around();
    for happening in happenings {
        let event = match happening {
            Happening::Event(event) => event,
            Happening::Result(outcome) => Event::ConnectorResult {
                call: conversation.pending_call.as_ref().map_or(1, |call| call.id),
                outcome,
            },
            Happening::Pass(seconds) => {
                around.now += SignedDuration::from_secs(seconds);
                Event::Timer
            }
            Happening::Waiting(waiting) => {
                for group in ["综合组", "售后组"] {
                    around
                        .service
                        .groups
                        .entry(group.to_owned())
                        .or_default()
                        .waiting = waiting;
                }
                continue;
            }
        };
        let turn = bot.decide(&conversation, &event, &around);
        check(&conversation, &event, &around, &turn)?;
        conversation = turn.next;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_same_input_gives_the_same_turn(happenings in prop::collection::vec(happening(), 1..25)) {
        play(happenings, |before, event, around, turn| {
            prop_assert_eq!(&shop().decide(before, event, around), turn);
            let stored: Conversation = serde_json::from_str(&serde_json::to_string(before).unwrap()).unwrap();
            prop_assert_eq!(&stored, before);
            prop_assert_eq!(&shop().decide(&stored, event, around), turn);
            let event: Event = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            prop_assert_eq!(&shop().decide(before, &event, around), turn);
            Ok(())
        })?;
    }

    #[test]
    fn a_turn_keeps_the_invariants(happenings in prop::collection::vec(happening(), 1..40)) {
        play(happenings, |before, event, _, turn| {
            let next = &turn.next;
            let sends = turn.effects.iter().filter(|e| matches!(e, Effect::Send { .. })).count();
            if matches!(before.owner, Owner::Agent { .. }) && matches!(next.owner, Owner::Agent { .. }) {
                prop_assert_eq!(sends, 0, "a person serves, the bot is silent");
            }
            prop_assert!(next.epoch >= before.epoch, "the epoch never goes back");
            if next.owner != before.owner {
                prop_assert!(next.epoch > before.epoch, "every change of owner is an epoch");
            }
            prop_assert!(next.stack.len() <= 3, "at most three flows");
            for (i, frame) in next.stack.iter().enumerate() {
                prop_assert!(next.stack[..i].iter().all(|f| f.routine != frame.routine), "a flow never twice");
            }
            prop_assert_eq!(next.version.is_some(), !next.stack.is_empty(), "an open flow pins the version");
            prop_assert_eq!(next.queue.is_some(), matches!(next.owner, Owner::Queue { .. }));
            prop_assert!(next.owner == Owner::Bot || next.stack.is_empty(), "flows wait for the bot's customers only");
            prop_assert!(next.pending_call.is_none() || !next.stack.is_empty());
            if matches!(event, Event::Message(_)) && before.owner == Owner::Bot {
                let noticed = turn.effects.iter().any(|effect| matches!(
                    effect, Effect::Send { .. } | Effect::Call { .. } | Effect::Handoff { .. }
                ));
                let blocked = turn.effects.iter().any(|effect| matches!(effect, Effect::Alert { .. }));
                let held = next.held.len() > before.held.len();
                prop_assert!(noticed || blocked || held, "silence: {:?}", turn.explanation);
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_phone_number_is_ever_in_an_explanation(
        phone in "1[38][0-9]{9}",
        before in prop::collection::vec(happening(), 0..6),
    ) {
        let mut happenings = before;
        happenings.push(Happening::Event(message("查订单")));
        happenings.push(Happening::Event(message(&phone)));
        happenings.push(Happening::Event(message(&format!("我的电话{phone}，投诉"))));
        play(happenings, |_, _, _, turn| {
            let explanation = serde_json::to_string(&turn.explanation).unwrap();
            prop_assert!(!explanation.contains(&phone), "{}", explanation);
            Ok(())
        })?;
    }
}
