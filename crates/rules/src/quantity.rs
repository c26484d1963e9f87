//! Sizes, times, counts and lists of names as messages say them.

pub use dbwright_model::quantity::{size, whole_percent};

/// A length of time with the largest fitting unit: `3 h`, `2 days`.
pub fn time(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    let (value, unit) = match seconds {
        s if s < 120.0 => (s, "s"),
        s if s < 7_200.0 => (s / 60.0, "min"),
        s if s < 172_800.0 => (s / 3_600.0, "h"),
        s => (s / 86_400.0, "days"),
    };
    format!("{value:.0} {unit}")
}

/// A number with its digits in groups of three: `1 200 000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number and what is counted: `1 row`, `3 rows`.
pub fn count(number: u64, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {one}{s}", grouped(number))
}

/// Names that are written out in a message at most.
const NAMED: usize = 5;

/// The first few of some names, as a message says them.
pub fn named<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = if names.len() > NAMED { " and more" } else { "" };
    let first: Vec<String> = names.take(NAMED).map(|name| format!("`{name}`")).collect();
    format!("{}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_carry_their_unit() {
        assert_eq!(time(90.0), "90 s");
        assert_eq!(time(7_300.0), "2 h");
        assert_eq!(time(864_000.0), "10 days");
        assert_eq!(grouped(1_200_000), "1 200 000");
        assert_eq!(grouped(12), "12");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(1_000, "row"), "1 000 rows");
    }
}
