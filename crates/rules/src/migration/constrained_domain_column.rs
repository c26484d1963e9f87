use dbwright_model::catalog::UserTypeKind;
use dbwright_model::change::Change;
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
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "there are no domains"),
    when: "a column is added whose type is a domain with a check, `NOT NULL`, or a default that is another value for each row",
    then: "Nobody reads or writes the table until it is rewritten, even though every row gets the same value.",
    instead: "Add the column with the type below the domain and a check `NOT VALID`, and validate it later.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddColumn { table, column, .. } = change else { return Verdict::Other };
        if column.data_type.user_type.is_none() {
            return Verdict::Other;
        }
        let Some((name, effect, Filling::Domain)) = filling(&judged, table, column) else {
            return Verdict::Fine;
        };
        let domain = judged.statement.around.types.iter().find_map(|known| match &known.kind {
            UserTypeKind::Domain { not_null, default, checks, .. } => {
                Some((*not_null || !checks.is_empty(), default))
            }
            _ => None,
        });
        let because = match domain {
            Some((false, Some(default))) => format!("gives each row its own value from `{}`", default.text),
            Some((false, None)) => {
                "rests on a domain with constraints or with another value for each row".to_owned()
            }
            _ => "has constraints".to_owned(),
        };
        let message = format!(
            "The domain `{}` of `{name}.{}` {because}, so the table is rewritten while reads and writes wait.",
            column.data_type.text, column.name
        );
        let found = judged.felt(context, effect, ObjectRef::column(name, &column.name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
