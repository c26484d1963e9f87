//! Rights in a trial: which ones a database grants a plan cannot know, so that everybody is granted some on all that it
//! touches, and they must be there in the end.

use std::collections::BTreeSet;

use dbwright_engine::postgres::observe::Observer;
use dbwright_engine::session::{Limits, ReadSession, Silent};
use dbwright_model::access::GrantObject;
use dbwright_model::catalog::{Catalog, TableKind};
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;

use super::{Outcome, Stop, Trial, failed, quoted};

impl Trial<'_> {
    /// Grants everybody rights on each table that the plan does something to, on its columns and on its sequences.
    pub(super) async fn grant(&mut self, made: &Catalog) -> Result<(), Stop> {
        let mut session = Observer::open(self.server, &self.database("schema")).await?;
        let concerned = self.concerned();
        let mut texts = Vec::new();
        for table in made.tables.iter().filter(|table| concerned.contains(&table.name)) {
            if matches!(table.kind, TableKind::Foreign { .. }) {
                continue;
            }
            let on = quoted(&table.name);
            texts.push(format!("GRANT TRIGGER ON {on} TO PUBLIC"));
            for column in &table.columns {
                let column = dbwright_sql::quote_identifier(Dialect::Postgres, column.name.as_str());
                texts.push(format!("GRANT SELECT ({column}), REFERENCES ({column}) ON {on} TO PUBLIC"));
            }
        }
        for sequence in &made.sequences {
            if sequence.owned_by.as_ref().is_some_and(|(table, _)| concerned.contains(table)) {
                texts.push(format!("GRANT USAGE ON SEQUENCE {} TO PUBLIC", quoted(&sequence.name)));
            }
        }
        for sql in texts {
            session
                .script(&sql)
                .await
                .map_err(|error| failed(format!("`{sql}` is refused: {}.", error.message)))?;
        }
        Ok(())
    }

    /// The rights on tables, columns and sequences of one of the databases, as words.
    pub(super) async fn rights(&self, part: &str) -> Result<BTreeSet<String>, Stop> {
        let trouble = |message: String| Stop::Outcome(Outcome::NotTried(message));
        let dsn = self.server.dsn(&self.database(part));
        let mut session =
            ReadSession::open(&dsn, &Limits::default()).await.map_err(|error| trouble(error.message))?;
        let facts =
            session.collect(&[Fact::Privileges], &Silent).await.map_err(|error| trouble(error.message));
        session.close().await;
        let facts = facts?;
        let privileges = facts
            .privileges
            .known()
            .ok_or_else(|| trouble("the rights on the scratch server could not be read".to_owned()))?;
        let wanted = [GrantObject::Table, GrantObject::Column, GrantObject::Sequence];
        let grants = privileges.grants.iter().filter(|grant| wanted.contains(&grant.object_kind));
        Ok(grants
            .map(|grant| format!("`{}` on `{}` for `{}`", grant.privilege, grant.object, grant.grantee))
            .collect())
    }
}

/// Refuses what was granted and is not any more, or the other way round; `told` says where as the end of a sentence.
pub(super) fn same(expected: &BTreeSet<String>, found: &BTreeSet<String>, told: &str) -> Result<(), Stop> {
    let lost =
        expected.difference(found).next().map(|right| format!("The right {right} {told}: it is lost."));
    let gained =
        found.difference(expected).next().map(|right| format!("The right {right} {told}: it is new."));
    match lost.or(gained) {
        Some(sentence) => Err(failed(sentence)),
        None => Ok(()),
    }
}
