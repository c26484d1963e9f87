//! Which relations a view reads, and whose rights it reads them with.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Table, View};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::reads;

/// Whether a name that a view in `schema` writes means this object: a name without schema is looked up there and in
/// `public`.
fn means(name: &QualifiedName, object: &QualifiedName, schema: &Name) -> bool {
    name.name == object.name
        && (name.schema == object.schema
            || (name.schema.is_empty() && (object.schema == *schema || object.schema == *"public")))
}

/// The tables with row security whose rows a view shows with its owner's rights, in order. `None` when a query on the
/// way could not be read.
pub fn secured_tables<'a>(catalog: &'a Catalog, view: &View) -> Option<Vec<&'a Table>> {
    let mut found: Vec<&Table> = Vec::new();
    let mut seen: BTreeSet<QualifiedName> = BTreeSet::from([view.name.clone()]);
    let mut pending: Vec<&View> = catalog.views.iter().filter(|other| other.name == view.name).collect();
    while let Some(view) = pending.pop() {
        for name in reads::relations(view.query.as_deref()?) {
            for table in &catalog.tables {
                if table.row_security.enabled && means(&name, &table.name, &view.name.schema) {
                    found.push(table);
                }
            }
            for other in &catalog.views {
                // A view that runs with the rights of who asks passes the outer view's owner on; any other stands for
                // itself and is judged by itself.
                if is_invoker(other)
                    && means(&name, &other.name, &view.name.schema)
                    && seen.insert(other.name.clone())
                {
                    pending.push(other);
                }
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    Some(found)
}

/// Whether a view runs with the rights of the role that asks (`security_invoker`).
pub fn is_invoker(view: &View) -> bool {
    view.options.iter().any(|(name, value)| {
        *name == "security_invoker"
            && matches!(value.to_ascii_lowercase().as_str(), "" | "true" | "on" | "yes" | "1")
    })
}
