use dbwright_model::catalog::{ConstraintKind, Index, Table};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::index_shape::{
    begins_with, columns_of, drop_index, equal_predicates, equal_to, holds_a_promise, name_of,
};
use crate::quantity::size;
use crate::{Context, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Indexing,
    weight: 3,
    wants: &[Fact::IndexStatistics],
    when: "the columns of an index are the first columns of another one",
    then: "The wider index answers the same queries, so the narrower one only costs writes and memory.",
    instead: "Drop the narrower index.",
    remedy: Applicability::Review,
    options: &[OptionSpec {
        name: "times_larger",
        default: OptionValue::Number(3.0),
        help: "how many times larger than the narrow index the wide one may be, where sizes are known",
    }],
    source: "seven public linters; redundant prefixes on five public schemas (41 of 138 tables in the largest)",
    convention: Some("indexes are the first columns of a wider one"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for narrow in &table.indexes {
            findings.examined(1);
            if !narrow.valid || !narrow.visible || !narrow.is_btree() || holds_a_promise(table, narrow) {
                continue;
            }
            // Of two equal indexes, that one has to go is said once, where they are compared.
            if equal_to(table, narrow).is_some() {
                continue;
            }
            if let Some(message) = on_row_identifier(context, table, narrow) {
                let remedy = Remedy::review(RULE.instead, vec![drop_index(context, table, narrow)]);
                findings.add(Found::at(ObjectRef::index(&table.name, &narrow.name), message).remedy(remedy));
                continue;
            }
            let wide = table
                .indexes
                .iter()
                .filter(|wide| covers(wide, narrow))
                .min_by_key(|wide| (wide.parts.len() + wide.include.len(), &wide.name));
            if let Some(wide) = wide {
                findings.add(found(context, table, narrow, wide));
            }
        }
    }
}

fn found(context: &Context<'_>, table: &Table, narrow: &Index, wide: &Index) -> Found {
    let bytes =
        |index: &Index| context.index_statistics_of(&table.name, &index.name).and_then(|known| known.bytes);
    let (narrow_bytes, wide_bytes) = (bytes(narrow), bytes(wide));
    let added = wide.parts.len() + wide.include.len() - narrow.parts.len().min(wide.parts.len());
    let much_larger = match (narrow_bytes, wide_bytes) {
        (Some(narrow), Some(wide)) => wide as f64 > context.number("times_larger") * narrow.max(1) as f64,
        _ => false,
    };
    // InnoDB keeps the whole row in its clustered key, so that a narrow index beside it is far smaller.
    let clustered =
        context.engine().dialect() == Dialect::Mysql && wide.backs == Some(ConstraintKind::PrimaryKey);
    let found = Found::at(
        ObjectRef::index(&table.name, &narrow.name),
        format!(
            "The columns of `{}` on `{}` ({}) are the first columns of {}, which answers the same queries.",
            narrow.name,
            table.name,
            columns_of(narrow),
            name_of(wide)
        ),
    )
    .evidence("wider index", format!("{} ({})", wide.name, columns_of(wide)))
    .evidence_if("size", narrow_bytes.map(size))
    .evidence_if("size of the wider index", wide_bytes.map(size))
    .remedy(Remedy::review(RULE.instead, vec![drop_index(context, table, narrow)]));
    if added > 1 || much_larger || clustered {
        found.level(Level::Note).confidence(Confidence::Medium)
    } else {
        found
    }
}

/// SQLite finds rows by an `INTEGER PRIMARY KEY` without any index.
fn on_row_identifier(context: &Context<'_>, table: &Table, index: &Index) -> Option<String> {
    let key = table.primary_key.as_ref()?;
    let backed = table.indexes.iter().any(|index| index.backs == Some(ConstraintKind::PrimaryKey));
    let alone = index.predicate.is_none() && index.columns()? == key.columns.iter().collect::<Vec<_>>();
    (context.engine() == Engine::Sqlite && !backed && alone && key.columns.len() == 1).then(|| {
        format!(
            "`{}` indexes `{}.{}`, which names the rows and is found without an index.",
            index.name, table.name, key.columns[0]
        )
    })
}

fn covers(wide: &Index, narrow: &Index) -> bool {
    let more =
        wide.parts.len() > narrow.parts.len() || wide.unique || wide.include.len() > narrow.include.len();
    let included = narrow.include.iter().all(|column| {
        wide.include.contains(column) || wide.parts.iter().any(|part| part.as_column() == Some(column))
    });
    wide.name != narrow.name
        && wide.valid
        && wide.visible
        && wide.is_btree()
        && wide.backs != Some(ConstraintKind::Exclusion)
        && more
        && included
        && begins_with(wide, &narrow.parts)
        && equal_predicates(wide, narrow)
}
