//! Where a package has gone astray, a person takes over or it is refused; nothing hangs and nothing is silent.

mod programs;

use std::sync::Arc;

use programs::*;
use yingda_dsl::program::*;
use yingda_engine::conversation::{Conversation, Owner};
use yingda_engine::event::{Event, Outcome};
use yingda_engine::turn::{Effect, Turn};
use yingda_engine::{Bot, BuildError};

fn ask(variable: &str, give_up: usize) -> Op {
    Op::Ask(Ask {
        variable: variable.into(),
        ty: Type::Phone,
        pattern: None,
        prompt: says(&format!("{variable}？")),
        retries: 1,
        retry_prompt: None,
        give_up,
        confirm: None,
    })
}

fn call(target: usize) -> Op {
    Op::Call(Call {
        connector: 0,
        arguments: vec![],
        result: None,
        timeout_ms: 1_000,
        success: target,
        failure: target,
        timed_out: target,
    })
}

/// A bot whose one group enters a routine for each keyword.
fn entering(mut b: Builder, rules: &[(&str, usize)]) -> Bot {
    let mut listed = Vec::new();
    for (word, routine) in rules {
        let action = b.routine(
            &format!("规则 {word}"),
            RoutineKind::Action,
            vec![Op::Enter { routine: *routine }],
        );
        listed.push((
            (*word).to_owned(),
            words(TextMatch::Contains, &[word]),
            action,
        ));
    }
    let group = b.group("日常", listed);
    b.stage(Stage::InFlow, "流程中");
    b.stage(Stage::Group(group), "日常");
    b.build()
}

fn says_to(bot: &Bot, conversation: &Conversation, text: &str) -> Turn {
    bot.decide(conversation, &message(text), &around())
}

fn handed_over_with_a_word(turn: &Turn) {
    assert_eq!(turn.next.owner, Owner::Queue { group: None });
    assert!(
        turn.effects
            .iter()
            .any(|e| matches!(e, Effect::Alert { .. })),
        "somebody is told"
    );
    assert!(
        turn.effects
            .iter()
            .any(|e| matches!(e, Effect::Send { .. })),
        "the customer is told"
    );
}

#[test]
fn flows_that_enter_each_other_for_ever_end_with_a_person() {
    let mut b = Builder::default();
    b.routine(
        "流程 甲",
        RoutineKind::Flow(Interrupt::Resume),
        vec![Op::Enter { routine: 1 }],
    );
    b.routine(
        "流程 乙",
        RoutineKind::Flow(Interrupt::Resume),
        vec![Op::Enter { routine: 0 }],
    );
    let bot = entering(b, &[("甲", 0)]);
    handed_over_with_a_word(&says_to(&bot, &conversation(), "甲"));
}

#[test]
fn calls_that_lead_to_calls_end_with_a_person() {
    let mut b = Builder::default();
    b.program.connectors.push(Connector {
        name: "查询".into(),
        parameters: vec![],
        result: vec![],
        span: Default::default(),
    });
    b.routine(
        "流程 查",
        RoutineKind::Flow(Interrupt::Resume),
        vec![call(0)],
    );
    let bot = entering(b, &[("查", 0)]);
    let mut turn = says_to(&bot, &conversation(), "查");
    for _ in 0..50 {
        let Some(pending) = turn.next.pending_call.clone() else {
            break;
        };
        let event = Event::ConnectorResult {
            call: pending.id,
            outcome: Outcome::Timeout,
        };
        turn = bot.decide(&turn.next, &event, &around());
    }
    handed_over_with_a_word(&turn);
}

#[test]
fn a_fourth_flow_pushes_the_oldest_out_and_the_others_resume_in_turn() {
    let mut b = Builder::default();
    for (index, name) in ["甲", "乙", "丙", "丁"].iter().enumerate() {
        let code = vec![
            ask(&format!("{name}号"), 2),
            say(&format!("{name}办好了")),
            Op::End,
        ];
        assert_eq!(
            b.routine(
                &format!("流程 {name}"),
                RoutineKind::Flow(Interrupt::Resume),
                code
            ),
            index
        );
    }
    let bot = entering(b, &[("甲", 0), ("乙", 1), ("丙", 2), ("丁", 3)]);
    let mut conversation = conversation();
    for text in ["办甲", "办乙", "办丙", "办丁"] {
        conversation = says_to(&bot, &conversation, text).next;
    }
    let waiting = |c: &Conversation| {
        c.stack
            .iter()
            .map(|f| f.routine.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(waiting(&conversation), ["流程 乙", "流程 丙", "流程 丁"]);
    let turn = says_to(&bot, &conversation, "13800138000");
    let texts: Vec<String> = turn
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { message } => Some(yingda_engine::render::reply_text(message)),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["丁办好了", "我们接着刚才的「丙」。丙号？"]);
    assert_eq!(waiting(&turn.next), ["流程 乙", "流程 丙"]);
    // Entering one that waits further out takes up that one, not a second of it.
    let back = says_to(&bot, &turn.next, "还是办乙吧");
    assert_eq!(waiting(&back.next), ["流程 乙"]);
}

#[test]
fn a_flow_that_gives_no_way_takes_every_message() {
    let mut b = Builder::default();
    b.routine(
        "流程 甲",
        RoutineKind::Flow(Interrupt::Never),
        vec![ask("甲号", 2), Op::End, say("算了")],
    );
    b.routine(
        "流程 乙",
        RoutineKind::Flow(Interrupt::Resume),
        vec![say("乙来了")],
    );
    let bot = entering(b, &[("甲", 0), ("乙", 1)]);
    let asked = says_to(&bot, &conversation(), "甲");
    let again = says_to(&bot, &asked.next, "乙");
    assert_eq!(again.explanation.stage.as_deref(), Some("流程中"));
    assert_eq!(again.next.stack[0].misses, 1);
    let left = says_to(&bot, &again.next, "乙");
    assert!(left.next.stack.is_empty());
    assert!(
        left.explanation
            .done
            .iter()
            .any(|done| done.contains("算了"))
    );
}

#[test]
fn programs_that_cannot_be_evaluated_are_refused_with_a_sentence() {
    let understander = understander();
    let refused = |program: Program| match Bot::build(program, Arc::clone(&understander)) {
        Err(error) => error,
        Ok(_) => panic!("it was taken"),
    };
    assert!(matches!(
        refused(Program::default()),
        BuildError::NoFallback
    ));

    let with_fallback = || {
        let mut b = Builder::default();
        let routine = b.routine("兜底", RoutineKind::Action, vec![say("没听懂")]);
        b.stage(Stage::Fallback(routine), "兜底");
        b
    };
    let mut b = with_fallback();
    b.program.bot.time_zone = "Asia/Shanghi".into();
    assert_eq!(
        refused(b.program).to_string(),
        "不认识时区「Asia/Shanghi」，请写 IANA 名称，如 Asia/Shanghai"
    );

    let mut b = with_fallback();
    b.group(
        "日常",
        vec![("坏".into(), words(TextMatch::Regex, &["(退"]), 0)],
    );
    assert!(matches!(refused(b.program), BuildError::Regex { pattern, .. } if pattern == "(退"));

    let mut b = with_fallback();
    for (name, other) in [("甲", 1), ("乙", 0)] {
        b.program.segments.push(Segment {
            name: name.into(),
            condition: check(Check::Segment(other), "客户 属于 …"),
            span: Default::default(),
        });
    }
    assert!(matches!(refused(b.program), BuildError::SegmentCycle(name) if name == "甲"));
}

#[test]
fn a_program_with_dangling_indices_still_decides() {
    let mut b = Builder::default();
    let action = b.routine(
        "规则 坏",
        RoutineKind::Action,
        vec![
            Op::Answer { faq: 9 },
            Op::Experiment {
                experiment: 9,
                arms: vec![],
            },
            call(99),
            Op::Handoff(Handoff {
                target: HandoffTarget::Group(9),
                urgency: Urgency::Normal,
                note: None,
                queue_over: Some((1, 99)),
            }),
        ],
    );
    let group = b.group(
        "日常",
        vec![
            ("段".into(), check(Check::Segment(9), "客户 属于 …"), action),
            ("时".into(), check(Check::Schedule(9), "现在 在 …"), 99),
            ("坏".into(), words(TextMatch::Contains, &["坏"]), action),
        ],
    );
    b.stage(Stage::Group(7), "没有的组");
    b.stage(Stage::Group(group), "日常");
    let bot = b.build();
    let mut turn = says_to(&bot, &conversation(), "坏");
    for _ in 0..3 {
        let call = turn.next.calls;
        let event = Event::ConnectorResult {
            call,
            outcome: Outcome::Timeout,
        };
        turn = bot.decide(&turn.next, &event, &around());
        turn = bot.decide(&turn.next, &Event::Timer, &around());
    }
    let turn = says_to(&bot, &turn.next, "别的");
    assert!(!turn.explanation.considered.is_empty());
}
