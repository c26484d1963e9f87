use dbwright_model::catalog::Table;
use dbwright_model::chain::ChainStatement;
use dbwright_model::change::{Change, ColumnPosition, DroppedConstraint};
use dbwright_model::data_type::TypeKind;
use dbwright_model::effect::Algorithm;
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::mysql_family(
        "tables are not changed by copying them there, or rules of their own tell it",
    ),
    when: "a change of a table in use is one for which the server fills a copy of the table",
    then: "Writes to the table wait until the last row is copied, and every replica does the same again.",
    instead: "Let gh-ost or pt-online-schema-change copy the table beside the work.",
    remedy: Applicability::Manual,
    source: "measured on MariaDB 10.11; MySQL manual, \"Online DDL Operations\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        let Some(effect) = judged.statement.felt().find(|effect| effect.algorithm.is_some()) else {
            continue;
        };
        findings.examined(1);
        if effect.algorithm != Some(Algorithm::Copy) || !effect.blocks_in_proportion_to_size() {
            continue;
        }
        let name = &effect.relation;
        let known = judged.statement.table(name);
        let causes =
            judged.statement.changes.iter().filter_map(|change| cause(context.engine(), known, change));
        let cause = causes.max_by_key(|cause| cause.rank).unwrap_or_else(|| Cause {
            rank: 0,
            what: format!("`{}`", lint::verb(judged.statement)),
            instead: RULE.instead,
        });
        let message =
            format!("{} makes the server copy `{name}` while {} wait.", cause.what, lint::waiting(effect));
        let locked: Vec<String> = also_locked(&judged, name).map(ToString::to_string).collect();
        let also = (!locked.is_empty()).then(|| locked.join(", "));
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        let level = if known.is_none() && is_likely_of_another_kind(judged.statement) {
            Level::Note
        } else {
            RULE.level
        };
        let found = found.level(level);
        findings.add(found.evidence_if("also locked", also).remedy(Remedy::manual(cause.instead)));
    }
}

/// Whether a `MODIFY` of a column that is not known says something that may be all that it changes: nulls, a default, a
/// name, a place. A big integer is mostly what an integer becomes.
fn is_likely_of_another_kind(statement: &ChainStatement) -> bool {
    let says = |word: &str| lint::has_word(&statement.sql, word);
    statement.changes.iter().any(|change| match change {
        Change::ModifyColumn { column, to, position, .. } => {
            let said =
                to.not_null || to.default.is_some() || says("comment") || says("invisible") || says("update");
            let place = *position != ColumnPosition::Last || !to.name.eq_ignore_case(column.as_str());
            let is_virtual = to.generated.as_ref().is_some_and(|generated| !generated.stored);
            let checked = statement.changes.iter().any(|change| matches!(change, Change::AddCheck { .. }));
            // So are signs, lengths and orders of texts what changes where they are said.
            let is_type =
                to.data_type.kind == TypeKind::BigInt || to.data_type.unsigned || to.data_type.kind.is_text();
            !is_type && (said || place || is_virtual || checked)
        }
        _ => false,
    })
}

fn also_locked<'a>(judged: &Judged<'a>, name: &QualifiedName) -> impl Iterator<Item = &'a QualifiedName> {
    judged.statement.felt().map(|effect| &effect.relation).filter(move |other| *other != name)
}

/// Why a table is copied.
struct Cause {
    /// How likely the change is the one that makes the server copy, where a statement makes several.
    rank: u8,
    /// The change: the begin of a sentence.
    what: String,
    /// What to do instead: a sentence in the imperative.
    instead: &'static str,
}

fn cause(engine: Engine, known: Option<&Table>, change: &Change) -> Option<Cause> {
    let because = |rank: u8, what: String, instead: &'static str| Some(Cause { rank, what, instead });
    match change {
        Change::AddColumn { table, column, position, .. } => {
            let (owner, name) = (&table.name, &column.name);
            let tree = column.default.as_ref().and_then(|default| default.tree.as_deref());
            let reckoned = tree.is_some_and(|tree| !matches!(tree.without_casts(), Expr::Literal(_)));
            if column.generated.as_ref().is_some_and(|generated| generated.stored) {
                because(
                    6,
                    format!("The new stored column `{owner}.{name}`"),
                    "Make the column virtual, or add a plain one, fill it in batches, and keep it in step with triggers.",
                )
            } else if reckoned {
                because(
                    5,
                    format!(
                        "The default of the new column `{owner}.{name}`, which is another value for each row,"
                    ),
                    "Add the column without a default, give it the default for new rows, and fill the old ones in batches.",
                )
            } else if *position == ColumnPosition::Last {
                because(1, format!("The new column `{owner}.{name}`"), RULE.instead)
            } else {
                because(
                    3,
                    format!("The new column `{owner}.{name}` in front of others"),
                    "Add the column at the end: the order of columns matters to nobody who names them.",
                )
            }
        }
        Change::ModifyColumn { table, column, to, .. } => {
            let (owner, old) = (&table.name, known.and_then(|table| table.column(column.as_str())));
            let is_list = |kind: TypeKind| matches!(kind, TypeKind::Enum | TypeKind::Set);
            let new = &to.data_type;
            match old {
                Some(old) if is_list(old.data_type.kind) && old.data_type.kind == new.kind => because(
                    6,
                    format!("The new list of values of `{owner}.{column}`"),
                    "Leave the values that are there in their order and add new ones at the end, or keep the values in a table.",
                ),
                Some(old) if old.data_type.text == new.text && to.generated.is_some() => because(
                    5,
                    format!("The new expression of `{owner}.{column}`"),
                    "Add a column with the new expression, fill it in batches, and swap the two.",
                ),
                Some(old) if old.data_type.text == new.text => {
                    because(5, format!("The new definition of `{owner}.{column}`"), RULE.instead)
                }
                Some(old) => because(
                    6,
                    format!("The change of `{owner}.{column}` from {} to {}", old.data_type.text, new.text),
                    "Add a column of the new type, keep it in step with triggers, fill it in batches, and swap the two; or let gh-ost or pt-online-schema-change copy the table.",
                ),
                None => because(5, format!("The change of `{owner}.{column}` to {}", new.text), RULE.instead),
            }
        }
        Change::AddForeignKey { table, foreign_key, .. } => because(
            7,
            format!("The new foreign key from `{}` to `{}`", table.name, foreign_key.references.name),
            "Look for rows without a parent, then add the key with `foreign_key_checks = 0`, which copies nothing and looks at no row; or let pt-online-schema-change copy the table.",
        ),
        Change::AddCheck { table, .. } if engine == Engine::Mysql => because(
            6,
            format!("The new check of `{}`", table.name),
            "Add the check `NOT ENFORCED` and keep the rule in the application, or let gh-ost or pt-online-schema-change copy the table.",
        ),
        Change::AddCheck { table, .. } => {
            because(6, format!("The new check of `{}`", table.name), RULE.instead)
        }
        Change::AddUnique { table, alter, .. } if alter.ignore => {
            because(7, format!("The unique key over `{}` with `IGNORE`", table.name), RULE.instead)
        }
        Change::AddUnique { table, .. } => because(
            4,
            format!("The new unique key of `{}`", table.name),
            "Make the key over a shorter column, or over a hash of the long one that a virtual column holds.",
        ),
        Change::DropConstraint { table, constraint: DroppedConstraint::PrimaryKey, .. } => because(
            6,
            format!("The end of the primary key of `{}`", table.name),
            "Drop the old key and add the new one in one statement: the table is then rebuilt in place while writes go on.",
        ),
        Change::DropColumn { table, column, .. } => {
            because(2, format!("The end of `{}.{column}`", table.name), RULE.instead)
        }
        Change::SetTableOptions { table, options, .. } => {
            let (option, _) = options.first()?;
            let what = match option.as_str() {
                "convert_to" => format!("The new character set of `{}`", table.name),
                "engine" => format!("The new storage engine of `{}`", table.name),
                "system_versioning" => format!("The history that `{}` shall keep", table.name),
                other => format!("The option `{other}` of `{}`", table.name),
            };
            because(5, what, RULE.instead)
        }
        Change::AlterPartitions { table, partitions, .. } => {
            because(6, format!("`{}` of `{}`", partitions.action, table.name), RULE.instead)
        }
        Change::OrderTable { table, .. } => because(
            6,
            format!("`ORDER BY` of `{}`", table.name),
            "Leave it out: InnoDB keeps its rows in the order of the primary key anyway.",
        ),
        Change::CreateIndex { table, index, .. } => because(
            2,
            format!("The index `{}` of `{}`", index.name, table.name),
            "Add one index per statement.",
        ),
        _ => None,
    }
}
