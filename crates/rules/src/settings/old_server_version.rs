use dbwright_model::facts::Origin;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::lifecycle::end_of_life;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 6,
    needs: &[],
    engines: Engines::servers("its file format is kept readable for good"),
    when: "the server's release line gets no fixes any more, or soon will not",
    then: "Holes and bugs that become known from then on stay open.",
    instead: "Plan the upgrade to a line that is maintained.",
    options: &[OptionSpec {
        name: "notice_days",
        default: OptionValue::Number(180.0),
        help: "days before the end from which on it is a note",
    }],
    source: "PostgreSQL versioning policy, MySQL and MariaDB release policies",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let source = context.source();
    let (Some(version), Some(now)) = (source.version, source.collected_at) else {
        if source.origin == Origin::Files {
            findings.not_applicable("files run on no server");
        } else {
            findings.unknown("the server's version or the day is not known");
        }
        return;
    };
    let Some(end) = end_of_life(context.engine(), version) else {
        findings.unknown(format!("the end of {} {version} is not known", context.engine()));
        return;
    };
    findings.examined(1);
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = f64::from((end - today).get_days());
    if days > context.number("notice_days") {
        return;
    }
    let over = days < 0.0;
    let message = if over {
        format!("{} {version} has had no fixes since {end}.", context.engine())
    } else {
        format!("{} {version} gets fixes until {end} only.", context.engine())
    };
    findings.add(
        Found::at(ObjectRef::server(), message)
            .level(if over { Level::Warning } else { Level::Note })
            .evidence("last day", end)
            .remedy(Remedy::manual(RULE.instead)),
    );
}
