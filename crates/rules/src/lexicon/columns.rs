//! What a column is probably for, judged by the words of its name.

use super::words;

/// How surely a name speaks of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Money {
    /// It may, or may count something else: `amount`, `total`.
    Maybe,
    /// It does: `unit_price`, `salary`.
    Likely,
}

/// Words that speak of money by themselves.
const MONEY: &[&str] = &[
    "balance", "bonus", "budget", "chf", "cost", "costs", "eur", "expense", "expenses", "fare", "fee",
    "fees", "gbp", "income", "invoiced", "jpy", "money", "msrp", "payment", "payout", "premium", "price",
    "prices", "refund", "refunded", "rent", "revenue", "salary", "subtotal", "tax", "taxes", "usd", "wage",
    "wages",
];

/// Words that speak of money at the end of a name in some schemas, and of something else in others.
const PERHAPS_MONEY: &[&str] =
    &["amount", "charge", "charges", "credit", "debit", "deposit", "discount", "payments", "total", "vat"];

/// Words that make a number a measure, a share or a count whatever stands beside them.
const NOT_MONEY: &[&str] = &[
    "accuracy",
    "altitude",
    "angle",
    "angles",
    "at",
    "avg",
    "bytes",
    "change",
    "code",
    "coefficient",
    "confidence",
    "count",
    "currency",
    "date",
    "day",
    "days",
    "deviation",
    "distance",
    "duration",
    "elasticity",
    "energy",
    "exponent",
    "factor",
    "fraction",
    "growth",
    "height",
    "hour",
    "hours",
    "id",
    "index",
    "km",
    "lat",
    "latitude",
    "length",
    "level",
    "lng",
    "lon",
    "longitude",
    "margin",
    "mass",
    "minutes",
    "ms",
    "multiplier",
    "number",
    "pct",
    "percent",
    "percentage",
    "points",
    "power",
    "precision",
    "probability",
    "quantity",
    "qty",
    "rank",
    "rate",
    "rates",
    "ratio",
    "scale",
    "score",
    "seconds",
    "share",
    "size",
    "speed",
    "stddev",
    "temperature",
    "time",
    "type",
    "variance",
    "volume",
    "weight",
    "width",
];

/// Words of what is summed up and counted in things other than money: `rating_total`, `dose_amount`.
const SUMMED_UP: &[&str] = &[
    "calorie",
    "calories",
    "dosage",
    "dose",
    "goal",
    "goals",
    "grade",
    "grades",
    "hit",
    "hits",
    "ingredient",
    "like",
    "likes",
    "mark",
    "marks",
    "rain",
    "rainfall",
    "rating",
    "ratings",
    "review",
    "reviews",
    "sample",
    "samples",
    "star",
    "stars",
    "step",
    "steps",
    "view",
    "views",
    "visit",
    "visits",
    "vote",
    "votes",
    "water",
];

/// Words beside `balance` that make it one of things other than money: `work_life_balance`, `white_balance`.
const IN_BALANCE: &[&str] = &[
    "audio", "carbon", "color", "colour", "energy", "fluid", "gender", "heat", "life", "load", "nitrogen",
    "phase", "sleep", "stereo", "water", "wheel", "white",
];

/// Words beside `cost` and `budget` by which they are effort of a machine or an allowance: `path_cost`, `error_budget`.
const NO_EXPENSE: &[&str] = &[
    "calorie", "carbon", "cpu", "edge", "error", "latency", "loss", "node", "path", "planner", "query",
    "route", "startup", "word",
];

/// What may follow a word of money and leave it money: `price_net`, `salary_2024`, `balance_after`, `price_per_unit`.
/// English names a thing by its last word: a `salary_band` is a band and a `cost_center` no cost.
const STILL_MONEY: &[&str] = &[
    "actual",
    "after",
    "amount",
    "amounts",
    "annual",
    "approved",
    "base",
    "basic",
    "before",
    "billed",
    "brutto",
    "capped",
    "cents",
    "charged",
    "collected",
    "current",
    "daily",
    "default",
    "discounted",
    "dollars",
    "due",
    "earned",
    "estimate",
    "estimated",
    "euro",
    "euros",
    "ex",
    "excl",
    "excluding",
    "expected",
    "final",
    "for",
    "forward",
    "from",
    "gross",
    "high",
    "hourly",
    "hr",
    "in",
    "inc",
    "incl",
    "included",
    "including",
    "initial",
    "list",
    "local",
    "low",
    "max",
    "maximum",
    "min",
    "minimum",
    "monthly",
    "net",
    "netto",
    "new",
    "of",
    "old",
    "on",
    "open",
    "original",
    "outstanding",
    "owed",
    "paid",
    "payable",
    "pending",
    "per",
    "planned",
    "received",
    "refunded",
    "regular",
    "remaining",
    "retail",
    "sale",
    "special",
    "spent",
    "standard",
    "subtotal",
    "sum",
    "to",
    "total",
    "totals",
    "unpaid",
    "used",
    "value",
    "values",
    "weekly",
    "wholesale",
    "with",
    "without",
    "yearly",
    "ytd",
];

/// Words before which a price or an income is a figure of statistics: `median_income`, `log_price`.
const FIGURES: &[&str] = &[
    "average",
    "decile",
    "estimator",
    "forecast",
    "log",
    "mean",
    "median",
    "normalised",
    "normalized",
    "percentile",
    "predicted",
    "prediction",
    "quantile",
    "quartile",
    "relative",
    "scaled",
    "simulated",
    "std",
    "weighted",
    "zscore",
];

/// Whether a column is named like an amount of money.
pub fn money(name: &str) -> Option<Money> {
    let words = words(name);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let about = |of: &[&str], list: &[&str]| any(of) && any(list);
    let other = about(&["balance"], IN_BALANCE) || about(&["budget", "cost", "costs"], NO_EXPENSE);
    if any(NOT_MONEY) || any(FIGURES) || other {
        None
    } else if let Some(at) = words.iter().rposition(|word| MONEY.contains(&word.as_str())) {
        stays_money(&words[at + 1..]).then_some(Money::Likely)
    } else if any(SUMMED_UP) {
        None
    } else if words.last().is_some_and(|word| PERHAPS_MONEY.contains(&word.as_str())) {
        Some(Money::Maybe)
    } else {
        None
    }
}

/// Whether the words that follow a word of money leave it money. After a preposition come things of any name.
fn stays_money(rest: &[String]) -> bool {
    const BEFORE_ANYTHING: &[&str] = &["for", "from", "in", "of", "on", "per", "to", "with", "without"];
    for word in rest {
        if BEFORE_ANYTHING.contains(&word.as_str()) {
            return true;
        }
        let mark = word.chars().count() == 1 || word.chars().all(|c| c.is_ascii_digit());
        if !mark && !STILL_MONEY.contains(&word.as_str()) && !PERHAPS_MONEY.contains(&word.as_str()) {
            return false;
        }
    }
    true
}

/// Whether a column says which currency an amount is in.
pub fn is_currency(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "currency" | "currencies"))
}

/// Whether a column is named like a UUID.
pub fn is_uuid(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "uuid" | "guid"))
}

/// Whether a column is named like a code of fixed width: a country, a currency, a hash.
pub fn is_code(name: &str) -> bool {
    const CODES: &[&str] = &[
        "abbreviation",
        "bic",
        "checksum",
        "code",
        "country",
        "currency",
        "digest",
        "ean",
        "fingerprint",
        "guid",
        "hash",
        "iban",
        "initial",
        "initials",
        "isbn",
        "iso",
        "isrc",
        "issn",
        "key",
        "lang",
        "language",
        "locale",
        "md5",
        "nonce",
        "postal",
        "postcode",
        "region",
        "salt",
        "sha",
        "state",
        "symbol",
        "token",
        "uuid",
        "zip",
        "zipcode",
    ];
    words(name).iter().any(|word| CODES.contains(&word.as_str()))
}

/// Whether a nullable time or number marks a row that has ended, so that null is the usual case: `deleted_at`.
pub fn is_deletion(name: &str) -> bool {
    words(name)
        .iter()
        .any(|word| matches!(word.as_str(), "deleted" | "archived" | "removed" | "discarded" | "deletion"))
}

/// Whether null in the column means "not yet": `finished_at`, `expires_on`, `parent_id`.
pub fn is_not_yet(name: &str) -> bool {
    const NOT_YET: &[&str] = &[
        "activated",
        "approved",
        "banned",
        "blocked",
        "canceled",
        "cancelled",
        "claimed",
        "closed",
        "completed",
        "confirmed",
        "disabled",
        "ended",
        "end",
        "expired",
        "expires",
        "expiry",
        "failed",
        "finished",
        "last",
        "locked",
        "merged",
        "next",
        "paid",
        "parent",
        "previous",
        "processed",
        "published",
        "read",
        "refunded",
        "rejected",
        "released",
        "replaced",
        "resolved",
        "revoked",
        "seen",
        "sent",
        "shipped",
        "started",
        "stopped",
        "suspended",
        "terminated",
        "until",
        "used",
        "verified",
    ];
    is_deletion(name) || words(name).iter().any(|word| NOT_YET.contains(&word.as_str()))
}

/// Whether a text column is named like a choice from a short list. Media types and the like have lists of their own.
pub fn is_status(name: &str) -> bool {
    let words = words(name);
    let open = |word: &String| {
        matches!(
            word.as_str(),
            "mime" | "content" | "media" | "file" | "message" | "text" | "description" | "address"
        )
    };
    if words.iter().any(open) {
        return false;
    }
    words.last().is_some_and(|word| {
        matches!(
            word.as_str(),
            "status" | "state" | "stage" | "phase" | "kind" | "priority" | "severity" | "type"
        )
    })
}

/// Whether a column says when the row was made.
pub fn is_created_at(name: &str) -> bool {
    matches!(
        words(name).join(" ").as_str(),
        "created at"
            | "created on"
            | "created"
            | "create time"
            | "created time"
            | "created date"
            | "create date"
            | "creation date"
            | "creation time"
            | "date created"
            | "inserted at"
            | "added at"
            | "createdat"
    )
}

/// Whether a column says when the row was last changed.
pub fn is_updated_at(name: &str) -> bool {
    matches!(
        words(name).join(" ").as_str(),
        "updated at"
            | "updated on"
            | "updated"
            | "update time"
            | "last update"
            | "last updated"
            | "modified at"
            | "modified on"
            | "modified date"
            | "date modified"
            | "changed at"
            | "updatedat"
    )
}

/// Whether a table is named like a log, a queue or scratch space: many equal rows are its purpose.
pub fn is_log_table(name: &str) -> bool {
    const LOGS: &[&str] = &[
        "activities",
        "activity",
        "archive",
        "archives",
        "audit",
        "audits",
        "event",
        "events",
        "histories",
        "history",
        "import",
        "imports",
        "job",
        "jobs",
        "log",
        "logs",
        "measurement",
        "measurements",
        "message",
        "messages",
        "metric",
        "metrics",
        "notification",
        "notifications",
        "outbox",
        "queue",
        "reading",
        "readings",
        "sample",
        "samples",
        "session",
        "sessions",
        "snapshot",
        "snapshots",
        "staging",
        "stg",
        "temp",
        "tmp",
        "visit",
        "visits",
    ];
    words(name).iter().any(|word| LOGS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_told_from_measures() {
        for name in [
            "price",
            "unitPrice",
            "total_cost",
            "tax",
            "salary_eur",
            "shipping_fee",
            "price_net",
            "salary_2024",
            "price_per_unit",
            "cost_of_goods",
            "balance_after",
            "price_b",
            "fee_amount",
            "budget_used",
        ] {
            assert_eq!(money(name), Some(Money::Likely), "{name}");
        }
        for name in ["amount", "order_total", "discount"] {
            assert_eq!(money(name), Some(Money::Maybe), "{name}");
        }
        for name in [
            "tax_rate",
            "price_factor",
            "cost_index",
            "priced",
            "latitude",
            "total_weight",
            "total_usage",
            "price_id",
            "a",
            "salary_band",
            "cost_center",
            "fee_structure_version",
            "income_percentile",
            "price_sensitivity",
            "wage_gap",
            "tax_bracket",
            "price_trend",
            "price_volatility",
            "budget_utilization",
            "rent_burden",
            "median_income",
            "log_price",
            "path_cost",
            "error_budget",
            "premium_user_lifetime",
            "payment_delay",
            "income_gini",
            "costing",
        ] {
            assert_eq!(money(name), None, "{name}");
        }
    }

    #[test]
    fn choices_are_told_from_other_texts() {
        assert!(is_status("order_status") && is_status("kind") && is_status("paymentState"));
        assert!(!is_status("content_type") && !is_status("status_message") && !is_status("statement"));
    }
}
