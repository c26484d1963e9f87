//! Extended statistics, publications and subscriptions as statements of PostgreSQL.

use dbwright_model::catalog::{ExtendedStatistics, Publication, PublishedTable};
use dbwright_model::change::{Change, ListAction, SubscriptionAction};
use dbwright_model::name::Name;

use super::definition::parameters;
use super::quote::qualified;
use super::write::{cascading, if_not, if_there, list, quoted, statistics_target};

/// Writes one of the changes of these objects.
pub(super) fn statement(change: &Change) -> Option<String> {
    Some(match change {
        Change::CreateStatistics { statistics, if_not_exists } => {
            create_statistics(statistics, *if_not_exists)
        }
        Change::SetExtendedStatisticsTarget { name, target } => {
            format!("ALTER STATISTICS {} SET STATISTICS {}", qualified(name), statistics_target(*target))
        }
        Change::DropStatistics { name, if_exists, cascade } => {
            format!("DROP STATISTICS {}{}{}", if_there(*if_exists), qualified(name), cascading(*cascade))
        }
        Change::CreatePublication { publication } => create_publication(publication),
        Change::AlterPublication { name, action, tables, schemas } => {
            format!("ALTER PUBLICATION {} {} {}", quoted(name), verb(*action), published(tables, schemas))
        }
        Change::SetPublicationOptions { name, options } => {
            format!("ALTER PUBLICATION {} SET ({})", quoted(name), parameters(options))
        }
        Change::DropPublication { name, if_exists, cascade } => {
            format!("DROP PUBLICATION {}{}{}", if_there(*if_exists), quoted(name), cascading(*cascade))
        }
        Change::AlterSubscription { name, action } => {
            format!("ALTER SUBSCRIPTION {} {}", quoted(name), subscription_action(action)?)
        }
        Change::DropSubscription { name, if_exists, cascade } => {
            format!("DROP SUBSCRIPTION {}{}{}", if_there(*if_exists), quoted(name), cascading(*cascade))
        }
        _ => return None,
    })
}

fn create_statistics(statistics: &ExtendedStatistics, if_not_exists: bool) -> String {
    let mut sql = format!("CREATE STATISTICS {}", if_not(if_not_exists));
    if !statistics.name.name.is_empty() {
        sql.push_str(&format!("{} ", qualified(&statistics.name)));
    }
    if !statistics.kinds.is_empty() {
        sql.push_str(&format!("({}) ", list(&statistics.kinds)));
    }
    let parts: Vec<String> = statistics
        .columns
        .iter()
        .map(quoted)
        .chain(statistics.expressions.iter().map(|expression| format!("({})", expression.text)))
        .collect();
    sql.push_str(&format!("ON {} FROM {}", parts.join(", "), qualified(&statistics.table)));
    sql
}

fn create_publication(publication: &Publication) -> String {
    let mut sql = format!("CREATE PUBLICATION {}", quoted(&publication.name));
    if publication.all_tables {
        sql.push_str(" FOR ALL TABLES");
    } else if !publication.tables.is_empty() || !publication.schemas.is_empty() {
        sql.push_str(&format!(" FOR {}", published(&publication.tables, &publication.schemas)));
    }
    if !publication.options.is_empty() {
        sql.push_str(&format!(" WITH ({})", parameters(&publication.options)));
    }
    sql
}

/// The list of tables and schemas of a publication.
fn published(tables: &[PublishedTable], schemas: &[Name]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for table in tables {
        let mut part = format!("TABLE {}{}", if table.only { "ONLY " } else { "" }, qualified(&table.table));
        if !table.columns.is_empty() {
            part.push_str(&format!(" ({})", list(&table.columns)));
        }
        if let Some(filter) = &table.filter {
            part.push_str(&format!(" WHERE ({})", filter.text));
        }
        parts.push(part);
    }
    parts.extend(schemas.iter().map(|schema| format!("TABLES IN SCHEMA {}", quoted(schema))));
    parts.join(", ")
}

fn verb(action: ListAction) -> &'static str {
    match action {
        ListAction::Add => "ADD",
        ListAction::Drop => "DROP",
        ListAction::Set => "SET",
    }
}

/// What a subscription is told; a new connection is not known.
fn subscription_action(action: &SubscriptionAction) -> Option<String> {
    let with = |options: &[(Name, String)]| {
        if options.is_empty() { String::new() } else { format!(" WITH ({})", parameters(options)) }
    };
    Some(match action {
        SubscriptionAction::Connection => return None,
        SubscriptionAction::Publications(action, names, options) => {
            format!("{} PUBLICATION {}{}", verb(*action), list(names), with(options))
        }
        SubscriptionAction::Refresh(options) => format!("REFRESH PUBLICATION{}", with(options)),
        SubscriptionAction::Enabled(enabled) => if *enabled { "ENABLE" } else { "DISABLE" }.to_owned(),
        SubscriptionAction::Options(options) => format!("SET ({})", parameters(options)),
        SubscriptionAction::Skip(options) => format!("SKIP ({})", parameters(options)),
    })
}
