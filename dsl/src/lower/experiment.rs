//! Experiments: shares, arms, guard.

use super::Lowerer;
use super::code::{After, Entry};
use super::names::Kind;
use crate::ast::{self, Name};
use crate::diagnostic::Diagnostic;
use crate::program::{Arm, Experiment, Guard};

impl<'a> Lowerer<'a> {
    pub(super) fn experiment(&mut self, experiment: &'a ast::Experiment) {
        let arms: Vec<Arm> = experiment
            .arms
            .iter()
            .map(|arm| Arm {
                name: arm.name.text.clone(),
                share: arm.share,
            })
            .collect();
        let total: u64 = experiment.arms.iter().map(|arm| u64::from(arm.share)).sum();
        if total != 10_000 {
            let span = experiment
                .arms
                .last()
                .map_or(experiment.name.span, |arm| arm.share_span);
            let percent = total as f64 / 100.0;
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-08",
                    span,
                    format!(
                        "实验「{}」各组加起来是 {percent}%，要正好 100%",
                        experiment.name.text
                    ),
                    format!(
                        "the arms of {} make {percent}%, not 100%",
                        experiment.name.text
                    ),
                )
                .help("改一改各组的百分比", "change the shares"),
            );
        }
        for (index, arm) in experiment.arms.iter().enumerate() {
            if let Some(first) = experiment
                .arms
                .iter()
                .take(index)
                .find(|other| other.name.text == arm.name.text)
            {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-04",
                        arm.name.span,
                        format!("组「{}」写了两次", arm.name.text),
                        format!("arm {} appears twice", arm.name.text),
                    )
                    .related(first.name.span, "第一次写在这里")
                    .help("换个名字", "rename one"),
                );
            }
        }
        let guard = experiment.guard.as_ref().and_then(|guard| {
            let arm = self.arm_of(experiment, &guard.arm)?;
            Some(Guard {
                metric: guard.metric.text.clone(),
                above: guard.above,
                samples: guard.samples,
                arm,
            })
        });
        // Arms that nothing uses are checked all the same.
        if !self
            .facts
            .used
            .contains(&(Kind::Experiment, experiment.name.text.clone()))
        {
            self.code_from(|_, code| {
                for (index, arm) in experiment.arms.iter().enumerate() {
                    code.branch(Entry::Arm(0, index), &arm.steps, After::End, arm.span);
                }
            });
        }
        self.program.experiments.push(Experiment {
            name: experiment.name.text.clone(),
            salt: experiment
                .salt
                .as_ref()
                .map_or_else(|| experiment.name.text.clone(), ast::Text::value),
            period: experiment.period,
            arms,
            metrics: experiment
                .metrics
                .iter()
                .map(|name| name.text.clone())
                .collect(),
            guard,
            span: experiment.name.span,
        });
    }

    pub(super) fn arm_of(&mut self, experiment: &ast::Experiment, name: &Name) -> Option<usize> {
        let found = experiment
            .arms
            .iter()
            .position(|arm| arm.name.text == name.text);
        if found.is_none() {
            let known: Vec<&str> = experiment
                .arms
                .iter()
                .map(|arm| arm.name.text.as_str())
                .collect();
            self.unknown("组", "arm", name, &known);
        }
        found
    }

    /// Experiment and arm by name.
    pub(super) fn arm(&mut self, experiment: &Name, arm: &Name) -> Option<(usize, usize)> {
        let index = self.resolve(Kind::Experiment, experiment)?;
        let declared = self.experiments.get(index).copied()?;
        Some((index, self.arm_of(declared, arm)?))
    }
}
