//! The making and dropping of views as they stand in plans.

use super::Change;
use crate::catalog::View;
use crate::name::QualifiedName;

impl Change {
    /// Makes a view of a name that is free.
    pub fn making_view(view: &View) -> Change {
        Change::CreateView { view: Box::new(view.clone()), or_replace: false, if_not_exists: false }
    }

    /// Drops a view, not a materialised one, that is there and that nothing stands on.
    pub fn dropping_view(name: &QualifiedName) -> Change {
        Change::DropView { name: name.clone(), materialized: false, if_exists: false, cascade: false }
    }
}
