use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::lexicon::columns::{Money, is_currency, money};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "other tables say the currency of their amounts and this one does not",
    then: "Whoever reads the amount has to guess its currency, and sums may add different ones.",
    instead: "Keep the currency beside the amount, or say in a comment where it comes from.",
    source: "engineering practice; a schema without any currency column is taken to have one currency",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let says = |table: &Table| table.columns.iter().any(|column| is_currency(column.name.as_str()));
    let speaks_money = |table: &&Table| {
        table.columns.iter().any(|column| money(column.name.as_str()) == Some(Money::Likely))
    };
    let with_money: Vec<&Table> = context.own_tables().filter(speaks_money).collect();
    if !with_money.iter().any(|table| says(table)) {
        findings.not_applicable("no table with amounts says a currency, so there is one currency");
        return;
    }
    for table in with_money {
        findings.examined(1);
        if says(table) || is_currency(table.name.name.as_str()) || inherited(context, table, &says) {
            continue;
        }
        let amount = table.columns.iter().find(|column| {
            money(column.name.as_str()) == Some(Money::Likely)
                && base_type(context.catalog(), &column.data_type).kind.is_numeric()
        });
        let Some(amount) = amount else { continue };
        // A name that ends in a currency says it: `price_usd`.
        let words = crate::lexicon::words(amount.name.as_str());
        if words.iter().any(|word| matches!(word.as_str(), "usd" | "eur" | "gbp" | "jpy" | "chf")) {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::column(&table.name, &amount.name),
                format!(
                    "Neither `{}` nor the tables it refers to say in which currency `{}` is, while other tables do.",
                    table.name, amount.name
                ),
            )
            .confidence(Confidence::Low)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

/// Whether a table within two steps along the foreign keys says a currency.
fn inherited(context: &Context<'_>, table: &Table, says: &dyn Fn(&Table) -> bool) -> bool {
    let parents = |table: &Table| {
        table.foreign_keys.iter().filter_map(|key| context.table(&key.references)).collect::<Vec<_>>()
    };
    parents(table).into_iter().any(|parent| {
        says(parent)
            || is_currency(parent.name.name.as_str())
            || parents(parent).into_iter().any(|above| says(above) || is_currency(above.name.name.as_str()))
    })
}
