//! `yingda explain PKG TEXT`.

use yingda_dsl::diagnostic::Lang;
use yingda_engine::event::{Event, Message};
use yingda_engine::explanation::{render, render_considered, why_not};
use yingda_engine::scenario::Session;

use super::arguments::ExplainOptions;
use super::output::{fail, line};
use super::{Exit, package_file};

/// Say why a text gets the answer it gets, or why a rule does not take it.
pub fn run(options: &ExplainOptions, lang: Lang) -> Exit {
    let bot = match package_file::build(&options.package, lang) {
        Ok(bot) => bot,
        Err(exit) => return exit,
    };
    let mut session = Session::new(&bot, jiff::Timestamp::now());
    session.set_connectors(super::chat::rehearsal());
    if let Some(rule) = &options.why_not {
        let known = bot
            .program()
            .groups
            .iter()
            .flat_map(|group| &group.rules)
            .any(|known| known.name == *rule);
        if !known {
            return fail(Exit::Misuse, &format!("规则包里没有叫「{rule}」的规则。"));
        }
        let event = Event::Message(Message {
            kind: yingda_dsl::program::MessageKind::Text,
            text: options.text.clone(),
            menu_id: None,
            attachment: Default::default(),
        });
        let considered = why_not(&bot, &session.conversation, &event, &session.around, rule);
        line(render_considered(&considered).trim_end());
        return Exit::Done;
    }
    let exchange = session.customer_says(&options.text);
    for turn in &exchange.turns {
        line(render(&turn.explanation, lang).trim_end());
    }
    for reply in exchange.replies() {
        line(&format!("机器人：{reply}"));
    }
    Exit::Done
}
