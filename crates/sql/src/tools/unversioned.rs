//! Files with a `U` before their version: Flyway undoes with them what the file of the same version did, and refinery runs
//! them like every other, only that their numbers need not follow each other.

use std::collections::BTreeSet;

use super::{Around, Tool, base, parent};

/// What files like `U2__a.sql` are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unversioned {
    /// They undo the files of the same version.
    #[default]
    Undo,
    /// They are migrations: the project names refinery.
    Migrations,
    /// They are migrations as far as the folder tells: none of them has a file that it could undo, and nothing points to
    /// Flyway. Nobody has said so.
    LikelyMigrations,
}

impl Around {
    /// What the project and the folder tell of files with `U` before their version.
    pub fn unversioned(&self) -> Unversioned {
        match self.tool() {
            Some(Tool::Refinery) => return Unversioned::Migrations,
            Some(Tool::Flyway) => return Unversioned::Undo,
            _ => {}
        }
        let mut found = false;
        let versions: BTreeSet<String> = self.names.iter().filter_map(|name| version(name, 'V')).collect();
        for name in &self.names {
            let only_flyway = name.ends_with(".sql.conf") || base(name).starts_with("R__");
            let undone = version(name, 'U').map(|version| versions.contains(&version));
            if only_flyway || undone == Some(true) {
                return Unversioned::Undo;
            }
            found |= undone.is_some();
        }
        if found { Unversioned::LikelyMigrations } else { Unversioned::Undo }
    }
}

/// The folder and the version of a file that has this letter before it.
fn version(path: &str, letter: char) -> Option<String> {
    let (version, _) = base(path).strip_prefix(letter)?.split_once("__")?;
    let numbers = version.split(['.', '_']).all(|part| part.parse::<u128>().is_ok());
    numbers.then(|| format!("{}{}", parent(path), version.replace('_', ".")))
}

/// Whether a name has `U` before its version.
pub fn names_version(name: &str) -> bool {
    version(name, 'U').is_some()
}

/// Whether a file undoes another by its name: `2_a.down.sql`, `down.sql`, Flyway's `U2__a.sql`.
pub fn is_undo(path: &str, unversioned: Unversioned) -> bool {
    let name = base(path).to_ascii_lowercase();
    name.ends_with(".down.sql")
        || name.ends_with(".undo.sql")
        || name == "down.sql"
        || name.ends_with("_down.sql")
        || (name.starts_with('u')
            && name[1..].starts_with(|c: char| c.is_ascii_digit())
            && name.contains("__")
            && (unversioned == Unversioned::Undo || !names_version(base(path))))
}
