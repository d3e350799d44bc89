//! Personal values that no mask finds by their look (addresses): hidden by the type they were declared with.

use yingda_dsl::program::{Field, Op, Program, TemplatePart, Type, Value};

use crate::conversation::Conversation;

/// What a personal value is shown as.
pub(crate) const HIDDEN: &str = "***";

/// The names of a package whose values are personal.
#[derive(Debug, Default)]
pub(crate) struct PersonalNames {
    variables: Vec<String>,
    attributes: Vec<String>,
    /// Connector result fields.
    fields: Vec<String>,
}

impl PersonalNames {
    pub fn of(program: &Program) -> PersonalNames {
        let mut names = PersonalNames::default();
        for step in program.routines.iter().flat_map(|routine| &routine.code) {
            match &step.op {
                Op::Ask(ask) if ask.ty.is_personal() => names.variables.push(ask.variable.clone()),
                // A variable set from elsewhere has its type where it is shown.
                Op::Say(say) => say
                    .variants
                    .iter()
                    .flat_map(|variant| &variant.parts)
                    .for_each(|part| names.add_shown(part)),
                _ => {}
            }
        }
        let personal = |ty: &Type| ty.is_personal();
        let attributes = program.attributes.iter().filter(|a| personal(&a.ty));
        names.attributes.extend(attributes.map(|a| a.name.clone()));
        let fields = program.connectors.iter().flat_map(|c| &c.result);
        let fields = fields.filter(|(_, ty)| personal(ty));
        names.fields.extend(fields.map(|(name, _)| name.clone()));
        names
    }

    fn add_shown(&mut self, part: &TemplatePart) {
        if let TemplatePart::Field {
            field: Field::Variable(name),
            ty,
        } = part
            && ty.is_personal()
        {
            self.variables.push(name.clone());
        }
    }

    /// Whether a field's value is personal.
    pub fn holds(&self, field: &Field) -> bool {
        match field {
            Field::Attribute(name) => self.attributes.contains(name),
            Field::Variable(name) => self.variables.contains(name),
            Field::Result { field, .. } => self.fields.contains(field),
            _ => false,
        }
    }

    /// The text without the personal values of a conversation that occur in it.
    pub fn redact(&self, text: &str, conversation: &Conversation) -> String {
        let variables = self
            .variables
            .iter()
            .filter_map(|n| conversation.variables.get(n));
        let attributes = self
            .attributes
            .iter()
            .filter_map(|n| conversation.attributes.get(n));
        let results = self.fields.iter().flat_map(|n| {
            conversation
                .results
                .values()
                .filter_map(move |fields| fields.get(n))
        });
        let mut out = text.to_owned();
        for value in variables.chain(attributes).chain(results) {
            if let Value::Text(value) = value
                // What the mask finds keeps its ends, which help to tell one number from another.
                && yingda_models::mask(value) == *value
                && !value.is_empty()
            {
                out = out.replace(value.as_str(), HIDDEN);
            }
        }
        out
    }
}
