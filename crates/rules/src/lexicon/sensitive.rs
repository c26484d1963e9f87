//! Words in column names that speak of secrets and of people.

use super::words;

/// What a column seems to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitive {
    /// A password that is not said to be hashed.
    Password,
    /// The check digits of a payment card, which nobody may keep.
    CardCheck,
    /// A payment card's number.
    CardNumber,
    /// A number by which a state knows a person.
    NationalId,
    /// A key or token of another service.
    Credential,
}

/// Words after which the column is about the secret rather than the secret, or holds something derived from it.
const ABOUT: &[&str] = &[
    "algorithm",
    "at",
    "attempts",
    "brand",
    "changed",
    "cipher",
    "count",
    "created",
    "crypt",
    "date",
    "digest",
    "enabled",
    "encrypted",
    "encryption",
    "expired",
    "expires",
    "expiry",
    "failures",
    "fingerprint",
    "format",
    "hash",
    "hashed",
    "hint",
    "id",
    "last",
    "last4",
    "length",
    "mask",
    "masked",
    "max",
    "min",
    "name",
    "on",
    "policy",
    "prefix",
    "protected",
    "required",
    "reset",
    "salt",
    "strength",
    "suffix",
    "tail",
    "type",
    "until",
    "updated",
    "url",
    "version",
];

/// What a column of this name seems to hold, read word by word.
pub fn classify(column: &str) -> Option<Sensitive> {
    let words = words(column);
    let has = |word: &str| words.iter().any(|other| other == word);
    let pair = |first: &str, second: &str| words.windows(2).any(|two| two[0] == first && two[1] == second);
    if words.iter().any(|word| ABOUT.binary_search(&word.as_str()).is_ok()) {
        return None;
    }
    if has("cvv") || has("cvc") || has("cvv2") || has("cvc2") {
        return Some(Sensitive::CardCheck);
    }
    if pair("card", "number")
        || pair("card", "no")
        || pair("card", "num")
        || has("cardnumber")
        || pair("credit", "card")
    {
        return Some(Sensitive::CardNumber);
    }
    if has("ssn") || pair("social", "security") || pair("passport", "number") || pair("passport", "no") {
        return Some(Sensitive::NationalId);
    }
    if has("password") || has("passwd") || has("passphrase") || has("pwd") {
        return Some(Sensitive::Password);
    }
    let credential = pair("api", "key")
        || has("apikey")
        || pair("access", "token")
        || pair("refresh", "token")
        || pair("auth", "token")
        || pair("api", "token")
        || pair("client", "secret")
        || pair("secret", "key")
        || pair("api", "secret")
        || pair("private", "key");
    credential.then_some(Sensitive::Credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(ABOUT.is_sorted());
    }

    #[test]
    fn names_are_read_word_by_word() {
        let check = |name: &str, expected: Option<Sensitive>| assert_eq!(classify(name), expected, "{name}");
        check("password", Some(Sensitive::Password));
        check("userPassword", Some(Sensitive::Password));
        check("password_hash", None);
        check("encrypted_password", None);
        check("password_changed_at", None);
        check("ssn_number", Some(Sensitive::NationalId));
        check("lessness", None);
        check("card_number", Some(Sensitive::CardNumber));
        check("scorecard_number_id", None);
        check("cvv", Some(Sensitive::CardCheck));
        check("api_token", Some(Sensitive::Credential));
        check("token_type", None);
        check("passenger", None);
    }
}
