use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::lexicon::columns::{Money, is_currency, money};
use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 5,
    when: "a column named like an amount of money is a floating point number",
    then: "Amounts are rounded in binary: sums are off by fractions of a cent, and equal amounts compare as different.",
    instead: "Keep money as an exact decimal, or as a whole number of the smallest unit.",
    in_prisma: Some("write `Decimal @db.Decimal(19, 4)` in place of `Float`"),
    source: "measured: 0.1 + 0.2 is not 0.3 in a column of double precision; agreement of five public linters",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let trade = table.columns.iter().any(|column| is_currency(column.name.as_str()))
            || words(table.name.name.as_str()).iter().any(|word| TRADE.contains(&word.as_str()));
        for column in &table.columns {
            let Some(sure) = money(column.name.as_str()) else { continue };
            // A total or an amount is money where things are bought and sold.
            // A floating point discount is as often a share, such as 0.15.
            let share = words(column.name.as_str()).last().is_some_and(|word| word == "discount");
            if sure == Money::Maybe && (!trade || share) {
                continue;
            }
            let data_type = base_type(context.catalog(), &column.data_type);
            if !data_type.kind.is_numeric() {
                continue;
            }
            findings.examined(1);
            if !data_type.kind.is_floating() {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` keeps money as a rounded binary number: sums drift and equal amounts differ.",
                        table.name, column.name
                    ),
                )
                .evidence("type", &column.data_type.text)
                .confidence(if sure == Money::Likely { Confidence::Medium } else { Confidence::Low })
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Words of tables about buying and selling.
const TRADE: &[&str] = &[
    "account",
    "accounts",
    "bill",
    "bills",
    "billing",
    "cart",
    "carts",
    "credits",
    "invoice",
    "invoices",
    "ledger",
    "order",
    "orders",
    "payment",
    "payments",
    "payroll",
    "purchase",
    "purchases",
    "receipt",
    "receipts",
    "refund",
    "refunds",
    "sale",
    "sales",
    "subscription",
    "subscriptions",
    "transaction",
    "transactions",
    "wallet",
    "wallets",
];
