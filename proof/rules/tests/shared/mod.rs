//! What the planner must know, from the text side alone.

use dbwright_advise::migrate::Knowledge;
use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::effect::{Effects, PartitionChecks};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::name::QualifiedName;
use dbwright_sql::effects::{Circumstances, of_statement, partition_checks};
use dbwright_sql::fold::Folder;

/// The text side of an engine, for a server of a version.
pub struct Text {
    pub engine: Engine,
    pub version: Option<Version>,
}

impl Text {
    pub fn postgres(major: u16) -> Self {
        Text { engine: Engine::Postgres, version: Some(Version::new(major, 0, 0)) }
    }
}

impl Knowledge for Text {
    fn after(&self, catalog: &Catalog, changes: &[Change]) -> Catalog {
        fold(catalog, changes)
    }

    fn effects(&self, catalog: &Catalog, statement: &[Change]) -> Effects {
        let circumstances = Circumstances { version: self.version, utc: None, known: true };
        of_statement(&Folder::on(catalog.clone()), &circumstances, statement)
    }

    fn identifier(&self, name: &str) -> String {
        dbwright_sql::quote_identifier(self.engine.dialect(), name)
    }

    fn expresses(&self, change: &Change) -> bool {
        dbwright_sql::write(self.engine, self.version, change).is_some()
    }

    fn partition_checks(
        &self,
        catalog: &Catalog,
        table: &QualifiedName,
        bound: &str,
    ) -> Option<PartitionChecks> {
        partition_checks(catalog, table, bound)
    }
}

/// The catalog after changes of it.
pub fn fold(catalog: &Catalog, changes: &[Change]) -> Catalog {
    let mut folder = Folder::on(catalog.clone());
    changes.iter().for_each(|change| folder.apply(change));
    folder.finish()
}
