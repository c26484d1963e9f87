//! Server settings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The server's settings by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// One entry per setting, lower-case names.
    pub values: BTreeMap<String, Setting>,
}

/// One setting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Current value in `unit`s.
    pub value: String,
    /// Whether the value was left out because it is private: then `value` is empty and says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Unit of the value: `8kB`, `ms`, `min`; empty for plain values.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Where the value comes from: `default`, `configuration file`, ...
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What the server would use by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_value: Option<String>,
    /// When a change takes effect: `postmaster`, `sighup`, `user`, ...
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Whether a changed value waits for a restart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending_restart: bool,
}

impl Settings {
    /// The text of a setting; `None` too when it was left out.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).filter(|setting| !setting.hidden).map(|setting| setting.value.as_str())
    }

    /// A setting that is on or off.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)?.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Some(true),
            "off" | "false" | "no" | "0" => Some(false),
            _ => None,
        }
    }

    /// A whole number in the setting's own unit.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// A size in bytes, with the unit applied. Negative values, which mean "automatic" or "no limit", give `None`.
    pub fn bytes(&self, name: &str) -> Option<u64> {
        let setting = self.values.get(name)?;
        let number: i64 = setting.value.parse().ok()?;
        let factor: u64 = match setting.unit.as_str() {
            "" | "B" => 1,
            "kB" => 1 << 10,
            "8kB" => 8 << 10,
            "MB" => 1 << 20,
            "16MB" => 16 << 20,
            "GB" => 1 << 30,
            _ => return None,
        };
        u64::try_from(number).ok().map(|number| number * factor)
    }

    /// A time in milliseconds, with the unit applied. Negative values give `None`.
    pub fn milliseconds(&self, name: &str) -> Option<u64> {
        let setting = self.values.get(name)?;
        let number: f64 = setting.value.parse().ok()?;
        let factor = match setting.unit.as_str() {
            "us" => 0.001,
            "" | "ms" => 1.0,
            "s" => 1_000.0,
            "min" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        (number >= 0.0).then_some((number * factor) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str, unit: &str) -> Settings {
        let setting = Setting { value: value.into(), unit: unit.into(), ..Setting::default() };
        Settings { values: BTreeMap::from([(name.to_owned(), setting)]) }
    }

    #[test]
    fn sizes_and_times_carry_their_unit() {
        assert_eq!(one("shared_buffers", "16384", "8kB").bytes("shared_buffers"), Some(128 << 20));
        assert_eq!(one("lock_timeout", "3", "s").milliseconds("lock_timeout"), Some(3_000));
        assert_eq!(one("work_mem", "-1", "kB").bytes("work_mem"), None);
        assert_eq!(one("fsync", "on", "").flag("fsync"), Some(true));
        assert_eq!(one("fsync", "maybe", "").flag("fsync"), None);
    }
}
