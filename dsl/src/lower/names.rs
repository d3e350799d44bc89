//! The one namespace of a package: who is called what, and errors for names that nobody has.

use rustc_hash::FxHashMap;

use super::Lowerer;
use crate::ast::{self, Item, Name, Step, StepKind};
use crate::diagnostic::Diagnostic;
use crate::names::closest;
use crate::program::{Attribute, Routine, RoutineKind, Type};
use crate::source::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Words,
    Schedule,
    Segment,
    Attribute,
    Connector,
    Script,
    Group,
    Rule,
    Flow,
    Menu,
    Experiment,
    SkillGroup,
    Scorecard,
    Test,
}

impl Kind {
    pub fn zh(self) -> &'static str {
        match self {
            Kind::Words => "词组",
            Kind::Schedule => "时段",
            Kind::Segment => "人群",
            Kind::Attribute => "属性",
            Kind::Connector => "接口",
            Kind::Script => "话术",
            Kind::Group => "规则组",
            Kind::Rule => "规则",
            Kind::Flow => "流程",
            Kind::Menu => "菜单",
            Kind::Experiment => "实验",
            Kind::SkillGroup => "技能组",
            Kind::Scorecard => "质检",
            Kind::Test => "测试",
        }
    }

    pub fn en(self) -> &'static str {
        crate::keywords::grammar_word(self.zh()).map_or("name", |keyword| keyword.en)
    }
}

/// Name → index into the vector of its kind (routines for flows and menus), and where it was declared.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: FxHashMap<Kind, FxHashMap<String, (usize, Span)>>,
}

impl Names {
    pub fn get(&self, kind: Kind, name: &str) -> Option<usize> {
        self.known.get(&kind)?.get(name).map(|(index, _)| *index)
    }

    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.known
            .get(&kind)
            .into_iter()
            .flat_map(|names| names.keys().map(String::as_str))
    }
}

/// Attributes every package has: the seven profile dimensions, the last order's state, how to address the customer.
const BUILT_IN: &[(&str, Type)] = &[
    ("访问渠道", Type::Text),
    ("消费能力", Type::Text),
    ("咨询频次", Type::Text),
    ("浏览深度", Type::Text),
    ("会话时长", Type::Text),
    ("投诉记录", Type::Text),
    ("服务偏好", Type::Text),
    ("订单状态", Type::Text),
    ("称呼", Type::Text),
    ("等级", Type::Text),
];

impl<'a> Lowerer<'a> {
    /// Gives every declaration its index, and every variable its type.
    pub(super) fn collect(&mut self, items: &[&'a Item]) {
        for (name, ty) in BUILT_IN {
            self.program.attributes.push(Attribute {
                name: (*name).to_owned(),
                ty: ty.clone(),
                default: None,
                built_in: true,
                span: Span::default(),
            });
        }
        let mut counts: FxHashMap<Kind, usize> = FxHashMap::default();
        for item in items {
            let (kind, name) = match item {
                Item::Words(item) => (Kind::Words, &item.name),
                Item::Schedule(item) => (Kind::Schedule, &item.name),
                Item::Segment(item) => (Kind::Segment, &item.name),
                Item::Connector(item) => (Kind::Connector, &item.name),
                Item::Script(item) => (Kind::Script, &item.name),
                Item::Experiment(item) => (Kind::Experiment, &item.name),
                Item::SkillGroup(item) => (Kind::SkillGroup, &item.name),
                Item::Scorecard(item) => (Kind::Scorecard, &item.name),
                Item::Test(item) => (Kind::Test, &item.name),
                Item::Group(item) => {
                    for rule in &item.rules {
                        self.declare(Kind::Rule, &rule.name, 0);
                    }
                    (Kind::Group, &item.name)
                }
                Item::Flow(item) => {
                    let interrupt = self.interrupt(item);
                    let index =
                        self.reserve("流程", &item.name, RoutineKind::Flow(interrupt), item.span);
                    self.declare(Kind::Flow, &item.name, index);
                    continue;
                }
                Item::Menu(item) => {
                    let name = item.name.clone().unwrap_or_default();
                    if item.name.is_none() {
                        self.error(
                            "含义-02",
                            item.head,
                            "单独写的菜单要有名字：菜单 主菜单 { … }",
                            "a menu of its own needs a name",
                            "在「菜单」后面写上名字",
                            "write a name behind menu",
                        );
                    }
                    let index = self.reserve("菜单", &name, RoutineKind::Menu, item.span);
                    self.declare(Kind::Menu, &name, index);
                    continue;
                }
                Item::Attribute(item) => {
                    self.attribute(item);
                    continue;
                }
                _ => continue,
            };
            let count = counts.entry(kind).or_default();
            let index = *count;
            *count += 1;
            self.declare(kind, name, index);
        }
        for item in items {
            match item {
                Item::Connector(connector) => self.connector(connector),
                Item::Experiment(experiment) => {
                    self.experiments.push(experiment);
                    self.outer.experiments.push(experiment.name.text.clone());
                }
                Item::SkillGroup(group) => self.outer.skill_groups.push(group.name.text.clone()),
                _ => {}
            }
        }
        let mut sets = Vec::new();
        for item in items {
            each_step(item, &mut |step| self.variable(step, &mut sets));
        }
        // A variable set from another variable has its type; two rounds are enough for any sane package.
        for _ in 0..2 {
            for (name, value) in &sets {
                if !self.variables.contains_key(name)
                    && let Some(ty) = self.quiet_type(value)
                {
                    self.variables.insert(name.clone(), ty);
                }
            }
        }
        for (name, _) in &sets {
            self.variables.entry(name.clone()).or_insert(Type::Text);
        }
    }

    fn variable(&mut self, step: &Step, sets: &mut Vec<(String, ast::Expr)>) {
        match &step.kind {
            StepKind::Ask(ask) => {
                let ty = self.ask_type(ask);
                self.variables
                    .entry(ask.variable.text.clone())
                    .or_insert(ty);
            }
            StepKind::Set { target, value } => {
                if let [only] = target.parts.as_slice() {
                    sets.push((only.text.clone(), value.clone()));
                }
            }
            StepKind::Call(call) => {
                if let Some(result) = &call.result
                    && let Some(connector) = self.names.get(Kind::Connector, &call.connector.text)
                {
                    let connectors = self.results.entry(result.text.clone()).or_default();
                    if !connectors.contains(&connector) {
                        connectors.push(connector);
                    }
                } else if let Some(result) = &call.result {
                    self.broken.insert(result.text.clone());
                }
            }
            _ => {}
        }
    }

    fn reserve(&mut self, prefix: &str, name: &Name, kind: RoutineKind, span: Span) -> usize {
        self.program.routines.push(Routine {
            key: format!("{prefix} {}", name.text),
            kind,
            name: name.text.clone(),
            code: Vec::new(),
            span,
        });
        self.program.routines.len() - 1
    }

    fn declare(&mut self, kind: Kind, name: &Name, index: usize) {
        let names = self.names.known.entry(kind).or_default();
        if let Some((_, first)) = names.get(&name.text) {
            let first = *first;
            self.diagnostics.push(duplicate(kind, name, first));
            return;
        }
        names.insert(name.text.clone(), (index, name.span));
    }

    fn attribute(&mut self, item: &ast::Attribute) {
        let ty = self.ty(&item.ty);
        let default = item
            .default
            .as_ref()
            .and_then(|value| self.constant(value, Some(&ty)));
        let existing = self
            .program
            .attributes
            .iter()
            .position(|attribute| attribute.name == item.name.text);
        let attribute = Attribute {
            name: item.name.text.clone(),
            ty,
            default,
            built_in: false,
            span: item.name.span,
        };
        match existing.and_then(|index| self.program.attributes.get_mut(index)) {
            Some(other) if other.built_in => *other = attribute,
            Some(other) => {
                let first = other.span;
                self.diagnostics
                    .push(duplicate(Kind::Attribute, &item.name, first));
            }
            None => self.program.attributes.push(attribute),
        }
    }

    /// The index of a name, or an error that says who may have been meant.
    pub(super) fn resolve(&mut self, kind: Kind, name: &Name) -> Option<usize> {
        if let Some(index) = self.names.get(kind, &name.text) {
            if !self.facts.used.contains(&(kind, name.text.clone())) {
                self.facts.used.insert((kind, name.text.clone()));
            }
            return Some(index);
        }
        let known: Vec<String> = self.names.of(kind).map(str::to_owned).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown(kind.zh(), kind.en(), name, &known);
        None
    }

    /// The error for a name that nobody has.
    pub(super) fn unknown(&mut self, zh: &str, en: &str, name: &Name, known: &[&str]) {
        if self.unread || self.broken.contains(&name.text) {
            return;
        }
        let mut sorted = known.to_vec();
        sorted.sort_unstable();
        let mut diagnostic;
        match closest(&name.text, sorted.iter().copied()) {
            Some(close) => {
                diagnostic = Diagnostic::error(
                    "含义-02",
                    name.span,
                    format!("没有叫「{}」的{zh}，是不是「{close}」？", name.text),
                    format!(
                        "there is no {en} named {}; did you mean {close}?",
                        name.text
                    ),
                )
                .help(format!("改成「{close}」"), format!("write {close}"))
                .fix(format!("改成「{close}」"), name.span, close);
            }
            None => {
                diagnostic = Diagnostic::error(
                    "含义-02",
                    name.span,
                    format!("没有叫「{}」的{zh}", name.text),
                    format!("there is no {en} named {}", name.text),
                );
                let list: Vec<&str> = sorted.iter().take(8).copied().collect();
                diagnostic = if list.is_empty() {
                    diagnostic.help(
                        format!("先写一个{zh}「{}」", name.text),
                        format!("declare {en} {} first", name.text),
                    )
                } else {
                    diagnostic.help(
                        format!("已有的{zh}：{}", list.join("、")),
                        format!("known: {}", list.join(", ")),
                    )
                };
            }
        }
        self.diagnostics.push(diagnostic);
    }
}

fn duplicate(kind: Kind, name: &Name, first: Span) -> Diagnostic {
    Diagnostic::error(
        "含义-04",
        name.span,
        format!("{}「{}」重名了", kind.zh(), name.text),
        format!("{} {} is declared twice", kind.en(), name.text),
    )
    .label("第二次写在这里")
    .related(first, "第一次写在这里")
    .help("给其中一个换个名字", "rename one of them")
}

/// Visits every step below an item.
pub(super) fn each_step(item: &Item, visit: &mut dyn FnMut(&Step)) {
    match item {
        Item::Bot(bot) => {
            if let Some((_, block, _)) = &bot.unrecognized {
                steps(block, visit);
            }
        }
        Item::Group(group) => {
            for rule in &group.rules {
                optional(&rule.action, visit);
            }
        }
        Item::Flow(flow) => steps(&flow.steps, visit),
        Item::Menu(menu) => menu_steps(menu, visit),
        Item::Intents(lines, _) => {
            for line in lines {
                steps(&line.action, visit);
            }
        }
        Item::Experiment(experiment) => {
            for arm in &experiment.arms {
                steps(&arm.steps, visit);
            }
        }
        Item::SkillGroup(group) => {
            for (_, block) in [&group.queue_limit, &group.queue_over, &group.exclusive_away]
                .into_iter()
                .flatten()
            {
                steps(block, visit);
            }
        }
        Item::Route(route) => {
            for stage in &route.stages {
                if let ast::RouteStage::Fallback(block, _) = stage {
                    steps(block, visit);
                }
            }
        }
        _ => {}
    }
}

fn optional(block: &Option<ast::Block>, visit: &mut dyn FnMut(&Step)) {
    if let Some(block) = block {
        steps(block, visit);
    }
}

fn steps(block: &[Step], visit: &mut dyn FnMut(&Step)) {
    for step in block {
        visit(step);
        match &step.kind {
            StepKind::Ask(ask) => optional(&ask.give_up, visit),
            StepKind::Call(call) => {
                optional(&call.success, visit);
                optional(&call.failure, visit);
                optional(&call.timed_out, visit);
            }
            StepKind::If(step) => {
                for (_, block) in &step.arms {
                    steps(block, visit);
                }
                optional(&step.otherwise, visit);
            }
            StepKind::Handoff(handoff) => {
                if let Some((_, block)) = &handoff.queue_over {
                    steps(block, visit);
                }
            }
            StepKind::Menu(menu) => menu_steps(menu, visit),
            _ => {}
        }
    }
}

fn menu_steps(menu: &ast::Menu, visit: &mut dyn FnMut(&Step)) {
    for item in &menu.items {
        steps(&item.action, visit);
    }
    optional(&menu.other, visit);
}
