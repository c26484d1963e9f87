use dbwright_model::capability::Capability;
use dbwright_model::catalog::ReferentialAction;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 6,
    engines: Engines::ALL.except_mysql_family("InnoDB refuses such a key when it is made"),
    when: "a foreign key sets columns to null that must not be null",
    then: "Deleting or re-keying a parent row that has children always fails, with an error about the child's column.",
    instead: "Choose `RESTRICT` or `CASCADE`, or let the column be null.",
    source: "measured on PostgreSQL and SQLite: the key is accepted and every such delete fails",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for key in &table.foreign_keys {
            let deletes = key.on_delete == ReferentialAction::SetNull;
            if !deletes && key.on_update != ReferentialAction::SetNull {
                continue;
            }
            findings.examined(1);
            let fixed: Vec<&Name> = key
                .columns
                .iter()
                .filter(|name| table.column(name.as_str()).is_some_and(|column| column.not_null))
                .collect();
            // Which of several columns are set may have been said, and is not known here.
            let may_be_partial =
                deletes && context.can(Capability::SetNullColumns) && fixed.len() < key.columns.len();
            if fixed.is_empty() || may_be_partial {
                continue;
            }
            let action = if deletes { "Deleting" } else { "Changing the key of" };
            findings.add(
                Found::at(
                    ObjectRef::columns(&table.name, &key.columns),
                    format!(
                        "{action} a row of `{}` fails while `{}` refers to it: the key sets `{}` to null, which must not be.",
                        key.references,
                        table.name,
                        join(fixed)
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
