use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::{role, words};
use crate::reference::{self, Names};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "a foreign key's column is named after one table and refers to another",
    then: "If the name is right, ids of one table are checked against another, and joins by name give wrong rows.",
    instead: "Let the foreign key refer to the table that the column is named after, or rename the column.",
    source: "peers report most of such pairs to be aliases, so it is a note; only a table of that very name counts",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let tables: Vec<&Table> = context.own_tables().collect();
    let names = Names::new(&tables);
    for table in &tables {
        for foreign_key in &table.foreign_keys {
            let [column] = foreign_key.columns.as_slice() else { continue };
            findings.examined(1);
            let Some(named) = names.named_after(table, column) else { continue };
            let Some(target) = context.table(&foreign_key.references) else { continue };
            if named.name == target.name || named.name == table.name || related(named, target) {
                continue;
            }
            let words = words(column.as_str());
            let base = reference::base(&words).0;
            let target_stem = reference::stem(&target.name.name);
            let alias = role::is_person(base)
                || role::is_same_table(base)
                || base.iter().any(|word| target_stem.contains(word));
            let fits = reference::single_key(named)
                .zip(table.column(column.as_str()))
                .is_some_and(|(key, column)| reference::same_type(&key.data_type, &column.data_type));
            let twice = table
                .foreign_keys
                .iter()
                .any(|other| other.columns == foreign_key.columns && other.references == named.name);
            if alias || !fits || twice {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, column),
                    format!(
                        "`{}.{column}` refers to `{}` although a table `{}` bears its name, so ids may be mixed up.",
                        table.name, target.name, named.name
                    ),
                )
                .confidence(Confidence::Low)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Whether one of the tables extends the other, so that both have the same ids.
fn related(a: &Table, b: &Table) -> bool {
    let extends = |child: &Table, parent: &Table| {
        let key = reference::single_key(child).map(|column| &column.name);
        child.foreign_keys.iter().any(|foreign_key| {
            foreign_key.references == parent.name
                && foreign_key.columns.len() == 1
                && foreign_key.columns.first() == key
        })
    };
    extends(a, b) || extends(b, a)
}
