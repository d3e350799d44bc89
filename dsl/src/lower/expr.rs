//! Types, fields, operands.

use jiff::civil::Time;

use super::Lowerer;
use super::names::Kind;
use crate::ast::{self, ExprKind, FieldPath, Name, TypeName};
use crate::keywords::{self, Group};
use crate::program::{ConversationFigure, Expr, Field, QueueFigure, Type, Value};
use crate::source::Span;

/// What values of a type can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Text,
    Number,
    Boolean,
    Date,
    Time,
    DateTime,
}

pub(super) fn class(ty: &Type) -> Class {
    match ty {
        Type::Number | Type::Quantity | Type::Money => Class::Number,
        Type::Boolean => Class::Boolean,
        Type::Date => Class::Date,
        Type::Time => Class::Time,
        Type::DateTime => Class::DateTime,
        _ => Class::Text,
    }
}

/// The type's name in Chinese.
pub(super) fn type_zh(ty: &Type) -> &'static str {
    keywords::find(Group::Type, type_word(ty)).map_or("文本", |keyword| keyword.zh)
}

fn type_word(ty: &Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Date => "date",
        Type::Time => "time",
        Type::DateTime => "datetime",
        Type::Quantity => "quantity",
        Type::Money => "money",
        Type::Phone => "phone",
        Type::Landline => "landline",
        Type::OrderNumber => "order_number",
        Type::IdCard => "id_card",
        Type::BankCard => "bank_card",
        Type::Email => "email",
        Type::Address => "address",
        Type::LicencePlate => "licence_plate",
        Type::TrackingNumber => "tracking_number",
        Type::Choice(_) => "choice",
    }
}

/// The type of a word, without the choices of 选择.
pub(super) fn type_named(word: &str) -> Option<Type> {
    Some(match keywords::find(Group::Type, word)?.en {
        "text" => Type::Text,
        "number" => Type::Number,
        "boolean" => Type::Boolean,
        "date" => Type::Date,
        "time" => Type::Time,
        "datetime" => Type::DateTime,
        "quantity" => Type::Quantity,
        "money" => Type::Money,
        "phone" => Type::Phone,
        "landline" => Type::Landline,
        "order_number" => Type::OrderNumber,
        "id_card" => Type::IdCard,
        "bank_card" => Type::BankCard,
        "email" => Type::Email,
        "address" => Type::Address,
        "licence_plate" => Type::LicencePlate,
        "tracking_number" => Type::TrackingNumber,
        "choice" => Type::Choice(Vec::new()),
        _ => return None,
    })
}

impl Lowerer<'_> {
    pub(super) fn ty(&mut self, written: &TypeName) -> Type {
        match type_named(&written.name.text) {
            Some(Type::Choice(_)) => {
                if written.choices.is_empty() {
                    self.error(
                        "含义-05",
                        written.name.span,
                        "选择要写出可选的值：选择 (\"大\", \"中\", \"小\")",
                        "choice lists its values: choice (\"L\", \"M\", \"S\")",
                        "把可选的值写在括号里",
                        "list the values in brackets",
                    );
                }
                Type::Choice(written.choices.iter().map(ast::Text::value).collect())
            }
            Some(ty) => ty,
            None => {
                let known: Vec<&str> = keywords::of(Group::Type)
                    .map(|keyword| keyword.zh)
                    .collect();
                self.unknown("类型", "type", &written.name, &known);
                Type::Text
            }
        }
    }

    /// The type of a question: as validated, else by the variable's name, else text.
    pub(super) fn ask_type(&self, ask: &ast::Ask) -> Type {
        match &ask.ty {
            Some(ty) => match type_named(&ty.name.text) {
                Some(Type::Choice(_)) => {
                    Type::Choice(ty.choices.iter().map(ast::Text::value).collect())
                }
                other => other.unwrap_or(Type::Text),
            },
            None => match type_named(&ask.variable.text) {
                Some(Type::Choice(_)) | None => Type::Text,
                Some(ty) => ty,
            },
        }
    }

    /// The type of an expression, without complaint where it has none.
    pub(super) fn quiet_type(&self, expr: &ast::Expr) -> Option<Type> {
        match &expr.kind {
            ExprKind::Number(_) => Some(Type::Number),
            ExprKind::Text(_) => Some(Type::Text),
            ExprKind::Date(_) => Some(Type::Date),
            ExprKind::Time(_) => Some(Type::Time),
            ExprKind::DateTime(_) => Some(Type::DateTime),
            ExprKind::Field(path) => match path.parts.as_slice() {
                [word] if boolean(&word.text).is_some() => Some(Type::Boolean),
                _ => self.find_field(path).map(|(_, ty)| ty),
            },
            ExprKind::Invalid => None,
        }
    }

    /// An operand with its type.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Option<(Expr, Type)> {
        Some(match &expr.kind {
            ExprKind::Number(number) => (Expr::Value(Value::Number(*number)), Type::Number),
            ExprKind::Text(text) => {
                let template = self.template(text);
                match template.parts.as_slice() {
                    [] => (Expr::Value(Value::Text(String::new())), Type::Text),
                    [crate::program::TemplatePart::Text(text)] => {
                        (Expr::Value(Value::Text(text.clone())), Type::Text)
                    }
                    _ => (Expr::Template(template), Type::Text),
                }
            }
            ExprKind::Date(date) => (Expr::Value(Value::Date(*date)), Type::Date),
            ExprKind::Time(time) => (Expr::Value(Value::Time(*time)), Type::Time),
            ExprKind::DateTime(moment) => (Expr::Value(Value::DateTime(*moment)), Type::DateTime),
            ExprKind::Field(path) => {
                if let [word] = path.parts.as_slice()
                    && !self.variables.contains_key(&word.text)
                    && let Some(truth) = boolean(&word.text)
                {
                    return Some((Expr::Value(Value::Boolean(truth)), Type::Boolean));
                }
                let (field, ty) = self.field(path)?;
                (Expr::Field(field), ty)
            }
            ExprKind::Invalid => return None,
        })
    }

    /// A constant, of a type where one is wanted.
    pub(super) fn constant(&mut self, expr: &ast::Expr, wanted: Option<&Type>) -> Option<Value> {
        let (value, ty) = self.expr(expr)?;
        let Expr::Value(value) = value else {
            self.error(
                "含义-03",
                expr.span,
                "这里要写一个固定的值",
                "a constant value is wanted here",
                "写一个值，比如 \"VIP\"、50000、2026-11-20",
                "write a value such as \"VIP\", 50000, 2026-11-20",
            );
            return None;
        };
        match wanted {
            Some(wanted) => match self.fits(&Expr::Value(value), &ty, wanted, expr.span)? {
                Expr::Value(value) => Some(value),
                _ => None,
            },
            None => Some(value),
        }
    }

    /// The operand as a value of the wanted type, or an error.
    pub(super) fn fits(
        &mut self,
        expr: &Expr,
        ty: &Type,
        wanted: &Type,
        span: Span,
    ) -> Option<Expr> {
        match (expr, class(ty), class(wanted)) {
            (Expr::Value(Value::Date(date)), _, Class::DateTime) => {
                return Some(Expr::Value(Value::DateTime(
                    date.to_datetime(Time::midnight()),
                )));
            }
            (Expr::Value(Value::Text(text)), _, Class::Text) => {
                if let Type::Choice(choices) = wanted
                    && !choices.contains(text)
                {
                    let name = Name {
                        text: text.clone(),
                        span,
                    };
                    let known: Vec<&str> = choices.iter().map(String::as_str).collect();
                    self.unknown("可选值", "choice", &name, &known);
                    return None;
                }
            }
            (_, from, to) if from == to => {}
            _ => {
                self.diagnostics.push(
                    crate::diagnostic::Diagnostic::error(
                        "含义-03",
                        span,
                        format!("类型不对：这里要{}，写的是{}", type_zh(wanted), type_zh(ty)),
                        format!(
                            "type mismatch: {} wanted, {} found",
                            type_word(wanted),
                            type_word(ty)
                        ),
                    )
                    .help(
                        format!("换成{}", example(wanted)),
                        format!("write a {} value", type_word(wanted)),
                    ),
                );
                return None;
            }
        }
        Some(expr.clone())
    }

    /// A field with its type, or an error.
    pub(super) fn field(&mut self, path: &FieldPath) -> Option<(Field, Type)> {
        if let Some(found) = self.find_field(path) {
            match &found.0 {
                Field::Attribute(name) => {
                    self.facts.used.insert((Kind::Attribute, name.clone()));
                }
                Field::Queue { group: Some(_), .. } => {
                    if let Some(name) = path.parts.first() {
                        self.resolve(Kind::SkillGroup, name);
                    }
                }
                _ => {}
            }
            return Some(found);
        }
        self.unknown_field(path);
        None
    }

    fn find_field(&self, path: &FieldPath) -> Option<(Field, Type)> {
        match path.parts.as_slice() {
            [only] => match only.text.as_str() {
                "现在" | "now" => Some((Field::Now, Type::DateTime)),
                "会话热度" | "load" => Some((
                    Field::Queue {
                        group: None,
                        figure: QueueFigure::Load,
                    },
                    Type::Number,
                )),
                name => {
                    let ty = self.variables.get(name)?;
                    Some((Field::Variable(name.to_owned()), ty.clone()))
                }
            },
            [first, second] => match first.text.as_str() {
                "客户" | "customer" => {
                    let attribute = self
                        .program
                        .attributes
                        .iter()
                        .find(|attribute| attribute.name == second.text)?;
                    Some((Field::Attribute(second.text.clone()), attribute.ty.clone()))
                }
                "会话" | "conversation" => {
                    let (figure, ty) = match keywords::find(Group::Figure, &second.text)?.en {
                        "turns" => (ConversationFigure::Turns, Type::Number),
                        "unrecognized_count" => (ConversationFigure::Unrecognized, Type::Number),
                        "budget_left" => (ConversationFigure::BudgetLeft, Type::Number),
                        "last_answer" => (ConversationFigure::LastAnswer, Type::Text),
                        _ => return None,
                    };
                    Some((Field::Conversation(figure), ty))
                }
                "排队" | "queue" => Some((
                    Field::Queue {
                        group: None,
                        figure: queue_figure(&second.text)?,
                    },
                    Type::Number,
                )),
                "消息" | "message" => (keywords::find(Group::Figure, &second.text)?.en
                    == "content")
                    .then_some((Field::MessageText, Type::Text)),
                name => {
                    if let Some(connectors) = self.results.get(name) {
                        let ty = connectors
                            .iter()
                            .filter_map(|index| self.program.connectors.get(*index))
                            .flat_map(|connector| &connector.result)
                            .find(|(field, _)| *field == second.text)?
                            .1
                            .clone();
                        return Some((
                            Field::Result {
                                name: name.to_owned(),
                                field: second.text.clone(),
                            },
                            ty,
                        ));
                    }
                    let group = self.names.get(Kind::SkillGroup, name)?;
                    Some((
                        Field::Queue {
                            group: Some(group),
                            figure: queue_figure(&second.text)?,
                        },
                        Type::Number,
                    ))
                }
            },
            _ => None,
        }
    }

    fn unknown_field(&mut self, path: &FieldPath) {
        let figures = |wanted: &[&str]| -> Vec<String> {
            wanted.iter().map(|word| (*word).to_owned()).collect()
        };
        let (zh, en, name, known): (_, _, &Name, Vec<String>) = match path.parts.as_slice() {
            [only] => (
                "变量",
                "variable",
                only,
                self.variables.keys().cloned().collect(),
            ),
            [first, second] => match first.text.as_str() {
                "客户" | "customer" => (
                    "客户属性",
                    "customer attribute",
                    second,
                    self.program
                        .attributes
                        .iter()
                        .map(|attribute| attribute.name.clone())
                        .collect(),
                ),
                "会话" | "conversation" => (
                    "会话字段",
                    "conversation field",
                    second,
                    figures(&["轮数", "未识别次数", "剩余额度", "上次回答"]),
                ),
                "排队" | "queue" => (
                    "排队字段",
                    "queue field",
                    second,
                    figures(&["位次", "人数", "预计分钟", "在线人数", "会话热度"]),
                ),
                "消息" | "message" => ("消息字段", "message field", second, figures(&["内容"])),
                name => match self.results.get(name) {
                    Some(connectors) => (
                        "返回字段",
                        "result field",
                        second,
                        connectors
                            .iter()
                            .filter_map(|index| self.program.connectors.get(*index))
                            .flat_map(|connector| {
                                connector.result.iter().map(|(field, _)| field.clone())
                            })
                            .collect(),
                    ),
                    None => (
                        "结果或技能组",
                        "result or skill group",
                        first,
                        self.results
                            .keys()
                            .cloned()
                            .chain(figures(&["客户", "会话", "排队", "消息"]))
                            .collect(),
                    ),
                },
            },
            _ => {
                self.error(
                    "含义-02",
                    path.span,
                    "字段最多两层，比如 客户.等级",
                    "a field has two parts at most, like customer.level",
                    "删掉多出来的一层",
                    "delete the extra part",
                );
                return;
            }
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown(zh, en, name, &known);
    }
}

fn queue_figure(word: &str) -> Option<QueueFigure> {
    Some(match keywords::find(Group::Figure, word)?.en {
        "position" => QueueFigure::Position,
        "length" => QueueFigure::Length,
        "estimated_minutes" => QueueFigure::EstimatedMinutes,
        "agents_online" => QueueFigure::AgentsOnline,
        "load" => QueueFigure::Load,
        _ => return None,
    })
}

fn boolean(word: &str) -> Option<bool> {
    match word {
        "真" | "true" => Some(true),
        "假" | "false" => Some(false),
        _ => None,
    }
}

/// How a value of the type is written.
fn example(ty: &Type) -> &'static str {
    match class(ty) {
        Class::Text => "引号里的文字，比如 \"VIP\"",
        Class::Number => "数字，比如 50000",
        Class::Boolean => "真 或 假",
        Class::Date => "日期，比如 2026-11-20",
        Class::Time => "时间，比如 9:00",
        Class::DateTime => "日期和时间，比如 2026-11-20 9:00",
    }
}
