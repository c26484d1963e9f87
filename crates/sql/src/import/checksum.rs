//! Checksums as other tools reckon them.

use std::hash::Hasher;

use dbwright_model::migration::Migration;
use sha2::{Digest, Sha256, Sha384};
use siphasher::sip::SipHasher13;

use super::Source;

/// Whether a file has the checksum that the tool recorded; `None` where there is none, or none that can be reckoned again.
pub(super) fn verify(
    source: Source,
    migration: &Migration,
    text: &str,
    recorded: Option<&str>,
) -> Option<bool> {
    let recorded = recorded.map(str::trim).filter(|recorded| !recorded.is_empty())?;
    match source {
        Source::Flyway => Some(recorded == flyway(text).to_string()),
        Source::Sqlx => Some(spellings(text).any(|text| hex(&Sha384::digest(text.as_bytes())) == recorded)),
        Source::Prisma => Some(spellings(text).any(|text| prisma(&text, recorded.len()) == recorded)),
        Source::Refinery => {
            let (version, name) = refinery_name(&migration.file)?;
            Some(spellings(text).any(|text| {
                let bytes = text.as_bytes();
                // The width of a version depends on a feature of the crate.
                let narrow = i32::try_from(version).ok().map(|version| version.to_le_bytes().to_vec());
                let wide = version.to_le_bytes().to_vec();
                narrow.into_iter().chain([wide]).any(|version| refinery(name, &version, bytes) == recorded)
            }))
        }
        Source::Dbmate | Source::Diesel | Source::GolangMigrate | Source::Goose => None,
    }
}

/// A text with its own line ends, and with those that a checkout on another system gives it.
fn spellings(text: &str) -> impl Iterator<Item = String> {
    let unix = text.replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    [text.to_owned(), unix, windows].into_iter()
}

/// CRC-32 over the lines without their ends and without a byte order mark, as a signed number.
fn flyway(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut crc = crc32fast::Hasher::new();
    // A lone carriage return ends a line too, so that no end of any kind counts.
    for line in text.split(['\n', '\r']) {
        crc.update(line.as_bytes());
    }
    crc.finalize().cast_signed()
}

/// SHA-256 in hexadecimal digits; early versions left out the zero before a lone digit.
fn prisma(text: &str, length: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    if length == 64 { hex(&digest) } else { digest.iter().map(|byte| format!("{byte:x}")).collect() }
}

/// SipHash 1-3 without a key over name, version and text as Rust hashes them: a text is followed by a byte of ones.
fn refinery(name: &str, version: &[u8], text: &[u8]) -> String {
    let mut hasher = SipHasher13::new();
    hasher.write(name.as_bytes());
    hasher.write_u8(0xff);
    hasher.write(version);
    hasher.write(text);
    hasher.write_u8(0xff);
    hasher.finish().to_string()
}

/// Version and name as refinery takes them of a file's name: `V1__initial.sql`.
fn refinery_name(path: &str) -> Option<(i64, &str)> {
    let base = path.rsplit(['/', '\\']).next()?;
    let (version, rest) = base.strip_prefix(['V', 'U'])?.split_once("__")?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    Some((version.parse().ok()?, &rest[..end]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash};

    use super::*;

    #[test]
    fn checksums_are_those_of_the_tools() {
        // The check value of the CRC; lines count without their ends.
        assert_eq!(flyway("123456789"), 0xcbf4_3926_u32.cast_signed());
        assert_eq!(flyway("\u{feff}12345\r\n6789\n"), 0xcbf4_3926_u32.cast_signed());
        // A value that Prisma's own tests hold.
        let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(prisma("hello", 64), hello);
        // The standard's value for three letters.
        assert!(hex(&Sha384::digest(b"abc")).starts_with("cb00753f45a35e8bb5a03d699ac65007"));
        // The standard library's hasher is the one that refinery began with.
        let mut hasher = DefaultHasher::new();
        ("initial".to_owned(), 1_i32, "select 1;".to_owned()).hash(&mut hasher);
        assert_eq!(refinery("initial", &1_i32.to_le_bytes(), b"select 1;"), hasher.finish().to_string());
    }
}
