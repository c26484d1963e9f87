use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::lexicon::tenant;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 3,
    when: "child and parent both carry the tenant's column, but the foreign key between them leaves it out",
    then: "A row of one tenant can refer to a row of another, and row security does not see it.",
    instead: "Make the key of the parent unique together with the tenant's column, and refer to both.",
    source: "measured: a foreign key to another tenant's row is accepted under row security on PostgreSQL 15 and 18",
    convention: Some("foreign keys between tables of tenants leave the tenant out"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let tables: Vec<&Table> = context.own_tables().collect();
    let Some(tenant) = tenant::column(&tables) else {
        findings.not_applicable("no column names a tenant in most tables");
        return;
    };
    let is_tenant = |name: &Name| name.eq_ignore_case(tenant.as_str());
    let carries = |table: &Table| table.columns.iter().any(|column| is_tenant(&column.name));
    for table in tables.iter().filter(|table| carries(table)) {
        for foreign_key in &table.foreign_keys {
            let Some(parent) = context.table(&foreign_key.references).filter(|parent| carries(parent)) else {
                continue;
            };
            findings.examined(1);
            if foreign_key.columns.iter().any(is_tenant) {
                continue;
            }
            // A second key over the same columns and the tenant guards the pair.
            let guarded = table.foreign_keys.iter().any(|other| {
                other.references == foreign_key.references
                    && other.columns.iter().any(is_tenant)
                    && foreign_key.columns.iter().all(|column| other.columns.contains(column))
            });
            if guarded {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::columns(&table.name, &foreign_key.columns),
                    format!(
                        "The foreign key `{}` ({}) to `{}` omits `{tenant}`, so it can refer to another tenant's row.",
                        table.name,
                        join(&foreign_key.columns),
                        parent.name
                    ),
                )
                .confidence(Confidence::Medium)
                .evidence("tenant column", &tenant)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
