//! What a message is, as conditions and steps look at it: kind, folded text, keywords, understanding, FAQ candidates.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use yingda_dsl::program::MessageKind;
use yingda_models::text::{fold, fold_with_symbols};
use yingda_models::{FaqHit, Understanding};

use crate::bot::Bot;
use crate::event::{Event, Message};
use crate::keyword::Occurrences;

/// How the keywords of a message are found: by the index, or word by word, which must come to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Evaluation {
    #[default]
    Indexed,
    Plain,
}

/// Most FAQ candidates looked at in a turn.
const FAQ_CANDIDATES: usize = 5;

pub(crate) struct Reading {
    /// `None` for events that are no message.
    pub kind: Option<MessageKind>,
    /// The customer's text as it came.
    pub text: String,
    /// Id of a tapped menu item.
    pub menu_id: Option<String>,
    attachment: BTreeMap<String, String>,
    pub folded: String,
    pub occurrences: Occurrences,
    pub understanding: Option<Understanding>,
    /// Rules one of whose required keywords occurs, `(group, rule)`, sorted.
    pub candidates: Vec<(u32, u32)>,
    pub evaluation: Evaluation,
    symbols: OnceCell<String>,
    faq: OnceCell<Vec<FaqHit>>,
}

impl Reading {
    pub fn of_event(bot: &Bot, event: &Event, now: Timestamp, evaluation: Evaluation) -> Reading {
        match event {
            Event::Message(message) => Reading::of_message(bot, message, now, evaluation),
            _ => Reading::empty(evaluation),
        }
    }

    pub fn of_message(
        bot: &Bot,
        message: &Message,
        now: Timestamp,
        evaluation: Evaluation,
    ) -> Reading {
        let mut reading = Reading {
            kind: Some(message.kind),
            text: message.text.clone(),
            menu_id: message.menu_id.clone(),
            attachment: message.attachment.clone(),
            ..Reading::empty(evaluation)
        };
        if message.text.trim().is_empty() {
            return reading;
        }
        reading.folded = fold(&message.text);
        reading.occurrences = match evaluation {
            Evaluation::Indexed => bot
                .keywords
                .scan(&reading.folded, || reading.symbols().to_owned()),
            Evaluation::Plain => bot
                .keywords
                .scan_plainly(&reading.folded, reading.symbols()),
        };
        // Dates such as 明天 are read against the moment of the turn.
        let local = now.to_zoned(bot.zone.clone()).datetime();
        reading.candidates = bot.candidates(&reading.occurrences);
        reading.understanding = Some(bot.understander.understand_at(&message.text, local));
        reading
    }

    pub fn empty(evaluation: Evaluation) -> Reading {
        Reading {
            kind: None,
            text: String::new(),
            menu_id: None,
            attachment: BTreeMap::new(),
            folded: String::new(),
            occurrences: Occurrences::default(),
            understanding: None,
            candidates: Vec::new(),
            evaluation,
            symbols: OnceCell::new(),
            faq: OnceCell::new(),
        }
    }

    /// The message as it came, to be looked at again later.
    pub fn message(&self) -> Message {
        Message {
            kind: self.kind.unwrap_or(MessageKind::Text),
            text: self.text.clone(),
            menu_id: self.menu_id.clone(),
            attachment: self.attachment.clone(),
        }
    }

    /// The text with punctuation kept and emoji as names.
    pub fn symbols(&self) -> &str {
        self.symbols.get_or_init(|| fold_with_symbols(&self.text))
    }

    /// FAQ candidates, best first; searched when first asked for.
    pub fn faq(&self, bot: &Bot) -> &[FaqHit] {
        self.faq
            .get_or_init(|| match (&bot.faq, &self.understanding) {
                (Some(index), Some(read)) if !self.folded.is_empty() => {
                    index.search(&bot.understander, read, FAQ_CANDIDATES)
                }
                _ => Vec::new(),
            })
    }

    /// The candidates, where anybody asked for them.
    pub fn faq_if_searched(&self) -> &[FaqHit] {
        self.faq.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the message is text, or a voice message with its transcript.
    pub fn is_text(&self) -> bool {
        !self.text.trim().is_empty()
            && matches!(
                self.kind,
                Some(MessageKind::Text | MessageKind::Voice | MessageKind::Menu)
            )
    }

    /// A text of figures and marks only: an attempt at a number that was asked for, no question of its own.
    pub fn is_figures(&self) -> bool {
        !self.folded.is_empty()
            && self.folded.chars().any(|c| c.is_ascii_digit())
            && !self.folded.chars().any(char::is_alphabetic)
    }
}
