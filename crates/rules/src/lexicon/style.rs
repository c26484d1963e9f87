//! The style in which a name is written.

/// Styles that can be told from a name. Single words in lower case fit several and have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameStyle {
    /// `order_line`.
    Snake,
    /// `orderLine`.
    Camel,
    /// `OrderLine`.
    Pascal,
    /// `ORDER_LINE`.
    Upper,
    /// `order-line`.
    Kebab,
    /// `order line`.
    Spaced,
    /// `Order_Line`.
    Mixed,
}

impl NameStyle {
    /// The style of a name, if the name shows one.
    pub fn of(name: &str) -> Option<NameStyle> {
        let lower = name.chars().any(char::is_lowercase);
        let upper = name.chars().any(char::is_uppercase);
        let starts_upper = name.chars().find(|c| c.is_alphabetic()).is_some_and(char::is_uppercase);
        let joined = name.trim_matches('_').contains('_');
        if name.contains(' ') {
            return Some(NameStyle::Spaced);
        }
        if name.contains('-') {
            return Some(NameStyle::Kebab);
        }
        match (lower, upper, joined) {
            (true, false, true) => Some(NameStyle::Snake),
            (true, true, false) if starts_upper => Some(NameStyle::Pascal),
            (true, true, false) => Some(NameStyle::Camel),
            (true, true, true) => Some(NameStyle::Mixed),
            (false, true, _) if name.chars().count() > 2 => Some(NameStyle::Upper),
            _ => None,
        }
    }

    /// The style in words, with an example.
    pub fn describe(self) -> &'static str {
        match self {
            NameStyle::Snake => "snake case (`order_line`)",
            NameStyle::Camel => "camel case (`orderLine`)",
            NameStyle::Pascal => "Pascal case (`OrderLine`)",
            NameStyle::Upper => "upper case (`ORDER_LINE`)",
            NameStyle::Kebab => "kebab case (`order-line`)",
            NameStyle::Spaced => "words with spaces",
            NameStyle::Mixed => "capitals and underscores mixed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_told_apart() {
        assert_eq!(NameStyle::of("order_line"), Some(NameStyle::Snake));
        assert_eq!(NameStyle::of("orderLine"), Some(NameStyle::Camel));
        assert_eq!(NameStyle::of("OrderLine"), Some(NameStyle::Pascal));
        assert_eq!(NameStyle::of("ID"), None);
        assert_eq!(NameStyle::of("order"), None);
        assert_eq!(NameStyle::of("_order"), None);
    }
}
