//! A function that a step makes, calls and drops: for statements that are known only where the plan is run, such as those
//! that repeat grants, which may be others in each database.

use dbwright_model::catalog::Function;
use dbwright_model::change::{Change, ObjectKind};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::Work;

use super::builder::Builder;

/// Whom the line `g` of an exploded list of rights names, as `GRANT` and `REVOKE` write it.
pub(super) const GRANTEE: &str =
    "CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END";
/// What follows in a `GRANT` that repeats the line `g`.
pub(super) const GRANT_OPTION: &str = "CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END";

/// A PL/pgSQL function without arguments that returns nothing.
pub(super) struct Throwaway {
    /// Its name, which is free.
    pub name: QualifiedName,
    /// What stands between its quotes.
    pub body: String,
}

impl Throwaway {
    /// A free name in the schema of a relation, made of the relation's and of what the function is for.
    pub(super) fn free_name(builder: &Builder<'_>, relation: &QualifiedName, suffix: &str) -> QualifiedName {
        let base = format!("zzz_{}", relation.name);
        relation.sibling(builder.free_name(&relation.schema, &base, suffix))
    }

    pub(super) fn make(&self) -> Change {
        let function = Function {
            name: self.name.clone(),
            returns: "void".to_owned(),
            language: Name::new("plpgsql"),
            body: self.body.clone(),
            ..Function::default()
        };
        Change::CreateFunction { function: Box::new(function), or_replace: false }
    }

    pub(super) fn call(&self, builder: &Builder<'_>) -> Work {
        Work::Sql(format!("SELECT {}()", builder.quoted_name(&self.name)))
    }

    pub(super) fn unmake(&self) -> Change {
        Change::DropFunction {
            name: self.name.clone(),
            arguments: Some(String::new()),
            if_exists: false,
            cascade: false,
            kind: ObjectKind::Function,
        }
    }

    /// Whether some work makes it.
    pub(super) fn is_made_by(&self, work: &Work) -> bool {
        matches!(work.as_change(), Some(Change::CreateFunction { function, .. }) if function.name == self.name)
    }

    /// Whether some work drops it.
    pub(super) fn is_unmade_by(&self, work: &Work) -> bool {
        matches!(work.as_change(), Some(Change::DropFunction { name, .. }) if *name == self.name)
    }
}
