//! A table with a new name, and a view that answers to the old one until no code uses it.

use dbwright_model::catalog::{TableKind, View};
use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Undo, Work};

use super::Refusal;
use super::builder::Builder;
use super::throwaway::{GRANT_OPTION, GRANTEE, Throwaway};

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
    let rights = rights(builder, &old.name, &new);
    let call = rights.call(builder);
    let step = builder.brief(
        format!("Rename `{}` to `{}` and let a view answer to the old name.", old.name, to.name),
        vec![change.clone(), Change::making_view(&view), rights.make(), rights.unmake()],
    )?;
    // The rights may be others in each database that the plan is run in, so that they are read there.
    step.work.insert(3, call.clone());
    if let Undo::Work(work) = &mut step.undo {
        let is_function = |work: &Work| {
            matches!(work.as_change(), Some(Change::CreateFunction { .. } | Change::DropFunction { .. }))
        };
        work.retain(|work| !is_function(work));
    }
    let step =
        builder.brief(format!("Drop the view `{}`.", old.name), vec![Change::dropping_view(&old.name)])?;
    step.waits_for = Some(format!(
        "No running code uses the name `{}` any more. What is granted on the table in the meantime is to be granted on the view too.",
        old.name
    ));
    if let Undo::Work(work) = &mut step.undo {
        work.extend([rights.make().into(), call, rights.unmake().into()]);
    }
    Ok(())
}

/// What gives the view the owner and the grants of the table.
fn rights(builder: &Builder<'_>, view: &QualifiedName, table: &QualifiedName) -> Throwaway {
    let literal = |name: &QualifiedName| format!("'{}'", builder.quoted_name(name).replace('\'', "''"));
    let (of, on) = (literal(table), literal(view));
    let body = format!(
        "
DECLARE
  statement text;
BEGIN
  FOR statement IN
    WITH t AS (SELECT c.oid, c.relowner, c.relacl FROM pg_catalog.pg_class c WHERE c.oid = {of}::pg_catalog.regclass),
    line (place, sql) AS (
      SELECT 1, format('GRANT %s ON %s TO %s%s', g.privilege_type, {on}, {GRANTEE}, {GRANT_OPTION})
        FROM t, pg_catalog.aclexplode(t.relacl) g WHERE g.grantee <> t.relowner
      UNION ALL SELECT 2, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, a.attname, {on}, {GRANTEE}, {GRANT_OPTION})
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
    Throwaway { name: Throwaway::free_name(builder, view, "rights"), body }
}
