use dbwright_model::backup::Backups;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::observed::Observed;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::time;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Backup,
    weight: 10,
    needs: &[],
    wants: &[Fact::Backups],
    when: "no backup has been proven to restore lately",
    then: "Whether the data could be brought back is a hope: most failures of backups show only in a restore.",
    instead: "Restore the newest backup on another server, compare it, and write the day into `dbwright.toml` under `[[backup.restored]]`.",
    options: &[OptionSpec {
        name: "max_age_days",
        default: OptionValue::Number(30.0),
        help: "days for which a proof counts; after twice as many it counts for nothing",
    }],
    source: "measured: of nine damaged backups every one was reported good by the tool that made it",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let observed = &context.facts_if_known(Fact::Backups).backups;
    let declared = context.declared_proofs();
    let none = Backups::default();
    let backups = match (observed, declared) {
        (Observed::Known(backups), _) => backups,
        (unknown, declared) => {
            // What the team declares counts where there is nothing to read. Where something is that could not be read, it may
            // say otherwise.
            let unread = matches!(unknown, Observed::Denied(_) | Observed::Failed(_));
            if unread || declared.is_empty() {
                let because = unknown.because().unwrap_or_default();
                findings.unknown(format!("{}: {because}", Fact::Backups.describe()));
            }
            if declared.is_empty() {
                return;
            }
            &none
        }
    };
    findings.examined(1);
    let newest = backups.records.iter().filter(|record| record.ok).filter_map(|record| record.finished).max();
    let object = ObjectRef::database(&context.database());
    let mut sources: Vec<&str> = backups.sources.iter().map(String::as_str).collect();
    if !declared.is_empty() {
        sources.push("dbwright.toml");
    }
    let say = |message: String| {
        Found::at(object.clone(), message)
            .evidence("backups on record", backups.records.len())
            .evidence("newest backup", newest.map_or("none".to_owned(), |at| at.to_string()))
            .evidence("looked in", if sources.is_empty() { "nothing".to_owned() } else { sources.join(", ") })
            .remedy(Remedy::manual(RULE.instead))
    };
    let last = backups.proofs.iter().chain(declared).max_by_key(|proof| proof.finished);
    let Some(last) = last else {
        let message = match newest {
            Some(_) => "There are backups, and nobody has shown that they can be restored.",
            None => "There is no backup on record, and no proof that one could be restored.",
        };
        findings.add(say(message.to_owned()).critical());
        return;
    };
    if !last.ok {
        findings.add(say("The last attempt to restore a backup failed.".to_owned()).critical());
        return;
    }
    let (Some(proven), Some(now)) = (last.finished, context.source().collected_at) else {
        findings.unknown("when the last restore was proven is not known");
        return;
    };
    let age = now.duration_since(proven).as_secs_f64();
    let limit = context.number("max_age_days") * 86_400.0;
    if age > limit * 2.0 {
        findings.add(say(format!("The last proven restore is {} old.", time(age))).critical());
    } else if age > limit {
        findings.add(say(format!("The last proven restore is {} old.", time(age))).level(Level::Warning));
    }
}
