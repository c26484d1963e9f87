use std::collections::BTreeMap;

use dbwright_model::catalog::Table;
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
    let tables = || context.own_tables().map(|table| (table, &table.name.name));
    compare("table", tables, |table, _| ObjectRef::table(&table.name), findings);
    let columns = || {
        context.own_tables().flat_map(|table| table.columns.iter().map(move |column| (table, &column.name)))
    };
    compare("column", columns, |table, name| ObjectRef::column(&table.name, name), findings);
}

/// Looks twice at the same names: a large database has too many of them to be kept beside its catalog.
fn compare<'c, I: Iterator<Item = (&'c Table, &'c Name)>>(
    kind: &str,
    names: impl Fn() -> I,
    object: impl Fn(&Table, &Name) -> ObjectRef,
    findings: &mut Findings,
) {
    let mut count: BTreeMap<NameStyle, usize> = BTreeMap::new();
    for (_, name) in names() {
        findings.examined(1);
        if let Some(style) = NameStyle::of(name.as_str()) {
            *count.entry(style).or_default() += 1;
        }
    }
    let styled: usize = count.values().sum();
    let Some((usual, times)) = count.into_iter().max_by_key(|(_, times)| *times) else { return };
    if styled < LEAST || (times as f64) < MAJORITY * styled as f64 {
        return;
    }
    for (table, name) in names() {
        let Some(style) = NameStyle::of(name.as_str()) else { continue };
        if style == usual {
            continue;
        }
        findings.add(
            Found::at(
                object(table, name),
                format!("The {kind} name `{name}` is in another style than {times} others, so it has to be looked up."),
            )
            .confidence(Confidence::Medium)
            .evidence("its style", style.describe())
            .evidence("usual style", usual.describe())
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
