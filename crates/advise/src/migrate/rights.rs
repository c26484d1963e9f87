//! Rights granted on a column, or on the sequence that numbers it: the server keeps them with the column's number and with
//! the sequence, so that they do not follow a name. They are read where the plan is run.

use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Step, Undo, Work};

use super::builder::Builder;
use super::throwaway::{GRANT_OPTION, GRANTEE, Throwaway};

/// A function of a step that carries rights over, with its call.
pub(super) struct Rights {
    function: Throwaway,
    call: Work,
}

/// What grants on one column of a table what is granted on another one at the time, and nothing else.
pub(super) fn of_column(builder: &Builder<'_>, table: &QualifiedName, from: &Name, to: &Name) -> Rights {
    let (on, from, to) = (literal(&builder.quoted_name(table)), literal(from.as_str()), literal(to.as_str()));
    let body = format!(
        "
DECLARE
  statement text;
BEGIN
  FOR statement IN
    WITH c AS (
      SELECT a.attname, a.attacl, r.relowner
        FROM pg_catalog.pg_class r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
       WHERE r.oid = {on}::pg_catalog.regclass
    ), line (place, sql) AS (
      SELECT 1, format('REVOKE ALL (%I) ON %s FROM %s CASCADE', {to}, {on}, {GRANTEE})
        FROM c, pg_catalog.aclexplode(attacl) g WHERE attname = {to} AND g.grantee <> relowner
      UNION SELECT 2, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, {to}, {on}, {GRANTEE}, {GRANT_OPTION})
        FROM c, pg_catalog.aclexplode(attacl) g WHERE attname = {from} AND g.grantee <> relowner
    )
    SELECT sql FROM line ORDER BY place, sql
  LOOP
    EXECUTE statement;
  END LOOP;
END
"
    );
    Rights::new(builder, Throwaway { name: Throwaway::free_name(builder, table, "rights"), body })
}

/// What keeps the rights on a sequence, and called again in the same transaction gives them to the one that bears its name
/// then.
pub(super) fn of_sequence(builder: &Builder<'_>, sequence: &QualifiedName) -> Rights {
    let name = Throwaway::free_name(builder, sequence, "rights");
    let on = literal(&builder.quoted_name(sequence));
    let setting = literal(&format!(
        "dbwright.{}",
        name.name.as_str().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    ));
    let body = format!(
        "
DECLARE
  kept text := pg_catalog.current_setting({setting}, true);
  revoked text;
BEGIN
  IF coalesce(kept, '') = '' THEN
    SELECT coalesce(string_agg(format('GRANT %s ON SEQUENCE %s TO %s%s', g.privilege_type, {on}, {GRANTEE}, {GRANT_OPTION}), E';\\n'), '') INTO kept
      FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g
     WHERE c.oid = {on}::pg_catalog.regclass AND g.grantee <> c.relowner;
    PERFORM pg_catalog.set_config({setting}, '-- kept' || E'\\n' || kept, true);
  ELSE
    -- Rights that new sequences get by default are not those that the old one had.
    FOR revoked IN
      SELECT DISTINCT format('REVOKE ALL ON SEQUENCE %s FROM %s', {on}, {GRANTEE})
        FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) g
       WHERE c.oid = {on}::pg_catalog.regclass AND g.grantee <> c.relowner
    LOOP
      EXECUTE revoked;
    END LOOP;
    EXECUTE kept;
    PERFORM pg_catalog.set_config({setting}, '', true);
  END IF;
END
"
    );
    Rights::new(builder, Throwaway { name, body })
}

impl Rights {
    fn new(builder: &Builder<'_>, function: Throwaway) -> Self {
        Rights { call: function.call(builder), function }
    }

    pub(super) fn make(&self) -> Change {
        self.function.make()
    }

    pub(super) fn unmake(&self) -> Change {
        self.function.unmake()
    }

    /// Calls the function in a step that makes and drops it, before it is dropped. The way back needs no call: what was
    /// granted in the place of another right goes with its column.
    pub(super) fn call(&self, step: &mut Step) {
        let is_own = |work: &Work| self.function.is_made_by(work) || self.function.is_unmade_by(work);
        if let Some(end) = step.work.iter().position(|work| self.function.is_unmade_by(work)) {
            step.work.insert(end, self.call.clone());
        }
        if let Undo::Work(work) = &mut step.undo {
            work.retain(|work| !is_own(work));
        }
    }

    /// Calls the function right after it is made and right before it is dropped, on the way back too.
    pub(super) fn call_around(&self, step: &mut Step) {
        let lists = std::iter::once(&mut step.work).chain(match &mut step.undo {
            Undo::Work(work) => Some(work),
            Undo::Irreversible(_) => None,
        });
        for work in lists {
            if let Some(end) = work.iter().rposition(|work| self.function.is_unmade_by(work)) {
                work.insert(end, self.call.clone());
            }
            if let Some(begin) = work.iter().position(|work| self.function.is_made_by(work)) {
                work.insert(begin + 1, self.call.clone());
            }
        }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
