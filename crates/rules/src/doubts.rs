//! What is in doubt about a catalog, and how much of it can still be trusted.

use std::collections::BTreeSet;
use std::fmt;

use dbwright_model::catalog::{Catalog, Doubt};
use dbwright_model::name::QualifiedName;

/// The doubts that can concern tables. Views, routines, sequences and types that are hidden or were changed in an unknown way
/// are left out: the rules that read them see for themselves what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubts {
    /// Objects in doubt; every statement of which not even the object is known counts as one.
    doubtful: u64,
    /// All objects that could be.
    objects: u64,
    first: Option<QualifiedName>,
    because: String,
}

impl Doubts {
    /// The doubts of a catalog; `None` when its tables are all known for sure.
    pub fn of(catalog: &Catalog) -> Option<Doubts> {
        let elsewhere: BTreeSet<&QualifiedName> = catalog
            .views
            .iter()
            .map(|view| &view.name)
            .chain(catalog.sequences.iter().map(|sequence| &sequence.name))
            .chain(catalog.types.iter().map(|user_type| &user_type.name))
            .chain(catalog.functions.known().into_iter().flatten().map(|function| &function.name))
            .collect();
        let concerns =
            |doubt: &&Doubt| doubt.object.as_ref().is_none_or(|object| !elsewhere.contains(object));
        let doubts: Vec<&Doubt> = catalog.doubts.iter().filter(concerns).collect();
        let first = doubts.iter().find(|doubt| doubt.object.is_some()).or(doubts.first())?;
        let named: BTreeSet<&QualifiedName> =
            doubts.iter().filter_map(|doubt| doubt.object.as_ref()).collect();
        let nameless = doubts.iter().filter(|doubt| doubt.object.is_none()).count();
        let tables: BTreeSet<&QualifiedName> = catalog.tables.iter().map(|table| &table.name).collect();
        Some(Doubts {
            doubtful: (named.len() + nameless) as u64,
            objects: (tables.union(&named).count() + nameless) as u64,
            first: first.object.clone(),
            because: first.because.clone(),
        })
    }

    /// Thousandths of the objects that are known for sure.
    pub fn trusted(&self) -> u32 {
        let share = (self.objects - self.doubtful) * 1_000 / self.objects.max(1);
        u32::try_from(share).unwrap_or(0)
    }
}

impl fmt::Display for Doubts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Doubts { doubtful, objects, first, because } = self;
        match first {
            Some(object) => {
                write!(f, "{doubtful} of {objects} objects are not fully known (`{object}`: {because})")
            }
            None => write!(f, "{doubtful} of {objects} objects are not fully known ({because})"),
        }
    }
}
