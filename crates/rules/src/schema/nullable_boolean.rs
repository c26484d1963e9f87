use dbwright_model::data_type::TypeKind;
use dbwright_model::expression::Expr;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "a truth value may be null and has no default",
    then: "Such a column has three values: rows with null are found neither by the column nor by its negation.",
    instead: "Give the column a default and `NOT NULL`, or say in a comment what null means.",
    in_prisma: Some("write `Boolean @default(false)` in place of `Boolean?`"),
    source: "three-valued logic of the SQL standard; columns with a comment are left out",
    convention: Some("truth values may be null"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            if column.data_type.kind != TypeKind::Boolean || column.data_type.array {
                continue;
            }
            findings.examined(1);
            let checked = table.checks.iter().any(|check| {
                let tree = check.expression.tree.as_deref();
                tree.is_some_and(|tree| refuses_null(tree, &column.name))
            });
            let meant = column.comment.is_some() || column.generated.is_some();
            if column.not_null || checked || column.default.is_some() || meant {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` may be null: such rows are found neither where it is true nor where it is not.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Whether a condition of every row says that the column is not null.
fn refuses_null(condition: &Expr, column: &Name) -> bool {
    condition.conjuncts().into_iter().any(|term| match term {
        Expr::IsNull { operand, negated: true } => {
            matches!(operand.without_casts(), Expr::Column { name, .. } if name == column)
        }
        Expr::Unary { op, operand } if op == "NOT" => match operand.as_ref() {
            Expr::IsNull { operand, negated: false } => {
                matches!(operand.without_casts(), Expr::Column { name, .. } if name == column)
            }
            _ => false,
        },
        _ => false,
    })
}
