//! Texts that look like secrets: by form, or by what stands before them. What is found is named, never repeated.

/// Beginnings of tokens that are secret by their form, the least number of characters after them, and what they are.
const TOKENS: &[(&str, usize, &str)] = &[
    ("AKIA", 16, "an AWS access key"),
    ("AIza", 35, "a Google API key"),
    ("SG.", 40, "a SendGrid key"),
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 40, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("npm_", 36, "an npm token"),
    ("rk_live_", 16, "a Stripe key"),
    ("sk_live_", 16, "a Stripe key"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
];

/// Words before `=` or `:` whose quoted value is a secret when it looks random.
const KEYS: &[&str] = &[
    "access_key",
    "accesskey",
    "api_key",
    "apikey",
    "auth_token",
    "client_secret",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "secret",
    "secret_key",
    "token",
];

/// Functions whose second argument is a key.
const CIPHERS: &[&str] = &[
    "aes_decrypt(",
    "aes_encrypt(",
    "pgp_sym_decrypt(",
    "pgp_sym_decrypt_bytea(",
    "pgp_sym_encrypt(",
    "pgp_sym_encrypt_bytea(",
];

/// Words that stand where a secret would in examples.
const PLACEHOLDERS: &[&str] =
    &["changeme", "example", "password", "placeholder", "redacted", "secret", "xxx", "your"];

/// The bits of chance per character above which a text looks random.
const RANDOM: f64 = 3.0;

/// What kind of secret a text holds, if it holds one.
pub fn find(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    token(text)
        .or_else(|| url(text).then_some("a password in a URL"))
        .or_else(|| connection_string(text).then_some("a password in a connection string"))
        .or_else(|| role_password(text).then_some("a role's password"))
        .or_else(|| cipher_key(text).then_some("an encryption key"))
        .or_else(|| assignment(text).then_some("a password or key"))
}

/// What kind of secret a text for people holds, such as a comment. There a value stands without quotes, too, which in a
/// routine would be an expression.
pub fn find_in_prose(text: &str) -> Option<&'static str> {
    find(text).or_else(|| plain_assignment(text).then_some("a password or key"))
}

fn token(text: &str) -> Option<&'static str> {
    for (prefix, length, kind) in TOKENS {
        for (at, _) in text.match_indices(prefix) {
            let starts = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let tail = &text[at + prefix.len()..];
            let long = tail.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).count();
            let upper = *prefix != "AKIA"
                || tail.chars().take(*length).all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            if starts && long >= *length && upper {
                return Some(kind);
            }
        }
    }
    None
}

/// `scheme://user:password@host`.
fn url(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest.find(|c: char| c.is_whitespace() || "/'\"`?#".contains(c)).unwrap_or(rest.len());
        let Some((login, host)) = rest[..end].rsplit_once('@') else { return false };
        let Some((_, password)) = login.split_once(':') else { return false };
        !host.is_empty() && is_literal(password)
    })
}

/// `host=... password=...` as libpq takes it.
fn connection_string(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if !["host=", "hostaddr=", "dbname="].iter().any(|word| lower.contains(word)) {
        return false;
    }
    lower.match_indices("password=").any(|(at, word)| {
        let rest = lower[at + word.len()..].trim_start_matches(['\'', '\\']);
        let end = rest.find(|c: char| c.is_whitespace() || "'\"\\".contains(c)).unwrap_or(rest.len());
        // Parameters and variables of routines, by the usual prefixes.
        let is_variable = ["_", "p_", "v_", "new.", "old."].iter().any(|prefix| rest.starts_with(prefix));
        !is_variable && is_literal(&rest[..end])
    })
}

/// `PASSWORD '...'`, `IDENTIFIED BY '...'`.
fn role_password(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_role = lower.contains("role ") || lower.contains("user ");
    is_role
        && ["password '", "identified by '"].iter().any(|word| {
            lower.match_indices(word).any(|(at, word)| {
                let rest = &lower[at + word.len()..];
                rest.find('\'').is_some_and(|end| is_literal(&rest[..end]))
            })
        })
}

/// A literal as the second argument of a function that encrypts.
fn cipher_key(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    CIPHERS.iter().any(|cipher| {
        lower.match_indices(cipher).any(|(at, word)| {
            let mut depth = 0;
            let mut quoted = false;
            let rest = &lower[at + word.len()..];
            let comma = rest.char_indices().find(|(_, c)| {
                match c {
                    '\'' => quoted = !quoted,
                    '(' if !quoted => depth += 1,
                    ')' if !quoted => depth -= 1,
                    _ => {}
                }
                *c == ',' && !quoted && depth == 0
            });
            let Some((comma, _)) = comma else { return false };
            let Some(key) = rest[comma + 1..].trim_start().strip_prefix('\'') else { return false };
            key.find('\'').is_some_and(|end| is_literal(&key[..end]))
        })
    })
}

/// `api_key := 'f3a9...'`, `"token": "f3a9..."`.
fn assignment(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    KEYS.iter().any(|key| {
        lower.match_indices(key).any(|(at, _)| {
            let rest = &text[at + key.len()..];
            let value = rest.trim_start_matches(['"', '\'', ' ']);
            let Some(value) = [":=", "=>", "=", ":"].iter().find_map(|sign| value.strip_prefix(sign)) else {
                return false;
            };
            let value = value.trim_start();
            let Some(quote) = value.chars().next().filter(|c| "'\"".contains(*c)) else { return false };
            let value = &value[1..];
            value.find(quote).is_some_and(|end| looks_random(&value[..end]))
        })
    })
}

/// `password=Kx9...`, `pwd: Kx9...`.
fn plain_assignment(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    KEYS.iter().any(|key| {
        lower.match_indices(key).any(|(at, _)| {
            let rest = text[at + key.len()..].trim_start_matches(['"', '\'', ' ']);
            let Some(value) = [":=", "=>", "=", ":"].iter().find_map(|sign| rest.strip_prefix(sign)) else {
                return false;
            };
            let value = value.trim_start();
            let end = value.find(|c: char| c.is_whitespace() || ",;'\"`".contains(c)).unwrap_or(value.len());
            looks_chosen_by_chance(&value[..end])
        })
    })
}

/// Parts of words that say how a value is made; `sha256Base64` is no secret.
const METHODS: &[&str] = &[
    "aes", "argon", "ascii", "base64", "bcrypt", "cipher", "crypt", "digest", "hash", "hex", "hmac", "jwt",
    "md5", "oauth", "pbkdf", "random", "rsa", "sha1", "sha2", "sha3", "sha5", "utf", "uuid", "varchar",
];

/// Whether a word without quotes can hardly be anything but a generated password or key: letters of both sizes and
/// digits in quick change, or many digits among small letters.
fn looks_chosen_by_chance(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if !is_literal(text)
        || text.len() < 10
        || text.contains(['(', ')', '{', '}', '<', '>', '[', ']', '/', '\\', ':', '.', '-'])
        || METHODS.iter().any(|word| lower.contains(word))
    {
        return false;
    }
    let kind = |c: char| match c {
        _ if c.is_ascii_uppercase() => 0,
        _ if c.is_ascii_lowercase() => 1,
        _ if c.is_ascii_digit() => 2,
        _ => 3,
    };
    let kinds: Vec<u8> = text.chars().map(kind).collect();
    let has = |kind: u8| kinds.contains(&kind);
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let digit_groups = kinds.chunk_by(|a, b| a == b).filter(|group| group[0] == 2).count();
    let mixed = has(0) && has(1) && digit_groups >= 2 && changes * 2 >= kinds.len();
    let key = has(1) && !has(0) && !has(3) && kinds.len() >= 20 && digit_groups >= 4;
    (mixed || key) && entropy(text) >= RANDOM
}

/// Whether a text is itself the secret, rather than a name, a parameter or an example of one.
fn is_literal(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.len() >= 4
        && !text.starts_with(['$', '%', ':', '<', '{', '[', '*', '?', '|'])
        && !PLACEHOLDERS.iter().any(|word| lower.starts_with(word))
}

fn looks_random(text: &str) -> bool {
    is_literal(text)
        && text.len() >= 12
        && !text.contains(char::is_whitespace)
        && text.contains(|c: char| c.is_ascii_digit())
        && text.contains(|c: char| c.is_ascii_alphabetic())
        && entropy(text) >= RANDOM
}

/// Bits of chance per character, from how often each occurs.
fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    let mut all = 0.0;
    for c in text.chars() {
        *counts.entry(c).or_insert(0.0) += 1.0;
        all += 1.0;
    }
    counts.values().map(|count: &f64| -(count / all) * (count / all).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(find(text), expected, "{text}");
    }

    #[test]
    fn secrets_are_known_by_their_form() {
        check("key AKIAIOSFODNN7EXAMPLE here", Some("an AWS access key"));
        check("AKIA is a prefix", None);
        check("-----BEGIN RSA PRIVATE KEY-----\nMII", Some("a private key"));
        check("-----BEGIN PUBLIC KEY-----\nMII", None);
        check("postgres://app:s3cr1t@db/x", Some("a password in a URL"));
        check("postgres://app:${PASSWORD}@db/x", None);
        check("postgres://app@db/x and mail a@b.org", None);
        check("https://example.org/a:b@c", None);
    }

    #[test]
    fn secrets_are_known_by_what_stands_before_them() {
        check("dblink('host=db user=app password=hunter22', q)", Some("a password in a connection string"));
        check("update t set password=given where user=p_user", None);
        check("update t set password=p_password where host=p_host", None);
        check("'host=db password=' || given", None);
        check("alter role app password 'hunter22'", Some("a role's password"));
        check("format('alter role %I password %L', a, b)", None);
        check("select pgp_sym_encrypt(lower(a), 'k3y-of-gold')", Some("an encryption key"));
        check("select pgp_sym_encrypt(a, current_setting('app.key'))", None);
        check("api_key := '9f8a7b6c5d4e3f2a1b0c'", Some("a password or key"));
        check("password = 'changeme'", None);
        check("if token = 'access_token' then", None);
        check("where password = crypt(given, password)", None);
        check("password := Kx9vTq27Lmz(given)", None);
    }

    #[test]
    fn texts_for_people_need_no_quotes() {
        const VALUE: Option<&str> = Some("a password or key");
        let check = |text: &str, expected: Option<&str>| assert_eq!(find_in_prose(text), expected, "{text}");
        check("password=Kx9!vTq27Lmz", VALUE);
        check("login app, pwd: Kx9!vTq27Lmz, ask Anna", VALUE);
        check("api_key=9f8a7b6c5d4e3f2a1b0c", VALUE);
        check("password: hashed by the application", None);
        check("password: argon2id_hash_of_v2", None);
        check("token: HMAC-SHA256-Base64", None);
        check("token: md5OrSha256Hash", None);
        check("token: RFC6749Section4", None);
        check("token: 550e8400-e29b-41d4-a716-446655440000", None);
        check("password = see https://wiki.example.org/Page1x2Y3z", None);
        check("secret: kept in Vault:kv2/Prod/App1", None);
        check("pwd: customer_number_2024", None);
        check("secret=yourPassword1234X5", None);
    }
}
