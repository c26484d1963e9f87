use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Backup,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Functions, Fact::Triggers, Fact::Roles],
    reads_views: true,
    engines: Engines::mysql_family("an owner cannot be dropped while it owns something"),
    when: "the account that a view, routine or trigger runs as does not exist",
    then: "Every use of it fails, or works with no rights at all; a restore elsewhere makes the same happen there.",
    instead: "Define the object again with an account that exists.",
    source: "MySQL documentation, stored object access control: orphan stored objects",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let roles = context.roles();
    let mut judge = |object: ObjectRef, what: String, definer: Option<&Name>| {
        let Some(definer) = definer.filter(|definer| !definer.is_empty()) else { return };
        findings.examined(1);
        let known = roles.iter().any(|role| {
            role.name == *definer || role.name.as_str().strip_suffix("@%") == Some(definer.as_str())
        });
        // Accounts of the server itself are hidden from some listings.
        if known || definer.as_str().starts_with("mysql.") || definer.as_str().starts_with("mariadb.") {
            return;
        }
        findings.add(
            Found::at(object, format!("{what} runs as `{definer}`, an account that does not exist."))
                .remedy(Remedy::manual(RULE.instead)),
        );
    };
    for view in context.catalog().views.iter().filter(|view| view.security_definer) {
        judge(ObjectRef::view(&view.name), format!("View `{}`", view.name), view.owner.as_ref());
    }
    for function in context.functions().iter().filter(|function| function.security_definer) {
        judge(
            ObjectRef::function(&function.name, &function.arguments),
            format!("Routine `{}`", function.name),
            function.owner.as_ref(),
        );
    }
    for trigger in context.triggers() {
        judge(
            ObjectRef::trigger(&trigger.table, &trigger.name),
            format!("Trigger `{}` of `{}`", trigger.name, trigger.table),
            trigger.definer.as_ref(),
        );
    }
}
