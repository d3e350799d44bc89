//! The route, and what can be said only when everything is lowered.

use super::Lowerer;
use super::names::Kind;
use crate::ast::{self, Item};
use crate::diagnostic::Diagnostic;
use crate::program::{RouteStage, Stage};
use crate::source::Span;

impl<'a> Lowerer<'a> {
    pub(super) fn route(&mut self, route: &'a ast::Route) {
        if let Some(first) = self.program.route.first() {
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-04",
                    head(route.span),
                    "一个包里只能有一个「路由」",
                    "a package has one route",
                )
                .related(first.span, "第一个在这里")
                .help("把两处合成一处", "merge the two"),
            );
            return;
        }
        for stage in &route.stages {
            let (stage, name, span) = match stage {
                ast::RouteStage::Group(name, span) => match self.resolve(Kind::Group, name) {
                    Some(index) => (Stage::Group(index), name.text.clone(), *span),
                    None => continue,
                },
                ast::RouteStage::InFlow(span) => (Stage::InFlow, "流程中".to_owned(), *span),
                ast::RouteStage::Faq(min, span) => {
                    (Stage::Faq { min: *min }, "常见问题".to_owned(), *span)
                }
                ast::RouteStage::Intent(min, span) => {
                    (Stage::Intent { min: *min }, "意图".to_owned(), *span)
                }
                ast::RouteStage::Suggest(max, span) => {
                    let max = u8::try_from(max.unwrap_or(3)).unwrap_or(u8::MAX);
                    (Stage::Suggest { max }, "推荐问题".to_owned(), *span)
                }
                ast::RouteStage::Fallback(block, span) => {
                    let routine = self.action("兜底".to_owned(), "兜底", block, *span);
                    (Stage::Fallback(routine), "兜底".to_owned(), *span)
                }
            };
            if let Some(first) = self.program.route.iter().find(|other| other.name == name) {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-04",
                        span,
                        format!("「{name}」在路由里写了两次"),
                        format!("{name} stands in the route twice"),
                    )
                    .related(first.span, "第一次写在这里")
                    .help("删掉一个", "delete one"),
                );
                continue;
            }
            self.program.route.push(RouteStage { stage, name, span });
        }
        let fallback = self
            .program
            .route
            .iter()
            .position(|stage| matches!(stage.stage, Stage::Fallback(_)));
        match fallback {
            None if !route.broken => {
                let at = Span {
                    file: route.span.file,
                    start: route.end,
                    end: route.end,
                };
                self.diagnostics.push(
                    Diagnostic::error(
                        "完整-01",
                        head(route.span),
                        "路由没有写「兜底」：什么都没中时机器人说什么？",
                        "the route has no fallback",
                    )
                    .help(
                        "在最后加一行：兜底 -> 进入 流程 主菜单",
                        "add a last line: fallback -> enter flow …",
                    )
                    .fix(
                        "补上「兜底」",
                        at,
                        "兜底 -> 说 \"没听懂，请换个说法。\"\n",
                    ),
                );
            }
            Some(index) if index + 1 < self.program.route.len() => {
                let after = self
                    .program
                    .route
                    .get(index + 1)
                    .map(|stage| stage.span)
                    .unwrap_or_default();
                self.diagnostics.push(
                    Diagnostic::error(
                        "完整-01",
                        after,
                        "「兜底」要写在路由的最后，它后面的都轮不到",
                        "fallback must be the last stage",
                    )
                    .help("把「兜底」移到最后", "move fallback to the end"),
                );
            }
            _ => {}
        }
    }

    /// What can be said only when everything is lowered.
    pub(super) fn finish(&mut self, items: &[&'a Item]) {
        let unwaited = std::mem::take(&mut self.unwaited);
        let mut told: Vec<usize> = Vec::new();
        for (index, span) in unwaited {
            let Some(group) = self.program.skill_groups.get(index) else {
                continue;
            };
            if group.queue_over.is_some() || told.contains(&index) {
                continue;
            }
            told.push(index);
            let (name, declared) = (group.name.clone(), group.span);
            self.diagnostics.push(
                Diagnostic::error(
                    "完整-05",
                    span,
                    format!("技能组「{name}」没有写「排队超过」：没人接的时候怎么办？"),
                    format!("skill group {name} does not say what happens when nobody answers (queue_over)"),
                )
                .related(declared, "技能组写在这里")
                .help(
                    format!("在技能组「{name}」里加一行：排队超过 5分钟 -> 留言 \"…\"，或者写在转人工后面"),
                    "add to the skill group: queue_over 5min -> leave_message \"…\"",
                ),
            );
        }
        if self.program.route.is_empty()
            && !items.is_empty()
            && !items.iter().any(|item| matches!(item, Item::Route(_)))
            && !self.unread
            && !self.broken.contains("路由")
        {
            self.diagnostics.push(
                Diagnostic::error(
                    "完整-01",
                    Span::default(),
                    "这个包里没有「路由」",
                    "the package has no route",
                )
                .help(
                    "加一个：路由 { 规则组 日常  流程中  兜底 -> 说 \"没听懂，请换个说法。\" }",
                    "add: route { …  fallback -> say \"…\" }",
                ),
            );
        }
        for (index, routine) in self.program.routines.iter().enumerate() {
            self.program
                .routine_by_key
                .entry(routine.key.clone())
                .or_insert(index);
        }
    }
}

/// The first bytes of a block, for a caret that does not run over pages.
fn head(span: Span) -> Span {
    Span {
        end: span.end.min(span.start + "路由".len() as u32),
        ..span
    }
}
