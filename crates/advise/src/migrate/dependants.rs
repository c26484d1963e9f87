//! Views that stand on a column: a view is bound to the column's number and not to its name, so that those which shall read
//! another column are dropped and made again, in the transaction in which the columns change places.

use dbwright_model::catalog::{Table, View};
use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{CheckQuery, Step, Undo};
use dbwright_model::reads;

use super::Refusal;
use super::builder::{Builder, full_name};
use super::throwaway::{GRANT_OPTION, GRANTEE, Throwaway};
use super::words::has_word;

/// Views that are dropped and made again, one after those that it reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Views(Vec<View>);

/// The views that read a column and those that read them, if all of them can be made again just as they are.
pub(super) fn of(builder: &Builder<'_>, table: &Table, column: &Name) -> Result<Views, Refusal> {
    let all = &builder.catalog.views;
    let mut found: Vec<&View> = all.iter().filter(|view| may_read(view, table, column)).collect();
    let mut position = 0;
    while let Some(view) = found.get(position).copied() {
        position += 1;
        for further in all.iter().filter(|other| other.name != view.name && reads_view(other, &view.name)) {
            if !found.iter().any(|known| known.name == further.name) {
                found.push(further);
            }
        }
    }
    for view in &found {
        refuse(builder, view)?;
    }
    let mut ordered: Vec<View> = Vec::new();
    while ordered.len() < found.len() {
        let is_done = |view: &View, done: &[View]| done.iter().any(|other| other.name == view.name);
        let next = found.iter().find(|view| {
            !is_done(view, &ordered)
                && found.iter().all(|other| {
                    other.name == view.name || is_done(other, &ordered) || !reads_view(view, &other.name)
                })
        });
        let Some(next) = next else {
            return Err("in which order its views stand on each other is not known".to_owned());
        };
        ordered.push((*next).clone());
    }
    Ok(Views(ordered))
}

/// Whether the text of a view lets it read a column. Names in texts of files may be written in any case.
fn may_read(view: &View, table: &Table, column: &Name) -> bool {
    let text = view.definition.to_lowercase();
    let word = |name: &Name| has_word(&text, &name.as_str().to_lowercase());
    word(&table.name.name) && (word(column) || has_star(&text) || has_word(&text, "natural"))
}

fn reads_view(view: &View, other: &QualifiedName) -> bool {
    match &view.query {
        Some(query) => reads::relations(query).iter().any(|name| full_name(name) == *other),
        None => has_word(&view.definition.to_lowercase(), &other.name.as_str().to_lowercase()),
    }
}

/// Whether a star stands for columns, and not for a product or for the rows of `count(*)`.
fn has_star(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| {
        let before = text[..at].trim_end();
        before.ends_with(['.', ','])
            || ["select", "distinct", "all"].iter().any(|word| {
                before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric()))
            })
    })
}

/// What cannot be made again just as it is.
fn refuse(builder: &Builder<'_>, view: &View) -> Result<(), Refusal> {
    let name = &view.name;
    if view.materialized {
        return Err(format!(
            "the materialised view `{name}` reads the column, and to fill it again would keep its readers waiting: drop it, and make it again after the change"
        ));
    }
    if view.definition.trim().is_empty() || view.query.is_none() {
        return Err(format!(
            "what the view `{name}` reads is not known: drop it, and make it again after the change"
        ));
    }
    let text = view.definition.to_lowercase();
    if has_star(&text) || has_word(&text, "natural") {
        return Err(format!(
            "the view `{name}` does not name its columns one by one, so that it would be another one when made again: name them, or plan with the database itself as the catalog"
        ));
    }
    if let Some(extension) = &view.extension {
        return Err(format!(
            "the view `{name}` reads the column, and belongs to the extension `{extension}`"
        ));
    }
    if let Some(rule) = builder.catalog.rules.iter().find(|rule| rule.table == *name) {
        return Err(format!("the rule `{}` stands on the view `{name}`, which reads the column", rule.name));
    }
    let mut triggers = builder.catalog.triggers.known().into_iter().flatten();
    if let Some(trigger) = triggers.find(|trigger| trigger.table == *name) {
        return Err(format!(
            "the trigger `{}` stands on the view `{name}`, which reads the column",
            trigger.name
        ));
    }
    Ok(())
}

impl Views {
    /// The first of them, if there are any.
    pub(super) fn first(&self) -> Option<&View> {
        self.0.first()
    }

    /// What drops them, the last first.
    pub(super) fn drops(&self) -> Vec<Change> {
        self.0.iter().rev().map(|view| Change::dropping_view(&view.name)).collect()
    }

    fn creates(&self) -> Vec<Change> {
        self.0.iter().map(Change::making_view).collect()
    }

    /// A brief step of changes before which the views are dropped and after which they are made again.
    pub(super) fn around<'b>(
        &self,
        builder: &'b mut Builder<'_>,
        table: &Table,
        name: String,
        changes: Vec<Change>,
    ) -> Result<&'b mut Step, Refusal> {
        if self.0.is_empty() {
            return builder.brief(name, changes);
        }
        let name_of_keeper = Throwaway::free_name(builder, &table.name, "views");
        let keeper = Throwaway { body: self.keeper(builder, &name_of_keeper), name: name_of_keeper };
        let mut all = vec![keeper.make()];
        all.extend(self.drops());
        all.extend(changes);
        all.extend(self.creates());
        all.push(keeper.unmake());
        let call = keeper.call(builder);
        let step = builder.brief(name, all)?;
        let lists = std::iter::once(&mut step.work).chain(match &mut step.undo {
            Undo::Work(work) => Some(work),
            Undo::Irreversible(_) => None,
        });
        for work in lists {
            work.insert(1, call.clone());
            // Rows may be checked after the function is gone.
            let end = work.iter().rposition(|work| keeper.is_unmade_by(work)).unwrap_or(work.len() - 1);
            work.insert(end, call.clone());
        }
        Ok(step)
    }

    /// The body of a function that keeps, and called again gives back, what stands on the views beside their definition: the rights may be others in each
    /// database that the plan is run in, so that they are read there.
    fn keeper(&self, builder: &Builder<'_>, function: &QualifiedName) -> String {
        let setting = format!(
            "'dbwright.{}'",
            function.name.as_str().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        );
        let views = self.identities(builder);
        let of_views = format!(
            "SELECT c.oid, c.relowner, c.relacl, format('%I.%I', n.nspname, c.relname) AS name\n    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN ({views})"
        );
        format!(
            "
DECLARE
  kept text;
  revoked text;
BEGIN
  kept := pg_catalog.current_setting({setting}, true);
  IF coalesce(kept, '') = '' THEN
    WITH v AS ({of_views}), a AS (
      SELECT v.name, a.* FROM v JOIN pg_catalog.pg_attribute a ON a.attrelid = v.oid WHERE a.attnum > 0 AND NOT a.attisdropped
    ), line (place, sql) AS (
      SELECT 1, format('ALTER VIEW %s OWNER TO %I', name, pg_catalog.pg_get_userbyid(relowner)) FROM v
       WHERE pg_catalog.pg_get_userbyid(relowner) <> current_user
      UNION ALL SELECT 2, format('COMMENT ON VIEW %s IS %L', name, pg_catalog.obj_description(oid, 'pg_class')) FROM v
      UNION ALL SELECT 3, format('COMMENT ON COLUMN %s.%I IS %L', name, attname, pg_catalog.col_description(attrelid, attnum)) FROM a
       WHERE pg_catalog.col_description(attrelid, attnum) IS NOT NULL
      UNION ALL SELECT 4, format('REVOKE ALL ON %s FROM %I', name, pg_catalog.pg_get_userbyid(relowner)) FROM v
       WHERE relacl IS NOT NULL
      UNION ALL SELECT 5, format('GRANT %s ON %s TO %s%s', g.privilege_type, name, {GRANTEE}, {GRANT_OPTION})
        FROM v, pg_catalog.aclexplode(relacl) g
      UNION ALL SELECT 6, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, attname, name, {GRANTEE}, {GRANT_OPTION})
        FROM a, pg_catalog.aclexplode(attacl) g
    )
    SELECT string_agg(sql, E';\\n' ORDER BY place, sql) INTO kept FROM line;
    PERFORM pg_catalog.set_config({setting}, '-- kept' || E'\\n' || kept, false);
  ELSE
    -- Rights that new views get by default are not those that the views had.
    FOR revoked IN
      SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', name, {GRANTEE})
        FROM ({of_views}) v, pg_catalog.aclexplode(relacl) g WHERE g.grantee <> relowner
    LOOP
      EXECUTE revoked;
    END LOOP;
    EXECUTE kept;
    PERFORM pg_catalog.set_config({setting}, '', false);
  END IF;
END
"
        )
    }

    /// The identifiers of the views as expressions, joined by commas; one that is null where there are none.
    fn identities(&self, builder: &Builder<'_>) -> String {
        if self.0.is_empty() {
            return "NULL::oid".to_owned();
        }
        let found: Vec<String> = self.0.iter().map(|view| identity(builder, &view.name)).collect();
        found.join(", ")
    }

    /// Asks the server what else is bound to a column, or would be lost with the views: a plan may come to a database that
    /// holds more than the catalog it was made from.
    pub(super) fn bound(&self, builder: &Builder<'_>, table: &Table, column: &Name) -> CheckQuery {
        let views = self.identities(builder);
        let (table_is, name) = (identity(builder, &table.name), column.as_str().replace('\'', "''"));
        let describe = "pg_describe_object(d.classid, d.objid, d.objsubid)";
        let own = format!(
            "d.classid = 'pg_rewrite'::regclass AND d.objid IN (SELECT r.oid FROM pg_rewrite r WHERE r.ev_class IN ({views}))"
        );
        let mut parts = vec![format!(
            "SELECT {describe} AS object FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = {table_is} AND a.attname = '{name}' AND d.classid NOT IN ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass) AND NOT ({own})"
        )];
        if !self.0.is_empty() {
            parts.push(format!(
                "SELECT {describe} FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN ({views}) AND d.deptype IN ('n', 'a') AND NOT ({own})"
            ));
            parts.push(format!(
                "SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0) FROM pg_rewrite r WHERE r.ev_class IN ({views}) AND r.rulename <> '_RETURN'"
            ));
            parts.push(format!(
                "SELECT 'a security label of ' || pg_describe_object(l.classoid, l.objoid, l.objsubid) FROM pg_seclabel l WHERE l.classoid = 'pg_class'::regclass AND l.objoid IN ({views})"
            ));
            parts.push(format!(
                "SELECT 'a right on ' || pg_describe_object('pg_class'::regclass, c.oid, 0) || ' that another than its owner has granted' FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid IN ({views}) AND g.grantor <> c.relowner"
            ));
        }
        let views_too = if self.0.is_empty() { "" } else { " or to the views that are made again" };
        CheckQuery {
            sql: parts.join(" UNION "),
            rows_mean: format!(
                "These are bound to `{column}`{views_too}, and would stay with the old column or be lost: drop them, and make them again after the change."
            ),
            keys: Vec::new(),
        }
    }
}

/// The identifier of a relation as an expression.
fn identity(builder: &Builder<'_>, name: &QualifiedName) -> String {
    format!("to_regclass('{}')::oid", builder.quoted_name(name).replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::has_star;

    #[test]
    fn a_star_is_no_product_and_no_count() {
        assert!(has_star("select * from t"));
        assert!(has_star("select a, t.* from t"));
        assert!(has_star("select a, * from t"));
        assert!(!has_star("select count(*), a * 2 from t"));
    }
}
