//! Two catalogs of one database compared: those of files, of a server before and after, of a dump.

mod normal;
mod walk;

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Doubt};
use dbwright_model::comparison::Comparison;
use dbwright_model::name::QualifiedName;
use dbwright_model::observed::Observed;
use sha2::{Digest, Sha256};

/// How much of the texts must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Both come from servers, or one from a dump, which spells expressions as the server does: their trees must be
    /// equal, casts aside.
    Trees,
    /// One is folded from a script written by hand, whose expressions the server rewrites: the columns that an expression
    /// names must be equal, and of plain defaults the value.
    Columns,
}

/// What is different in `found` from what `expected` says.
pub fn compare(expected: &Catalog, found: &Catalog, texts: Texts) -> Comparison {
    let mut not_compared = Vec::new();
    let mut doubtful = BTreeSet::new();
    for Doubt { object, because } in expected.doubts.iter().chain(&found.doubts) {
        not_compared.push(match object {
            Some(object) => {
                doubtful.insert(object.to_string());
                format!("`{object}` was not compared: {because}.")
            }
            None => {
                format!("Anything may have been changed by a statement that was not understood: {because}.")
            }
        });
    }
    let (mut expected, mut found) = (expected.clone(), found.clone());
    unknown("functions", &mut expected.functions, &mut found.functions, &mut not_compared);
    unknown("triggers", &mut expected.triggers, &mut found.triggers, &mut not_compared);
    unknown("policies", &mut expected.policies, &mut found.policies, &mut not_compared);
    unknown("extensions", &mut expected.extensions, &mut found.extensions, &mut not_compared);
    unknown("publications", &mut expected.publications, &mut found.publications, &mut not_compared);
    not_compared.extend(normal::left_out(&expected, &found, texts));
    normal::normalise(&mut expected, texts);
    normal::normalise(&mut found, texts);
    let mut differences = walk::differences(&expected, &found, &doubtful);
    differences.sort();
    differences.dedup();
    not_compared.sort();
    not_compared.dedup();
    Comparison { differences, not_compared }
}

/// A catalog in the form in which it is compared. It can be written down, which loses the trees of expressions, and be
/// compared later all the same.
pub fn normal(catalog: &Catalog, texts: Texts) -> Catalog {
    let mut catalog = catalog.clone();
    normal::normalise(&mut catalog, texts);
    catalog
}

/// A section that one side does not know is left out on both.
fn unknown<T>(
    name: &str,
    expected: &mut Observed<Vec<T>>,
    found: &mut Observed<Vec<T>>,
    said: &mut Vec<String>,
) {
    let neither_has = |one: &Observed<Vec<T>>, other: &Observed<Vec<T>>| {
        matches!(one, Observed::Unsupported(_))
            && other.known().map_or(matches!(other, Observed::Unsupported(_)), Vec::is_empty)
    };
    if let Some(because) = expected.because().or_else(|| found.because()) {
        if !neither_has(expected, found) && !neither_has(found, expected) {
            said.push(format!("No {name} were compared: {because}."));
        }
        *expected = Observed::NotAsked;
        *found = Observed::NotAsked;
    }
}

/// The named relations and types with what hangs on them: triggers, policies, rules, statistics, functions of the name. The name
/// of an index stands for its table.
pub fn part(catalog: &Catalog, relations: &BTreeSet<QualifiedName>) -> Catalog {
    let mut part = catalog.clone();
    let wanted = |name: &QualifiedName| relations.contains(name);
    part.tables.retain(|table| {
        wanted(&table.name)
            || table.indexes.iter().any(|index| relations.contains(&table.name.sibling(&index.name)))
    });
    part.views.retain(|view| {
        wanted(&view.name)
            || view.indexes.iter().any(|index| relations.contains(&view.name.sibling(&index.name)))
    });
    let on: BTreeSet<QualifiedName> = (part.tables.iter().map(|table| &table.name))
        .chain(part.views.iter().map(|view| &view.name))
        .cloned()
        .collect();
    part.schemas.clear();
    part.sequences.retain(|sequence| {
        wanted(&sequence.name) || sequence.owned_by.as_ref().is_some_and(|(table, _)| on.contains(table))
    });
    part.types.retain(|user_type| wanted(&user_type.name));
    part.functions.known_mut().into_iter().for_each(|all| all.retain(|function| wanted(&function.name)));
    part.triggers.known_mut().into_iter().for_each(|all| all.retain(|trigger| on.contains(&trigger.table)));
    part.policies.known_mut().into_iter().for_each(|all| all.retain(|policy| on.contains(&policy.table)));
    part.extensions = Observed::NotAsked;
    part.publications = Observed::NotAsked;
    part.rules.retain(|rule| on.contains(&rule.table));
    part.statistics.retain(|statistics| wanted(&statistics.name) || on.contains(&statistics.table));
    part.doubts
        .retain(|doubt| doubt.object.as_ref().is_none_or(|object| on.contains(object) || wanted(object)));
    part
}

/// A mark that is equal for equal catalogs and, but for accidents, for no others: 64 hexadecimal digits. It does not survive
/// another version of the program or of the server.
pub fn fingerprint(catalog: &Catalog) -> String {
    let mut catalog = catalog.clone();
    normal::normalise(&mut catalog, Texts::Trees);
    catalog.sort();
    let bytes = serde_json::to_vec(&catalog).expect("a catalog is plain data");
    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
