//! Singular and plural of English nouns, as far as names of tables need it.

/// Nouns whose plural is not made by a rule, as plural and singular, sorted by plural.
const IRREGULAR: &[(&str, &str)] = &[
    ("addenda", "addendum"),
    ("aliases", "alias"),
    ("analyses", "analysis"),
    ("appendices", "appendix"),
    ("atlases", "atlas"),
    ("axes", "axis"),
    ("biases", "bias"),
    ("bonuses", "bonus"),
    ("buses", "bus"),
    ("caches", "cache"),
    ("calves", "calf"),
    ("campuses", "campus"),
    ("canvases", "canvas"),
    ("censuses", "census"),
    ("children", "child"),
    ("cookies", "cookie"),
    ("corpora", "corpus"),
    ("crises", "crisis"),
    ("criteria", "criterion"),
    ("curricula", "curriculum"),
    ("diagnoses", "diagnosis"),
    ("emphases", "emphasis"),
    ("feet", "foot"),
    ("gases", "gas"),
    ("geese", "goose"),
    ("halves", "half"),
    ("hypotheses", "hypothesis"),
    ("indices", "index"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lenses", "lens"),
    ("lives", "life"),
    ("loaves", "loaf"),
    ("matrices", "matrix"),
    ("men", "man"),
    ("menus", "menu"),
    ("mice", "mouse"),
    ("movies", "movie"),
    ("oxen", "ox"),
    ("parentheses", "parenthesis"),
    ("people", "person"),
    ("persons", "person"),
    ("phenomena", "phenomenon"),
    ("prognoses", "prognosis"),
    ("quizzes", "quiz"),
    ("radii", "radius"),
    ("selfies", "selfie"),
    ("shelves", "shelf"),
    ("statuses", "status"),
    ("syllabi", "syllabus"),
    ("syllabuses", "syllabus"),
    ("synopses", "synopsis"),
    ("teeth", "tooth"),
    ("theses", "thesis"),
    ("thieves", "thief"),
    ("vertices", "vertex"),
    ("viruses", "virus"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("zombies", "zombie"),
];

/// Nouns without a plural of their own, sorted.
const UNCOUNTABLE: &[&str] = &[
    "aircraft",
    "chaos",
    "cms",
    "content",
    "data",
    "deer",
    "dns",
    "email",
    "emoji",
    "equipment",
    "evidence",
    "feedback",
    "fish",
    "furniture",
    "gps",
    "hardware",
    "https",
    "info",
    "information",
    "inventory",
    "knowledge",
    "luggage",
    "mail",
    "media",
    "merchandise",
    "metadata",
    "money",
    "news",
    "payroll",
    "personnel",
    "pos",
    "progress",
    "research",
    "rss",
    "salmon",
    "series",
    "sheep",
    "sms",
    "software",
    "species",
    "sports",
    "staff",
    "stock",
    "stuff",
    "traffic",
    "training",
    "weather",
];

/// Ends of nouns without a plural in words written together.
const JOINED_ENDS: &[&str] = &["data", "discovery", "history", "info", "media", "store"];

/// Nouns in `-o` that take `-es`, sorted.
const IN_OES: &[&str] = &["cargoes", "echoes", "heroes", "mangoes", "potatoes", "tomatoes", "vetoes"];

/// The singular of a noun in lower case; what is no plural comes back as it is.
pub fn singular(word: &str) -> String {
    if UNCOUNTABLE.binary_search(&word).is_ok() {
        return word.to_owned();
    }
    if let Ok(at) = IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural) {
        return IRREGULAR[at].1.to_owned();
    }
    let cut = |letters: usize| word[..word.len() - letters].to_owned();
    if !word.is_ascii() || word.len() < 4 || !word.ends_with('s') {
        return word.to_owned();
    }
    if ["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    if word.ends_with("ies") {
        return if word.len() > 4 { cut(3) + "y" } else { cut(1) };
    }
    let in_es = ["sses", "shes", "ches", "xes", "zzes"].iter().any(|end| word.ends_with(end))
        || IN_OES.binary_search(&word).is_ok();
    if in_es { cut(2) } else { cut(1) }
}

/// Whether a noun in lower case is plural; `None` when singular and plural are alike or cannot be told apart.
pub fn is_plural(word: &str) -> Option<bool> {
    let unclear = UNCOUNTABLE.binary_search(&word).is_ok()
        // `linkmetadata`, `fileinfo`: words written together.
        || JOINED_ENDS.iter().any(|end| word.len() > end.len() && word.ends_with(end))
        || !word.is_ascii()
        || word.len() < 3
        || word.chars().any(|c| c.is_ascii_digit())
        || ["us", "is", "ics", "ware"].iter().any(|end| word.ends_with(end));
    if unclear { None } else { Some(singular(word) != word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(IRREGULAR.is_sorted());
        assert!(UNCOUNTABLE.is_sorted());
        assert!(IN_OES.is_sorted());
    }

    #[test]
    fn plurals_become_singular() {
        for (plural, expected) in [
            ("users", "user"),
            ("categories", "category"),
            ("ties", "tie"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("batches", "batch"),
            ("caches", "cache"),
            ("expenses", "expense"),
            ("databases", "database"),
            ("sizes", "size"),
            ("archives", "archive"),
            ("heroes", "hero"),
            ("shoes", "shoe"),
            ("people", "person"),
            ("statuses", "status"),
            ("diagnoses", "diagnosis"),
            ("indices", "index"),
            ("taxes", "tax"),
        ] {
            assert_eq!(singular(plural), expected);
            assert_eq!(is_plural(plural), Some(true), "{plural}");
        }
    }

    #[test]
    fn singulars_and_uncountables_stay() {
        for word in ["status", "address", "analysis", "news", "data", "bus", "user", "series", "class", "sms"]
        {
            assert_eq!(singular(word), word);
            assert_ne!(is_plural(word), Some(true), "{word}");
        }
        assert_eq!(is_plural("data"), None);
        assert_eq!(is_plural("address"), Some(false));
    }
}
