use std::collections::BTreeMap;

use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::lexicon::style::NameStyle;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a name is written in another style than nearly all names of its kind",
    then: "Names have to be looked up before they are typed, and code generators make odd names of them.",
    instead: "Rename it in the style of the others, with a view of the old name for as long as it is used.",
    in_prisma: Some(
        "keep the names of models and fields, and give those of the database with `@@map` and `@map`",
    ),
    source: "majority of the schema's own names: ten names or more that show a style, four fifths of them in one",
    convention: Some("names are written in another style than most of their kind"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// So many names must show a style.
const LEAST: usize = 10;

/// Share of them that must agree.
const MAJORITY: f64 = 0.8;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let tables: Vec<(ObjectRef, &Name)> =
        context.own_tables().map(|table| (ObjectRef::table(&table.name), &table.name.name)).collect();
    let columns: Vec<(ObjectRef, &Name)> = context
        .own_tables()
        .flat_map(|table| {
            table.columns.iter().map(|column| (ObjectRef::column(&table.name, &column.name), &column.name))
        })
        .collect();
    for (kind, names) in [("table", tables), ("column", columns)] {
        compare(kind, names, findings);
    }
}

fn compare(kind: &str, names: Vec<(ObjectRef, &Name)>, findings: &mut Findings) {
    findings.examined(names.len() as u64);
    let styled: Vec<(ObjectRef, &Name, NameStyle)> = names
        .into_iter()
        .filter_map(|(object, name)| Some((object, name, NameStyle::of(name.as_str())?)))
        .collect();
    let mut count: BTreeMap<NameStyle, usize> = BTreeMap::new();
    for (_, _, style) in &styled {
        *count.entry(*style).or_default() += 1;
    }
    let Some((usual, times)) = count.into_iter().max_by_key(|(_, times)| *times) else { return };
    if styled.len() < LEAST || (times as f64) < MAJORITY * styled.len() as f64 {
        return;
    }
    for (object, name, style) in styled {
        if style == usual {
            continue;
        }
        findings.add(
            Found::at(
                object,
                format!("The {kind} name `{name}` is in another style than {times} others, so it has to be looked up."),
            )
            .confidence(Confidence::Medium)
            .evidence("its style", style.describe())
            .evidence("usual style", usual.describe())
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
