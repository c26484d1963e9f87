//! Sizes as every message and every format says them.

/// A size in binary units with at most one decimal: `512 bytes`, `1.5 MiB`, `20 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    match bytes {
        1 => return "1 byte".to_owned(),
        0..1024 => return format!("{bytes} bytes"),
        _ => {}
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let whole = (value * 10.0).round() % 10.0 == 0.0;
    if value < 10.0 && !whole {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

/// A share in per cent, to be shown without decimals: what is not whole never looks it, at 99.9 as at 99.
pub fn whole_percent(percent: f64) -> f64 {
    if percent < 100.0 { percent.round().min(99.0) } else { percent.round() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(1024 * 1024 - 1), "1 MiB");
        assert_eq!(size(1 << 30), "1 GiB");
        assert_eq!(size(20 << 30), "20 GiB");
        assert_eq!(size(u64::MAX), "16 EiB");
    }

    #[test]
    fn a_part_is_not_the_whole() {
        for (percent, shown) in [(0.4, 0.0), (98.6, 99.0), (99.99, 99.0), (100.0, 100.0), (104.6, 105.0)] {
            assert_eq!(whole_percent(percent), shown, "{percent}");
        }
    }
}
