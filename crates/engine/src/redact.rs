//! Texts that may hold a password, made fit to be shown.

/// What the name of a parameter holds whose value is a secret, without `_` and `-`.
const SECRET: &[&str] =
    &["pass", "pwd", "pw", "secret", "token", "apikey", "accesskey", "privatekey", "credential", "kennwort"];

/// A text that may be a target, with everything that could be its password replaced by `***`, for messages about
/// targets that were not understood.
pub fn redacted(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let mut shown = text.to_owned();
    if let Some(end) = text.rfind('@').filter(|end| *end > start)
        && let Some(colon) = text[start..end].find(':')
    {
        shown.replace_range(start + colon + 1..end, "***");
    }
    let mut from = 0;
    while let Some(equals) = shown[from..].find('=').map(|at| from + at) {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let name = shown[..equals].trim_end().rsplit(|c: char| !is_part(c)).next().unwrap_or_default();
        let name = name.to_ascii_lowercase().replace(['_', '-'], "");
        from = equals + 1;
        if !SECRET.iter().any(|sign| name.contains(sign)) {
            continue;
        }
        let rest = &shown[from..];
        // A value ends where the next parameter begins; without quotes it should hold no space, but may.
        let next = rest.char_indices().find(|(at, c)| {
            let is_parameter = || rest[at + c.len_utf8()..].split(char::is_whitespace).next();
            (*c == '&' && start > 0) || (c.is_whitespace() && is_parameter().is_some_and(|w| w.contains('=')))
        });
        let length = next.map_or(rest.len(), |(at, _)| at);
        shown.replace_range(from..from + length, "***");
        from += 3;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_target_is_shown_without_what_may_be_its_password() {
        let check = |text: &str, expected: &str| assert_eq!(redacted(text), expected);
        check("folder/a.sql", "folder/a.sql");
        check("u:marked@h/d", "u:***@h/d");
        check("u@h/d", "u@h/d");
        check("postgre://u:mar@ked:x@h/d", "postgre://u:***@h/d");
        check("user=u Password=marked host=h", "user=u Password=*** host=h");
        check("password='mar ked' user=u", "password=*** user=u");
        check("user=u password=mar ked", "user=u password=***");
        check("user=u passwort = marked", "user=u passwort =***");
        check("password=mar&ked user=u", "password=*** user=u");
        check("sslpassword=marked user=u", "sslpassword=*** user=u");
        check("PGPASSWORD=marked user=u", "PGPASSWORD=*** user=u");
        check("MYSQL_PWD=marked user=u", "MYSQL_PWD=*** user=u");
        check("client_secret=marked user=u", "client_secret=*** user=u");
        check("pg://h?token=marked&a=b", "pg://h?token=***&a=b");
        check("pg://h?access-token=marked&a=b", "pg://h?access-token=***&a=b");
        check("pg://h?api_key=marked&apikey=marked", "pg://h?api_key=***&apikey=***");
        check("pg://h?sslkey=file&user=u", "pg://h?sslkey=file&user=u");
        check("pg://h?pwd=marked&password=marked", "pg://h?pwd=***&password=***");
    }
}
