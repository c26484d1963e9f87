//! Words for the parts that people and rows play towards each other: `owner_id`, `created_by`, `parent_id`.

/// Nouns for people in a role, sorted.
const PEOPLE: &[&str] = &[
    "actor",
    "admin",
    "administrator",
    "agent",
    "analyst",
    "approver",
    "assignee",
    "assigner",
    "attendee",
    "auditor",
    "author",
    "cashier",
    "closer",
    "collector",
    "commenter",
    "coordinator",
    "creator",
    "deleter",
    "editor",
    "follower",
    "handler",
    "host",
    "inspector",
    "instructor",
    "invitee",
    "inviter",
    "issuer",
    "lead",
    "leader",
    "manager",
    "mentor",
    "moderator",
    "modifier",
    "opener",
    "operator",
    "organiser",
    "organizer",
    "owner",
    "participant",
    "performer",
    "preparer",
    "receiver",
    "recipient",
    "recorder",
    "reporter",
    "representative",
    "requester",
    "requestor",
    "resolver",
    "reviewer",
    "salesperson",
    "sender",
    "signer",
    "submitter",
    "subscriber",
    "supervisor",
    "teacher",
    "updater",
    "uploader",
    "verifier",
    "viewer",
    "voter",
    "watcher",
    "writer",
];

/// Nouns that end like people and are things or houses, sorted.
const NO_PEOPLE: &[&str] = &[
    "adapter",
    "banner",
    "barrier",
    "broker",
    "browser",
    "buffer",
    "calendar",
    "carrier",
    "chapter",
    "character",
    "cluster",
    "color",
    "connector",
    "container",
    "controller",
    "counter",
    "courier",
    "dealer",
    "descriptor",
    "distributor",
    "employer",
    "error",
    "factor",
    "filter",
    "floor",
    "folder",
    "footer",
    "header",
    "identifier",
    "indicator",
    "insurer",
    "layer",
    "ledger",
    "letter",
    "linker",
    "listener",
    "loader",
    "manufacturer",
    "marker",
    "master",
    "merchant",
    "meter",
    "monitor",
    "mother",
    "number",
    "offer",
    "order",
    "paper",
    "parameter",
    "partner",
    "pointer",
    "poster",
    "printer",
    "processor",
    "producer",
    "provider",
    "publisher",
    "quarter",
    "register",
    "retailer",
    "router",
    "scanner",
    "sector",
    "selector",
    "semester",
    "sensor",
    "server",
    "sponsor",
    "sticker",
    "supplier",
    "ticker",
    "tier",
    "tracker",
    "transfer",
    "trigger",
    "vector",
    "vendor",
    "voucher",
    "wrapper",
];

/// Names of tables of people who log in, the most usual first.
pub const ACCOUNTS: &[&str] = &["user", "account", "person", "employee", "staff", "staff member", "member"];

/// Names of tables of people who work in the house, the most usual first.
pub const WORKERS: &[&str] = &["employee", "staff member", "staff", "worker", "user", "person"];

/// Words in front of `by` that name no person, sorted.
const NOT_BY_PEOPLE: &[&str] =
    &["divided", "filter", "group", "multiplied", "order", "ordered", "sort", "sorted"];

/// Roles that one row of a table plays towards another of the same table, as words joined by a space, sorted.
const SAME_TABLE: &[&str] = &[
    "amended from",
    "ancestor",
    "based on",
    "cloned from",
    "copied from",
    "duplicate of",
    "duplicated from",
    "forked from",
    "in reply to",
    "merged into",
    "next",
    "parent",
    "predecessor",
    "prev",
    "previous",
    "replaced by",
    "replaces",
    "reply to",
    "reports to",
    "reversal of",
    "reversed by",
    "root",
    "successor",
    "superseded by",
    "supersedes",
];

/// Words that say that an id comes from elsewhere, sorted: no table here holds it.
const ELSEWHERE: &[&str] = &[
    "api",
    "apple",
    "aws",
    "azure",
    "correlation",
    "external",
    "facebook",
    "foreign",
    "github",
    "gitlab",
    "google",
    "idempotency",
    "import",
    "imported",
    "legacy",
    "linkedin",
    "old",
    "original",
    "paypal",
    "provider",
    "remote",
    "request",
    "shopify",
    "slack",
    "source",
    "stripe",
    "tracking",
    "twilio",
    "twitter",
    "upstream",
    "xero",
];

/// Whether the words name a person in a role: `owner`, `created by`, `assigned to`, `sales rep`.
pub fn is_person(words: &[String]) -> bool {
    let Some(last) = words.last() else { return false };
    let before = words.len().checked_sub(2).map(|at| words[at].as_str());
    match (before, last.as_str()) {
        (Some(verb), "by") => NOT_BY_PEOPLE.binary_search(&verb).is_err(),
        (Some(verb), "to") => {
            matches!(verb, "assigned" | "delegated" | "escalated" | "transferred" | "granted")
        }
        (Some(_), "rep") => true,
        (_, noun) => PEOPLE.binary_search(&noun).is_ok() || is_agent(noun),
    }
}

/// Whether a noun is known to name a person in a role, whatever others look like it.
pub fn is_listed_person(noun: &str) -> bool {
    PEOPLE.binary_search(&noun).is_ok()
}

/// Whether a noun looks like one for somebody who does something: `prescriber`, `pharmacist`.
fn is_agent(noun: &str) -> bool {
    noun.len() > 5
        && ["er", "or", "ist"].iter().any(|end| noun.ends_with(end))
        && NO_PEOPLE.binary_search(&noun).is_err()
}

/// Whether a person in that role works in the house rather than merely logs in.
pub fn is_worker(words: &[String]) -> bool {
    words.last().is_some_and(|last| {
        matches!(
            last.as_str(),
            "manager" | "supervisor" | "salesperson" | "rep" | "cashier" | "lead" | "leader"
        )
    })
}

/// Whether the words name another row of the same table: `parent`, `replaced by`.
pub fn is_same_table(words: &[String]) -> bool {
    // `derived_from`, but not `el_from` in a table whose columns all begin with `el_`.
    let origin = matches!(words, [.., verb, last] if matches!(last.as_str(), "from" | "of" | "into")
        && (verb.len() > 3 || SAME_TABLE.contains(&words.join(" ").as_str())));
    origin || SAME_TABLE.binary_search(&words.join(" ").as_str()).is_ok()
}

/// Whether a word says that an id comes from another system.
pub fn is_elsewhere(word: &str) -> bool {
    ELSEWHERE.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        for list in [PEOPLE, NO_PEOPLE, NOT_BY_PEOPLE, SAME_TABLE, ELSEWHERE] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }

    #[test]
    fn people_are_told_from_orders() {
        let person = |name| is_person(&crate::lexicon::words(name));
        assert!(person("created_by") && person("project_owner") && person("assigned_to"));
        assert!(!person("sort_by") && !person("country") && !person("to"));
    }
}
