//! 提示-01: a name that nothing uses. Folders brought in by 引用 are left alone.

use super::Package;
use crate::ast::{Item, Name};
use crate::diagnostic::Diagnostic;
use crate::lower::Kind;

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let paths = package.files.paths();
    for item in package.trees.iter().flat_map(|tree| &tree.items) {
        let (kind, name): (Kind, &Name) = match item {
            Item::Words(item) => (Kind::Words, &item.name),
            Item::Schedule(item) => (Kind::Schedule, &item.name),
            Item::Segment(item) => (Kind::Segment, &item.name),
            Item::Attribute(item) => (Kind::Attribute, &item.name),
            Item::Connector(item) => (Kind::Connector, &item.name),
            Item::Script(item) if item.name.text != "安抚" => (Kind::Script, &item.name),
            Item::Group(item) => (Kind::Group, &item.name),
            Item::Flow(item) => (Kind::Flow, &item.name),
            Item::Experiment(item) => (Kind::Experiment, &item.name),
            Item::SkillGroup(item) => (Kind::SkillGroup, &item.name),
            Item::Menu(menu) => match &menu.name {
                Some(name) => (Kind::Menu, name),
                None => continue,
            },
            _ => continue,
        };
        let imported = paths
            .get(name.span.file as usize)
            .is_some_and(|path| path.starts_with("../"));
        if imported || package.facts.used.contains(&(kind, name.text.clone())) {
            continue;
        }
        let more = match kind {
            Kind::Group => "，路由里没有它，里面的规则都不会执行",
            _ => "",
        };
        diagnostics.push(
            Diagnostic::warning(
                "提示-01",
                name.span,
                format!("{}「{}」没有用到{more}", kind.zh(), name.text),
                format!("{} {} is never used", kind.en(), name.text),
            )
            .help("用上它，或者删掉", "use it or delete it"),
        );
    }
}
