//! Character sets of MySQL and MariaDB, told from the names of collations.

/// Sets that hold every character, or that hold few on purpose.
const SUFFICIENT: &[&str] = &["ascii", "binary", "gb18030", "utf16", "utf16le", "utf32", "utf8mb4"];

/// Sets that hold the characters of some languages only.
const NARROW: &[&str] = &[
    "armscii8", "big5", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "cp932", "dec8",
    "eucjpms", "euckr", "gb2312", "gbk", "geostd8", "greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u",
    "latin1", "latin2", "latin5", "latin7", "macce", "macroman", "sjis", "swe7", "tis620", "ucs2", "ujis",
    "utf8mb3",
];

/// The character set of a collation; `None` when the name does not tell.
pub fn of_collation(collation: &str) -> Option<&'static str> {
    let lower = collation.to_ascii_lowercase();
    let set = lower.split('_').next().unwrap_or_default();
    let set = if set == "utf8" { "utf8mb3" } else { set };
    SUFFICIENT.iter().chain(NARROW).copied().find(|known| *known == set)
}

/// The most bytes that one character takes in a set.
pub fn most_bytes(set: &str) -> f64 {
    match set {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4.0,
        "utf8mb3" | "ujis" | "eucjpms" => 3.0,
        "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" | "ucs2" => 2.0,
        _ => 1.0,
    }
}

/// Whether the set lacks characters that people write every day, such as those of other languages and emoji.
pub fn is_narrow(set: &str) -> bool {
    NARROW.contains(&set)
}

/// Whether the set was chosen for machine-made text only.
pub fn is_technical(set: &str) -> bool {
    matches!(set, "ascii" | "binary")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_of_a_collation_is_its_first_word() {
        assert_eq!(of_collation("utf8_general_ci"), Some("utf8mb3"));
        assert_eq!(of_collation("utf8mb4_uca1400_ai_ci"), Some("utf8mb4"));
        assert_eq!(of_collation("latin1"), Some("latin1"));
        assert_eq!(of_collation("uca1400_ai_ci"), None);
        assert!(is_narrow("latin1") && !is_narrow("ascii") && is_technical("ascii"));
    }
}
