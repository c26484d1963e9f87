//! Estimates of wasted space in tables and ordered indexes, from the shape of rows and the planner's statistics.
//!
//! Alignment padding, the null bitmap and the merging of equal index entries are modelled; what cannot be modelled is
//! not estimated. Relations under [`SMALLEST`] pages are left out, since a page more or less would be a large share.

/// One attribute in storage order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Attribute {
    /// `attlen`: -1 for values of varying length.
    pub length: i64,
    /// Bytes its storage is aligned to.
    pub alignment: u64,
    /// Average width; `None` without statistics.
    pub width: Option<f64>,
    /// Share of nulls, 0 to 1; `None` without statistics. Dropped attributes are always null.
    pub null_fraction: Option<f64>,
}

/// A table's size and rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TableShape {
    pub page_size: u64,
    pub pages: u64,
    pub rows: f64,
    /// Per cent.
    pub fillfactor: i64,
    pub attributes: Vec<Attribute>,
}

/// An ordered index's size and keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IndexShape {
    pub page_size: u64,
    pub pages: u64,
    pub rows: f64,
    /// Per cent.
    pub fillfactor: i64,
    /// Key attributes.
    pub attributes: Vec<Attribute>,
    /// `n_distinct` of each attribute, as the planner keeps it.
    pub distinct: Vec<Option<f64>>,
    pub unique: bool,
    /// Whether the index may merge equal entries.
    pub deduplicates: bool,
}

/// Pages below which nothing is estimated.
const SMALLEST: u64 = 100;
const PAGE_HEADER: f64 = 24.0;
const LINE_POINTER: f64 = 4.0;
const HEAP_TUPLE_HEADER: u64 = 23;
const INDEX_TUPLE_HEADER: f64 = 8.0;
const INDEX_PAGE_TRAILER: f64 = 16.0;
/// Bytes of one row's address in a merged entry.
const ROW_ADDRESS: f64 = 6.0;

fn round_up(bytes: f64, to: f64) -> f64 {
    (bytes / to).ceil() * to
}

/// The expected size of the attributes, padding included, after a header of `start` bytes.
///
/// A short varying value carries a one-byte header and needs no alignment; a long one is aligned. A null takes no
/// room, so what it saves is weighted by how often it is null.
fn data_size(attributes: &[Attribute], start: f64) -> Option<f64> {
    let mut offset = start;
    let mut varied = false;
    for attribute in attributes {
        let nulls = attribute.null_fraction?;
        if nulls >= 1.0 {
            continue;
        }
        let (width, aligned) = if attribute.length >= 0 {
            (attribute.length as f64, true)
        } else {
            let width = attribute.width?;
            (width, width > 127.0)
        };
        let to = attribute.alignment as f64;
        let padding = match (aligned, varied) {
            (false, _) => 0.0,
            // After values of varying size any offset is equally likely, whatever their average.
            (true, true) => (to - 1.0) / 2.0,
            (true, false) => round_up(offset, to) - offset,
        };
        varied |= attribute.length < 0 || nulls > 0.0;
        offset += (1.0 - nulls) * (padding + width);
    }
    Some(offset)
}

/// Wasted bytes of a table; `None` when they cannot be estimated.
pub(super) fn table(shape: &TableShape) -> Option<u64> {
    if shape.pages < SMALLEST || shape.rows < 1.0 {
        return None;
    }
    let page = shape.page_size as f64;
    let with_nulls = 1.0
        - shape
            .attributes
            .iter()
            .map(|attribute| attribute.null_fraction.map(|nulls| 1.0 - nulls.clamp(0.0, 1.0)))
            .product::<Option<f64>>()?;
    let bitmap = HEAP_TUPLE_HEADER + (shape.attributes.len() as u64).div_ceil(8);
    let plain_header = round_up(HEAP_TUPLE_HEADER as f64, 8.0);
    let null_header = round_up(bitmap as f64, 8.0);
    let header = plain_header + with_nulls * (null_header - plain_header);
    // Headers are multiples of eight, so offsets of attributes do not depend on which one a row has.
    let data = data_size(&shape.attributes, 0.0)?;
    let varying = shape.attributes.iter().any(|attribute| {
        attribute.length < 0 || attribute.null_fraction.is_some_and(|nulls| nulls > 0.0 && nulls < 1.0)
    });
    // Rounding a mixture of sizes up to eight costs three and a half bytes on average.
    let tuple = header + if varying { data + 3.5 } else { round_up(data, 8.0) };
    let room = (page - PAGE_HEADER) * shape.fillfactor.clamp(10, 100) as f64 / 100.0;
    let per_page = (room / (tuple + LINE_POINTER)).floor();
    if per_page < 1.0 {
        // Rows wider than a page live out of line, and their average width says little.
        return None;
    }
    let needed = (shape.rows / per_page).ceil();
    Some(((shape.pages as f64 - needed).max(0.0) * page) as u64)
}

/// Wasted bytes of an ordered index; `None` when they cannot be estimated.
pub(super) fn btree(shape: &IndexShape) -> Option<u64> {
    if shape.pages < SMALLEST || shape.rows < 1.0 || shape.attributes.is_empty() {
        return None;
    }
    let page = shape.page_size as f64;
    let nulls: f64 = shape.attributes.iter().map(|attribute| attribute.null_fraction).sum::<Option<f64>>()?;
    let bitmap = if nulls > 0.0 { 8.0 } else { 0.0 };
    let data = data_size(&shape.attributes, 0.0)?;
    let varying = shape.attributes.iter().any(|attribute| attribute.length < 0);
    let key =
        INDEX_TUPLE_HEADER + bitmap * nulls.min(1.0) + if varying { data + 3.5 } else { round_up(data, 8.0) };
    // An eighth of a page and a half is the most that one merged entry takes.
    let largest_entry = page / 6.0;
    let entries_bytes = if shape.unique || !shape.deduplicates {
        shape.rows * (key + LINE_POINTER)
    } else {
        let groups = groups(shape)?;
        let per_group = (shape.rows / groups).max(1.0);
        let per_entry = ((largest_entry - key) / ROW_ADDRESS).max(1.0).min(per_group);
        let entry = if per_entry < 1.5 { key } else { round_up(key + ROW_ADDRESS * per_entry, 8.0) };
        (shape.rows / per_entry) * (entry + LINE_POINTER)
    };
    let room =
        (page - PAGE_HEADER - INDEX_PAGE_TRAILER) * shape.fillfactor.clamp(10, 100) as f64 / 100.0 - key;
    if room <= key {
        return None;
    }
    let leaves = (entries_bytes / room).ceil();
    // Upper levels hold one entry per page below; the first page is the index's own.
    let inner = leaves * (key + LINE_POINTER) / room;
    let needed = leaves + inner.ceil() + 1.0;
    Some(((shape.pages as f64 - needed).max(0.0) * page) as u64)
}

/// Groups of equal keys. Of several columns only the case is known in which one alone is nearly unique.
fn groups(shape: &IndexShape) -> Option<f64> {
    let distinct = |index: usize| {
        let raw = shape.distinct.get(index).copied().flatten()?;
        let values = if raw < 0.0 { -raw * shape.rows } else { raw };
        let nulls = shape.attributes.get(index)?.null_fraction?;
        Some((values + if nulls > 0.0 { 1.0 } else { 0.0 }).clamp(1.0, shape.rows))
    };
    if shape.attributes.len() == 1 {
        return distinct(0);
    }
    let largest = (0..shape.attributes.len()).map(distinct).collect::<Option<Vec<f64>>>()?;
    let largest = largest.into_iter().fold(1.0, f64::max);
    (largest > 0.9 * shape.rows).then_some(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(length: i64) -> Attribute {
        Attribute { length, alignment: length as u64, width: Some(length as f64), null_fraction: Some(0.0) }
    }

    fn check_table(attributes: Vec<Attribute>, rows: f64, pages: u64, share: f64) {
        let shape = TableShape { page_size: 8192, pages, rows, fillfactor: 100, attributes };
        let wasted = table(&shape).expect("an estimate") as f64 / (pages * 8192) as f64;
        assert!((wasted - share).abs() < 0.02, "{wasted} where {share} was expected");
    }

    #[test]
    fn padding_is_not_waste() {
        // Boolean and bigint by turns: each boolean takes eight bytes. 24 + 64 + 4 bytes a row, 88 rows a page.
        let alternating: Vec<Attribute> = [1, 8, 1, 8, 1, 8, 1, 8].map(fixed).into();
        check_table(alternating.clone(), 88_000.0, 1000, 0.0);
        check_table(alternating, 44_000.0, 1000, 0.5);
    }

    #[test]
    fn dropped_and_null_attributes_take_no_room() {
        let dropped = Attribute { null_fraction: Some(1.0), width: None, ..fixed(8) };
        // 24 bytes of header, in which the bitmap of up to eight attributes has room, and 8 of data.
        check_table(vec![fixed(8), dropped], 226_000.0, 1000, 0.0);
    }

    #[test]
    fn what_cannot_be_told_is_not_told() {
        let unknown = Attribute { null_fraction: None, ..fixed(8) };
        let shape = |attributes, pages, rows| TableShape {
            page_size: 8192,
            pages,
            rows,
            fillfactor: 100,
            attributes,
        };
        assert_eq!(table(&shape(vec![unknown], 1000, 1e5)), None);
        assert_eq!(table(&shape(vec![fixed(8)], 99, 1e5)), None);
        assert_eq!(table(&shape(vec![fixed(8)], 1000, 0.0)), None);
        assert_eq!(table(&shape(vec![], 1000, 0.5)), None);
    }

    #[test]
    fn merged_entries_are_counted_as_merged() {
        let shape = |distinct: f64, deduplicates| IndexShape {
            page_size: 8192,
            pages: 1000,
            rows: 1_000_000.0,
            fillfactor: 90,
            attributes: vec![fixed(8)],
            distinct: vec![Some(distinct)],
            unique: false,
            deduplicates,
        };
        // 20 bytes an entry: some 2750 pages would be needed without merging.
        assert_eq!(btree(&shape(10.0, false)), Some(0));
        // Ten values of 100,000 rows each: a little over 6 bytes a row.
        let wasted = btree(&shape(10.0, true)).unwrap() / 8192;
        assert!((120..180).contains(&wasted), "{wasted} pages");
        let several = IndexShape {
            attributes: vec![fixed(8), fixed(8)],
            distinct: vec![Some(10.0), Some(10.0)],
            ..shape(10.0, true)
        };
        assert_eq!(btree(&several), None);
    }
}
