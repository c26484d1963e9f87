use dbwright_model::capability::Capability;
use dbwright_model::catalog::Column;
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    engines: Engines::only(Engine::Mysql, "it does not deprecate these forms"),
    when: "a number is declared as `float(m,d)`, `zerofill`, or as an unsigned fraction",
    then: "The forms are deprecated: a later version of MySQL will refuse the definition or change what it means.",
    instead: "Use `decimal(m,d)` for exact digits, and pad numbers where they are shown.",
    source: "MySQL documentation: numeric type attributes, deprecated since 8.0.17",
    convention: Some("numbers are declared in deprecated forms"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !context.can(Capability::DeprecatedNumberFormats) {
        findings.not_applicable("the server does not deprecate these forms yet");
        return;
    }
    for table in context.own_tables() {
        for column in table.columns.iter().filter(|column| column.data_type.kind.is_numeric()) {
            findings.examined(1);
            let Some(form) = form(column) else { continue };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!("`{}.{}` is declared {form}, which MySQL deprecates.", table.name, column.name),
                )
                .evidence("type", &column.data_type.text)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

fn form(column: &Column) -> Option<&'static str> {
    let data_type = &column.data_type;
    let fraction = data_type.kind.is_floating() || data_type.kind == TypeKind::Decimal;
    if data_type.text.as_str().ends_with(" zerofill") {
        Some("`zerofill`")
    } else if data_type.kind.is_floating() && data_type.scale.is_some() {
        Some("as a floating point number with a number of digits")
    } else if fraction && data_type.unsigned {
        Some("as an unsigned fraction")
    } else {
        None
    }
}
