//! A table with a new name, and a view that answers to the old one until no code uses it.

use dbwright_model::catalog::{Function, TableKind, View};
use dbwright_model::change::{Change, ObjectKind};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Undo, Work};

use super::Refusal;
use super::builder::Builder;

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::RenameTable { table, to, .. } = change else { return Ok(()) };
    let Ok(old) = builder.table(table) else { return super::as_it_is(builder, change) };
    if matches!(old.kind, TableKind::Partition { .. }) {
        // Partitions are reached by way of their parent.
        return super::as_it_is(builder, change);
    }
    if old.row_security.enabled && !builder.since(15) {
        return Err(
            "before PostgreSQL 15 a view reads with its owner's rights, which would go around the row security of the table"
                .to_owned(),
        );
    }
    let new = old.name.sibling(&to.name);
    let options =
        if builder.since(15) { vec![(Name::new("security_invoker"), "true".to_owned())] } else { Vec::new() };
    let columns = builder.list(old.columns.iter().map(|column| &column.name));
    let view = View {
        name: old.name.clone(),
        populated: true,
        definition: format!("SELECT {columns} FROM {}", builder.quoted_name(&new)),
        options,
        ..View::default()
    };
    let create = Change::CreateView { view: Box::new(view), or_replace: false, if_not_exists: false };
    let rights = Rights::new(builder, &old.name, &new);
    let [make, unmake] = rights.function();
    let step = builder.brief(
        format!("Rename `{}` to `{}` and let a view answer to the old name.", old.name, to.name),
        vec![change.clone(), create, make, unmake],
    )?;
    // The rights may be others in each database that the plan is run in, so that they are read there.
    step.work.insert(3, Work::Sql(rights.call));
    if let Undo::Work(work) = &mut step.undo {
        let is_function = |work: &Work| {
            matches!(work.as_change(), Some(Change::CreateFunction { .. } | Change::DropFunction { .. }))
        };
        work.retain(|work| !is_function(work));
    }
    let drop =
        Change::DropView { name: old.name.clone(), materialized: false, if_exists: false, cascade: false };
    let step = builder.brief(format!("Drop the view `{}`.", old.name), vec![drop])?;
    step.waits_for = Some(format!(
        "No running code uses the name `{}` any more. What is granted on the table in the meantime is to be granted on the view too.",
        old.name
    ));
    Ok(())
}

/// A function that gives the view the owner and the grants of the table.
struct Rights {
    name: QualifiedName,
    body: String,
    call: String,
}

impl Rights {
    fn new(builder: &Builder<'_>, view: &QualifiedName, table: &QualifiedName) -> Self {
        let base = format!("zzz_{}", view.name);
        let name = view.sibling(builder.free_name(&view.schema, &base, "rights"));
        let literal = |name: &QualifiedName| format!("'{}'", builder.quoted_name(name).replace('\'', "''"));
        let (of, on) = (literal(table), literal(view));
        let grantee =
            "CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END";
        let option = "CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END";
        let body = format!(
            "
DECLARE
  statement text;
BEGIN
  FOR statement IN
    WITH t AS (SELECT c.oid, c.relowner, c.relacl FROM pg_catalog.pg_class c WHERE c.oid = {of}::pg_catalog.regclass),
    line (place, sql) AS (
      SELECT 1, format('GRANT %s ON %s TO %s%s', g.privilege_type, {on}, {grantee}, {option})
        FROM t, pg_catalog.aclexplode(t.relacl) g WHERE g.grantee <> t.relowner
      UNION ALL SELECT 2, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, a.attname, {on}, {grantee}, {option})
        FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped,
             pg_catalog.aclexplode(a.attacl) g WHERE g.grantee <> t.relowner
      UNION ALL SELECT 3, format('ALTER VIEW %s OWNER TO %I', {on}, pg_catalog.pg_get_userbyid(t.relowner))
        FROM t WHERE pg_catalog.pg_get_userbyid(t.relowner) <> current_user
    )
    SELECT sql FROM line ORDER BY place, sql
  LOOP
    EXECUTE statement;
  END LOOP;
END
"
        );
        let call = format!("SELECT {}()", builder.quoted_name(&name));
        Rights { name, body, call }
    }

    /// What makes the function and what drops it.
    fn function(&self) -> [Change; 2] {
        let function = Function {
            name: self.name.clone(),
            returns: "void".to_owned(),
            language: Name::new("plpgsql"),
            body: self.body.clone(),
            ..Function::default()
        };
        let drop = Change::DropFunction {
            name: self.name.clone(),
            arguments: Some(String::new()),
            if_exists: false,
            cascade: false,
            kind: ObjectKind::Function,
        };
        [Change::CreateFunction { function: Box::new(function), or_replace: false }, drop]
    }
}
