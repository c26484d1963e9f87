//! Changes in the words of the Prisma schema that they are made to.

use std::collections::BTreeMap;

use dbwright_model::catalog::IndexPart;
use dbwright_model::change::Change;
use dbwright_model::finding::Location;
use dbwright_model::name::{Name, QualifiedName};

use super::Lowered;

/// What a schema calls its tables, columns and indexes.
#[derive(Clone, Debug, Default)]
pub struct Words {
    models: BTreeMap<Name, String>,
    fields: BTreeMap<(Name, Name), String>,
    indexes: BTreeMap<Name, Location>,
}

impl Words {
    /// The names of a lowered schema; `None` when there is none.
    pub fn of(lowered: &Lowered) -> Option<Words> {
        let fields = lowered.fields.iter().cloned();
        let words = Words {
            models: lowered.models.iter().cloned().collect(),
            fields: fields.map(|(table, column, field)| ((table, column), field)).collect(),
            indexes: lowered.indexes.iter().cloned().collect(),
        };
        (!words.models.is_empty()).then_some(words)
    }

    /// What to write in the schema: a fragment in the imperative. `None` when the schema cannot say it.
    pub fn say(&self, change: &Change) -> Option<String> {
        match change {
            Change::CreateIndex { table, index, .. } => {
                let plain = index.predicate.is_none() && index.include.is_empty() && index.options.is_empty();
                let parts = index.parts.iter().map(|part| self.part(table, part));
                let parts: Vec<String> = plain.then(|| parts.collect::<Option<_>>()).flatten()?;
                let attribute = if index.unique { "unique" } else { "index" };
                let method = match index.method.as_str() {
                    "btree" => "",
                    "hash" => ", type: Hash",
                    "gin" => ", type: Gin",
                    "gist" => ", type: Gist",
                    "brin" => ", type: Brin",
                    _ => return None,
                };
                self.attribute(table, attribute, &parts, method)
            }
            Change::AddUnique { table, key, .. } => {
                self.attribute(table, "unique", &self.columns(table, &key.columns)?, "")
            }
            Change::AddPrimaryKey { table, key, .. } => {
                self.attribute(table, "id", &self.columns(table, &key.columns)?, "")
            }
            Change::DropIndex { index, .. } => {
                let place = self.indexes.get(&index.name)?;
                Some(format!("remove the index in line {} of `{}`", place.line, place.file))
            }
            Change::SetNotNull { table, column, not_null: true, .. } => {
                Some(format!("take the `?` from the type of {}", self.field(table, column)?))
            }
            Change::SetDefault { table, column, default: None, .. } => {
                Some(format!("remove `@default` from {}", self.field(table, column)?))
            }
            _ => None,
        }
    }

    fn attribute(&self, table: &QualifiedName, name: &str, parts: &[String], more: &str) -> Option<String> {
        let model = self.models.get(&table.name)?;
        Some(format!("add `@@{name}([{}]{more})` to the model `{model}`", parts.join(", ")))
    }

    fn field(&self, table: &QualifiedName, column: &Name) -> Option<String> {
        let field = self.fields.get(&(table.name.clone(), column.clone()))?;
        Some(format!("`{}.{field}`", self.models.get(&table.name)?))
    }

    fn columns(&self, table: &QualifiedName, columns: &[Name]) -> Option<Vec<String>> {
        columns.iter().map(|column| self.part(table, &IndexPart::column(column))).collect()
    }

    fn part(&self, table: &QualifiedName, part: &IndexPart) -> Option<String> {
        if part.operator_class.is_some() || part.collation.is_some() {
            return None;
        }
        let field = self.fields.get(&(table.name.clone(), part.as_column()?.clone()))?;
        let mut options = Vec::new();
        if let Some(length) = part.prefix {
            options.push(format!("length: {length}"));
        }
        if part.descending {
            options.push("sort: Desc".to_owned());
        }
        Some(if options.is_empty() { field.clone() } else { format!("{field}({})", options.join(", ")) })
    }
}

#[cfg(test)]
mod tests {
    use dbwright_model::engine::Engine;

    use super::*;

    #[test]
    fn a_change_is_said_in_names_of_the_schema() {
        let text = "model User {\n  id Int @id\n  createdAt DateTime? @map(\"created_at\")\n  @@map(\"users\")\n\
                    @@index([createdAt])\n}\n";
        let lowered = super::super::lower(Engine::Postgres, [("schema.prisma", text)]);
        let words = Words::of(&lowered).expect("it has a model");
        let check = |sql: &str, expected: Option<&str>| {
            let changes = crate::parse_statement(Engine::Postgres.dialect(), sql);
            assert_eq!(words.say(&changes[0]).as_deref(), expected, "{sql}");
        };
        check(
            "create index a on users (created_at desc, id)",
            Some("add `@@index([createdAt(sort: Desc), id])` to the model `User`"),
        );
        check(
            "create unique index a on users using hash (id)",
            Some("add `@@unique([id], type: Hash)` to the model `User`"),
        );
        check("create index a on users (id) where id > 1", None);
        check("create index a on users (lower(id))", None);
        check("create index a on others (id)", None);
        check("drop index users_created_at_idx", Some("remove the index in line 5 of `schema.prisma`"));
        check(
            "alter table users alter created_at set not null",
            Some("take the `?` from the type of `User.createdAt`"),
        );
        check("alter table users alter id drop default", Some("remove `@default` from `User.id`"));
    }
}
