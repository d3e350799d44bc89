//! Answers from the FAQ: with related questions below, and suggestions where nothing is sure.

use crate::deciding::Deciding;
use crate::menu;
use crate::reading::Reading;
use crate::turn::Outgoing;
use crate::wording;

/// The calibrated score from which an entry answers, where the route says none: four answers in five are right.
pub(crate) const FAQ_ANSWERS: f64 = 0.80;
/// And from which it is worth suggesting.
const FAQ_SUGGESTS: f64 = 0.20;

impl Deciding<'_> {
    /// Sends an entry's answer. Its related questions are numbered below it, unless the numbers belong to something
    /// that waits.
    pub fn answer(&mut self, entry: usize) {
        let Some(faq) = self.bot.program.faq.get(entry) else {
            return;
        };
        self.done(&format!("回答「{}」", faq.question));
        let related = match self.next.stack.is_empty() && self.bot.faq.is_some() {
            true => self.bot.related(entry).to_vec(),
            false => Vec::new(),
        };
        let mut text = faq.answer.clone();
        let mut offered = Vec::new();
        if !related.is_empty() {
            let mut list = format!("\n\n{}", wording::RELATED);
            for (number, &other) in (1..).zip(&related) {
                list.push_str(&format!("\n{number}. {}", self.bot.question(other)));
            }
            if text.len() + list.len() <= self.around.capabilities.max_text_bytes {
                text.push_str(&list);
                offered = related;
            }
        }
        self.offer(&offered);
        self.next.last_answer = Some(faq.id.clone());
        self.send(Outgoing::Text { text });
    }

    fn offer(&mut self, entries: &[usize]) {
        let ids = entries.iter().filter_map(|&e| self.bot.program.faq.get(e));
        self.next.offered = ids.map(|e| e.id.clone()).collect();
    }

    /// 推荐问题 as a stage: counts as not recognised, so that 未识别 连续 N 次 can end it.
    pub fn suggest_stage(&mut self, max: u8, stage: &str) -> bool {
        if self.reading.folded.is_empty() || self.suggestions(max).is_empty() {
            if !self.reading.folded.is_empty() && self.bot.faq.is_some() {
                self.note(stage, false, "没有相近的问题".to_owned());
            }
            return false;
        }
        if let Some(routine) = self.count_unrecognized() {
            let reason = self.hit_reason("连续没有识别", routine);
            self.note(stage, true, reason);
            self.next.offered.clear();
            let ran = self.run(routine, 0);
            self.after(ran);
            return true;
        }
        let reason = self.view().faq_best();
        self.note(stage, true, reason);
        self.suggest(max);
        true
    }

    /// The questions that come near the message, as a numbered list.
    pub fn suggest(&mut self, max: u8) {
        let entries = self.suggestions(max);
        if entries.is_empty() {
            return;
        }
        self.done(&format!("推荐 {} 个问题", entries.len()));
        self.offer(&entries);
        let items = (1..)
            .zip(&entries)
            .map(|(number, &entry): (u32, _)| {
                (number.to_string(), self.bot.question(entry).to_owned())
            })
            .collect();
        self.send(Outgoing::Menu {
            head: wording::DID_YOU_MEAN.to_owned(),
            items,
            tail: String::new(),
        });
    }

    fn suggestions(&self, max: u8) -> Vec<usize> {
        self.reading
            .faq(self.bot)
            .iter()
            .filter(|hit| hit.score >= FAQ_SUGGESTS)
            .take(usize::from(max))
            .map(|hit| hit.index)
            .collect()
    }

    /// A number that picks one of the questions offered last.
    pub fn picks_offered(&mut self, stage: &str) -> bool {
        let Some(entry) = self.offered_entry() else {
            return false;
        };
        self.note(stage, true, format!("选了「{}」", self.bot.question(entry)));
        self.next.unrecognized = 0;
        self.answer(entry);
        true
    }

    fn offered_entry(&self) -> Option<usize> {
        let Reading {
            folded, menu_id, ..
        } = &self.reading;
        let entry = |id: &String| self.bot.program.faq.iter().position(|e| e.id == *id);
        let text = |index: &usize| {
            self.next
                .offered
                .get(*index)
                .and_then(entry)
                .is_some_and(|e| {
                    folded.is_empty() || yingda_models::text::fold(self.bot.question(e)) == *folded
                })
        };
        let number = menu::choice_number(folded);
        let tapped = menu_id.as_ref().and_then(|id| id.parse::<u32>().ok());
        let at = |n: u32| usize::try_from(n).ok()?.checked_sub(1);
        let picked = number
            .and_then(at)
            .or_else(|| tapped.and_then(at).filter(text))
            .or_else(|| {
                (0..self.next.offered.len()).find(|index| !folded.is_empty() && text(index))
            })?;
        self.next.offered.get(picked).and_then(entry)
    }
}
