use dbwright_model::catalog::Column;
use dbwright_model::change::{Change, ColumnPosition};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::new_column::{Filling, filling};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "which default of a new column copies the table is told by other rules there",
    ),
    when: "a column is added with a default that is another value for each row",
    then: "Nobody reads or writes the table until every row has got its value.",
    instead: "Add the column without a default, set the default for new rows, and fill the old ones in batches.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, \"Notes\"; measured on 13 to 18 for defaults of every volatility",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddColumn { table, column, if_not_exists, .. } = change else { return Verdict::Other };
        let Some(default) = &column.default else { return Verdict::Other };
        let Some((name, effect, Filling::Volatile)) = filling(&judged, table, column) else {
            return Verdict::Fine;
        };
        let message = format!(
            "Each row of `{name}` gets its own `{}` from `{}`: the table is rewritten while reads and writes wait.",
            column.name, default.text
        );
        let found = judged.felt(context, effect, ObjectRef::column(name, &column.name), message);
        if !judged.alone() {
            return Verdict::Found(found.remedy(Remedy::manual(RULE.instead)));
        }
        let bare = Column { default: None, not_null: false, ..column.as_ref().clone() };
        let changes = vec![
            Change::AddColumn {
                alter: Default::default(),
                table: table.clone(),
                column: Box::new(bare),
                position: ColumnPosition::Last,
                if_not_exists: *if_not_exists,
            },
            Change::SetDefault {
                alter: Default::default(),
                table: table.clone(),
                column: column.name.clone(),
                default: Some(default.clone()),
            },
        ];
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, changes)))
    });
}
