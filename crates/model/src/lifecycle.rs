//! Until when the makers of a server repair it, and since when it is supported here: one table of each, so that nothing else
//! knows dates and numbers.

use jiff::civil::{Date, date};

use crate::engine::{Engine, Version};

/// A release line and its last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseLine {
    /// The engine.
    pub engine: Engine,
    /// The numbers that all its releases begin with; the second is `None` where the first alone names the line.
    pub major: u16,
    /// The second number.
    pub minor: Option<u16>,
    /// The last day with fixes from its makers.
    pub end: Date,
}

const fn line(engine: Engine, major: u16, minor: Option<u16>, end: Date) -> ReleaseLine {
    ReleaseLine { engine, major, minor, end }
}

/// Release lines with a published end. Lines that are not listed are not judged, unless they are older than every
/// listed line of their engine.
const LINES: &[ReleaseLine] = &[
    line(Engine::Postgres, 12, None, date(2024, 11, 21)),
    line(Engine::Postgres, 13, None, date(2025, 11, 13)),
    line(Engine::Postgres, 14, None, date(2026, 11, 12)),
    line(Engine::Postgres, 15, None, date(2027, 11, 11)),
    line(Engine::Postgres, 16, None, date(2028, 11, 9)),
    line(Engine::Postgres, 17, None, date(2029, 11, 8)),
    line(Engine::Postgres, 18, None, date(2030, 11, 14)),
    line(Engine::Mysql, 5, Some(7), date(2023, 10, 31)),
    line(Engine::Mysql, 8, Some(0), date(2026, 4, 30)),
    line(Engine::Mysql, 8, Some(4), date(2032, 4, 30)),
    line(Engine::Mariadb, 10, Some(5), date(2025, 6, 24)),
    line(Engine::Mariadb, 10, Some(6), date(2026, 7, 6)),
    line(Engine::Mariadb, 10, Some(11), date(2028, 2, 16)),
    line(Engine::Mariadb, 11, Some(4), date(2029, 5, 29)),
];

/// The oldest version of an engine whose servers are supported: what is told of servers holds from there on.
pub const fn oldest_supported(engine: Engine) -> Version {
    match engine {
        Engine::Postgres => Version::new(13, 0, 0),
        Engine::Mysql => Version::new(8, 0, 0),
        Engine::Mariadb => Version::new(10, 6, 0),
        Engine::Sqlite => Version::new(3, 35, 0),
    }
}

/// The last day of a version's line; for a version older than every known line, the end of the oldest of them.
/// `None` when nobody says.
pub fn end_of_life(engine: Engine, version: Version) -> Option<Date> {
    let mut lines = LINES.iter().filter(|line| line.engine == engine);
    let oldest = lines.clone().next()?;
    if (version.major, version.minor) < (oldest.major, oldest.minor.unwrap_or(0)) {
        return Some(oldest.end);
    }
    lines
        .find(|line| line.major == version.major && line.minor.is_none_or(|minor| minor == version.minor))
        .map(|line| line.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_ends_with_its_line() {
        let end = |engine, major, minor| end_of_life(engine, Version::new(major, minor, 0));
        assert_eq!(end(Engine::Postgres, 15, 4), Some(date(2027, 11, 11)));
        assert_eq!(end(Engine::Postgres, 9, 6), Some(date(2024, 11, 21)));
        assert_eq!(end(Engine::Postgres, 19, 0), None);
        assert_eq!(end(Engine::Mariadb, 10, 11), Some(date(2028, 2, 16)));
        assert_eq!(end(Engine::Mariadb, 10, 7), None);
        assert_eq!(end(Engine::Mysql, 8, 0), Some(date(2026, 4, 30)));
        assert_eq!(end(Engine::Sqlite, 3, 40), None);
    }

    #[test]
    fn what_is_supported_is_no_older_than_what_is_known() {
        for line in LINES {
            let oldest = oldest_supported(line.engine);
            let known = LINES.iter().any(|other| {
                other.engine == line.engine
                    && other.major == oldest.major
                    && other.minor.is_none_or(|minor| minor == oldest.minor)
            });
            assert!(known, "{} {oldest}", line.engine);
        }
    }
}
