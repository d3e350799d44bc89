//! Fields, operands and templates: reading values out of a conversation and its surroundings.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use yingda_dsl::program::{
    ConversationFigure, Expr, Field, Program, QueueFigure, Template, TemplatePart, Type, Value,
};
use yingda_models::mask;

use crate::conversation::{Conversation, Owner};
use crate::event::{GroupState, Surroundings};

/// What fields are read from.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub program: &'a Program,
    pub zone: &'a TimeZone,
    pub conversation: &'a Conversation,
    pub around: &'a Surroundings,
    /// The customer's text as it came; empty for events.
    pub text: &'a str,
}

impl Scope<'_> {
    /// The moment in the bot's time zone.
    pub fn local(&self) -> DateTime {
        self.around.now.to_zoned(self.zone.clone()).datetime()
    }

    /// The value of a field; `None` where it has none.
    pub fn read(&self, field: &Field) -> Option<Value> {
        let conversation = self.conversation;
        match field {
            Field::Attribute(name) => conversation
                .attributes
                .get(name)
                .cloned()
                .or_else(|| self.attribute_default(name)),
            Field::Variable(name) => conversation.variables.get(name).cloned(),
            Field::Result { name, field } => conversation.results.get(name)?.get(field).cloned(),
            Field::Queue { group, figure } => self.queue_figure(*group, *figure),
            Field::Conversation(figure) => match figure {
                ConversationFigure::Turns => Some(Value::Number(f64::from(conversation.turns))),
                ConversationFigure::Unrecognized => {
                    Some(Value::Number(f64::from(conversation.unrecognized)))
                }
                ConversationFigure::BudgetLeft => {
                    Some(Value::Number(f64::from(conversation.budget.left)))
                }
                ConversationFigure::LastAnswer => conversation.last_answer.clone().map(Value::Text),
            },
            Field::MessageText => Some(Value::Text(self.text.to_owned())),
            Field::Now => Some(Value::DateTime(self.local())),
        }
    }

    fn attribute_default(&self, name: &str) -> Option<Value> {
        let declared = self.program.attributes.iter().find(|a| a.name == name);
        declared.and_then(|a| a.default.clone()).or_else(|| {
            (name == "访问渠道").then(|| Value::Text(self.around.capabilities.channel.clone()))
        })
    }

    /// The state of a named group, or of the queue the conversation is in.
    pub fn group_state(&self, group: Option<usize>) -> Option<GroupState> {
        let name = match group {
            Some(index) => Some(self.program.skill_groups.get(index)?.name.as_str()),
            None => match &self.conversation.owner {
                Owner::Queue { group } => group.as_deref(),
                _ => None,
            },
        };
        match name {
            Some(name) => Some(
                self.around
                    .service
                    .groups
                    .get(name)
                    .copied()
                    .unwrap_or_default(),
            ),
            // Standing nowhere: what all groups together look like.
            None => Some(self.around.service.groups.values().fold(
                GroupState::default(),
                |sum, state| GroupState {
                    waiting: sum.waiting + state.waiting,
                    agents_online: sum.agents_online + state.agents_online,
                    load: sum.load.max(state.load),
                    mean_handling_s: sum.mean_handling_s.max(state.mean_handling_s),
                },
            )),
        }
    }

    fn queue_figure(&self, group: Option<usize>, figure: QueueFigure) -> Option<Value> {
        let state = self.group_state(group)?;
        Some(Value::Number(match figure {
            // The conversation itself joins behind those who wait.
            QueueFigure::Position => f64::from(state.waiting) + 1.0,
            QueueFigure::Length => f64::from(state.waiting),
            QueueFigure::EstimatedMinutes => estimated_minutes(&state),
            QueueFigure::AgentsOnline => f64::from(state.agents_online),
            QueueFigure::Load => state.load,
        }))
    }

    /// The value of an operand.
    pub fn evaluate(&self, expr: &Expr) -> Option<Value> {
        match expr {
            Expr::Value(value) => Some(value.clone()),
            Expr::Field(field) => self.read(field),
            Expr::Template(template) => Some(Value::Text(self.render(template))),
        }
    }

    /// The text of a template. A field without a value leaves nothing behind, nor the comma around it.
    pub fn render(&self, template: &Template) -> String {
        let mut out = String::new();
        let mut hole = false;
        for part in &template.parts {
            match part {
                TemplatePart::Text(text) => {
                    let mut text = text.as_str();
                    if hole && (out.is_empty() || out.ends_with(['，', '、', ',', ' ', '。'])) {
                        text = text.trim_start_matches(['，', '、', ',']);
                    }
                    out.push_str(text);
                    hole = false;
                }
                TemplatePart::Field { field, ty } => match self.read(field) {
                    Some(value) => {
                        let shown = show(&value, ty, self.local().date());
                        hole = shown.is_empty();
                        out.push_str(&shown);
                    }
                    None => hole = true,
                },
            }
        }
        out
    }
}

/// Rank × mean handling time ÷ agents online, in whole minutes, at least one.
fn estimated_minutes(state: &GroupState) -> f64 {
    let rank = f64::from(state.waiting) + 1.0;
    let agents = f64::from(state.agents_online.max(1));
    (rank * f64::from(state.mean_handling_s) / agents / 60.0)
        .ceil()
        .max(1.0)
}

/// A value as a customer reads it.
pub(crate) fn show(value: &Value, ty: &Type, today: Date) -> String {
    match value {
        Value::Text(text) => match ty {
            Type::Date => text
                .parse()
                .map_or_else(|_| text.clone(), |d| show_date(d, today)),
            _ => text.clone(),
        },
        Value::Number(number) => show_number(*number),
        Value::Boolean(true) => "是".to_owned(),
        Value::Boolean(false) => "否".to_owned(),
        Value::Date(date) => show_date(*date, today),
        Value::Time(time) => show_time(*time),
        Value::DateTime(moment) => match ty {
            Type::Date => show_date(moment.date(), today),
            Type::Time => show_time(moment.time()),
            _ => format!(
                "{} {}",
                show_date(moment.date(), today),
                show_time(moment.time())
            ),
        },
    }
}

fn show_date(date: Date, today: Date) -> String {
    if date.year() == today.year() {
        format!("{}月{}日", date.month(), date.day())
    } else {
        format!("{}年{}月{}日", date.year(), date.month(), date.day())
    }
}

fn show_time(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn show_number(number: f64) -> String {
    let rounded = (number * 100.0).round() / 100.0;
    format!("{rounded}")
}

/// A value for explanations: short, personal data masked.
pub(crate) fn show_masked(value: Option<&Value>) -> String {
    match value {
        None => "没有值".to_owned(),
        Some(Value::Text(text)) => clip(&mask(text), 24),
        Some(Value::Number(number)) => show_number(*number),
        Some(Value::Boolean(true)) => "是".to_owned(),
        Some(Value::Boolean(false)) => "否".to_owned(),
        Some(Value::Date(date)) => date.to_string(),
        Some(Value::Time(time)) => show_time(*time),
        Some(Value::DateTime(moment)) => {
            format!("{} {}", moment.date(), show_time(moment.time()))
        }
    }
}

/// At most `length` characters, with an ellipsis where something was left out.
pub(crate) fn clip(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
    }
}

/// The name of a field as rules write it.
pub(crate) fn field_name(field: &Field, program: &Program) -> String {
    match field {
        Field::Attribute(name) | Field::Variable(name) => name.clone(),
        Field::Result { name, field } => format!("{name}.{field}"),
        Field::Queue { group, figure } => {
            let group = group
                .and_then(|g| program.skill_groups.get(g))
                .map_or("排队", |g| g.name.as_str());
            let figure = match figure {
                QueueFigure::Position => "位次",
                QueueFigure::Length => "人数",
                QueueFigure::EstimatedMinutes => "预计分钟",
                QueueFigure::AgentsOnline => "在线人数",
                QueueFigure::Load => "会话热度",
            };
            format!("{group}.{figure}")
        }
        Field::Conversation(figure) => match figure {
            ConversationFigure::Turns => "轮数",
            ConversationFigure::Unrecognized => "未识别次数",
            ConversationFigure::BudgetLeft => "剩余额度",
            ConversationFigure::LastAnswer => "上次回答",
        }
        .to_owned(),
        Field::MessageText => "消息".to_owned(),
        Field::Now => "现在".to_owned(),
    }
}

/// How two values stand to each other; `None` where they cannot be compared.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    use Value::*;
    match (left, right) {
        (Text(a), Text(b)) => Some(a.cmp(b)),
        (Number(a), Number(b)) => a.partial_cmp(b),
        (Boolean(a), Boolean(b)) => Some(a.cmp(b)),
        (Date(a), Date(b)) => Some(a.cmp(b)),
        (Time(a), Time(b)) => Some(a.cmp(b)),
        (DateTime(a), DateTime(b)) => Some(a.cmp(b)),
        (DateTime(a), Date(b)) => Some(a.date().cmp(b)),
        (Date(a), DateTime(b)) => Some(a.cmp(&b.date())),
        (DateTime(a), Time(b)) => Some(a.time().cmp(b)),
        (Time(a), DateTime(b)) => Some(a.cmp(&b.time())),
        (Text(a), Number(b)) => a.trim().parse::<f64>().ok()?.partial_cmp(b),
        (Number(a), Text(b)) => a.partial_cmp(&b.trim().parse::<f64>().ok()?),
        (Text(a), Date(b)) => Some(a.parse::<jiff::civil::Date>().ok()?.cmp(b)),
        (Date(a), Text(b)) => Some(a.cmp(&b.parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn values_read_as_people_write_them() {
        let today = date(2026, 11, 20);
        let cases = [
            (Value::Number(3.0), Type::Number, "3"),
            (Value::Number(19.999), Type::Money, "20"),
            (Value::Number(19.9), Type::Money, "19.9"),
            (Value::Date(date(2026, 11, 23)), Type::Date, "11月23日"),
            (Value::Date(date(2027, 1, 3)), Type::Date, "2027年1月3日"),
            (Value::Text("2026-11-23".into()), Type::Date, "11月23日"),
            (
                Value::DateTime(date(2026, 11, 23).at(9, 5, 0, 0)),
                Type::DateTime,
                "11月23日 09:05",
            ),
            (Value::Boolean(true), Type::Boolean, "是"),
        ];
        for (value, ty, expected) in cases {
            assert_eq!(show(&value, &ty, today), expected);
        }
    }

    #[test]
    fn values_of_different_types_compare_where_it_makes_sense() {
        let number = |n| Value::Number(n);
        let text = |t: &str| Value::Text(t.into());
        assert_eq!(order(&text("50000"), &number(5.0)), Some(Ordering::Greater));
        assert_eq!(order(&text("很多"), &number(5.0)), None);
        assert_eq!(order(&Value::Boolean(true), &number(1.0)), None);
        let moment = Value::DateTime(date(2026, 11, 23).at(9, 5, 0, 0));
        assert_eq!(
            order(&moment, &Value::Date(date(2026, 11, 23))),
            Some(Ordering::Equal)
        );
    }
}
