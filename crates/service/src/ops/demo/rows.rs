//! The rows of the demonstration shop: always the same for the same seed.

use dbwright_engine::row::Value;

/// The rows of one table, made one by one.
pub struct TableRows {
    /// The table.
    pub table: &'static str,
    /// Its columns in the order of the cells.
    pub columns: &'static [&'static str],
    /// How many rows.
    pub count: u64,
    make: fn(u64, &mut Random) -> Vec<Value>,
}

impl TableRows {
    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Value>> + Send + use<> {
        let make = self.make;
        let mut random = Random::new(self.table);
        (1..=self.count).map(move |id| make(id, &mut random))
    }
}

/// SplitMix64, written out so that the rows never change with a library.
pub struct Random(u64);

impl Random {
    fn new(seed: &str) -> Self {
        Random(seed.bytes().fold(0x9e37_79b9_7f4a_7c15, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `below` less one.
    fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    fn money(&mut self, up_to: u64) -> f64 {
        (self.below(up_to * 100) + 99) as f64 / 100.0
    }
}

const CITIES: &[&str] = &[
    "Berlin", "Hamburg", "Paris", "Lyon", "Milano", "Torino", "Wien", "Graz", "Zürich", "Basel", "Lisboa",
    "Porto",
];
const COUNTRIES: &[&str] = &["DE", "FR", "IT", "AT", "CH", "PT"];
const FIRST: &[&str] =
    &["Ada", "Ben", "Clara", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lena"];
const LAST: &[&str] =
    &["Moreau", "Rossi", "Keller", "Novak", "Silva", "Weber", "Fischer", "Costa", "Huber", "Lang"];
const NOUNS: &[&str] = &["Lamp", "Chair", "Desk", "Mug", "Shelf", "Rug", "Clock", "Vase", "Bench", "Frame"];
const STATUSES: &[&str] = &["open", "paid", "shipped", "closed", "closed", "closed"];
const TAGS: &[&str] = &["new", "sale", "eco", "gift", "outlet", "bestseller"];
const ATTRIBUTES: &[&str] = &["color", "material", "height", "width", "voltage", "origin", "warranty"];

/// The customer of the load tests, which owns most orders.
const TEST_CUSTOMER: i64 = 42;

const CUSTOMERS: u64 = 20_000;
const PRODUCTS: u64 = 2_000;
const ORDERS: u64 = 60_000;

/// The rows of all tables, parents first.
pub const TABLES: &[TableRows] = &[
    TableRows { table: "categories", columns: &["id", "name", "parent_id"], count: 40, make: category },
    TableRows {
        table: "customers",
        columns: &[
            "id",
            "email",
            "full_name",
            "phone1",
            "phone2",
            "phone3",
            "city",
            "country",
            "newsletter",
            "deleted_at",
        ],
        count: CUSTOMERS,
        make: customer,
    },
    TableRows {
        table: "products",
        columns: &["id", "sku", "name", "category_id", "price", "tags", "weight_g", "status"],
        count: PRODUCTS,
        make: product,
    },
    TableRows {
        table: "product_attributes",
        columns: &["id", "product_id", "attribute", "value"],
        count: 14_000,
        make: product_attribute,
    },
    TableRows {
        table: "orders",
        columns: &[
            "id",
            "customer_id",
            "status",
            "ordered_on",
            "total",
            "currency",
            "ship_street",
            "ship_city",
        ],
        count: ORDERS,
        make: order,
    },
    TableRows {
        table: "order_items",
        columns: &["id", "order_id", "product_id", "quantity", "unit_price"],
        count: 180_000,
        make: order_item,
    },
    TableRows {
        table: "payments",
        columns: &["id", "order_id", "provider", "amount", "paid_at"],
        count: 58_000,
        make: payment,
    },
    TableRows {
        table: "reviews",
        columns: &["id", "product_id", "customer_id", "rating", "body"],
        count: 12_000,
        make: review,
    },
    TableRows {
        table: "inventory",
        columns: &["product_id", "warehouse", "on_hand"],
        count: PRODUCTS,
        make: inventory,
    },
    TableRows {
        table: "comments",
        columns: &["id", "commentable_type", "commentable_id", "body"],
        count: 6_000,
        make: comment,
    },
    TableRows { table: "audit_log", columns: &["at", "actor", "what"], count: 20_000, make: audit },
    TableRows { table: "coupons", columns: &["code", "percent", "valid_until"], count: 120, make: coupon },
];

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into().into())
}

fn date(random: &mut Random) -> String {
    let (year, month, day) = (2022 + random.below(4), 1 + random.below(12), 1 + random.below(28));
    // Two programs write dates, and they never agreed on a format.
    if random.chance(7) {
        format!("{day:02}.{month:02}.{year}")
    } else {
        format!("{year}-{month:02}-{day:02}")
    }
}

fn category(id: u64, _: &mut Random) -> Vec<Value> {
    let parent = if id <= 8 { Value::Null } else { Value::Int((id % 8 + 1) as i64) };
    vec![Value::Int(id as i64), text(format!("Category {id}")), parent]
}

fn customer(id: u64, random: &mut Random) -> Vec<Value> {
    let (first, last) = (random.pick(FIRST), random.pick(LAST));
    let phone = |random: &mut Random, percent| {
        if random.chance(percent) {
            text(format!("+49{:09}", random.below(1_000_000_000)))
        } else {
            Value::Null
        }
    };
    let (phone1, phone2, phone3) = (phone(random, 80), phone(random, 15), phone(random, 2));
    let city = random.pick(CITIES);
    let country = COUNTRIES[CITIES.iter().position(|c| *c == city).unwrap_or(0) / 2];
    let newsletter = match random.below(3) {
        0 => Value::Null,
        n => Value::Int(n as i64 - 1),
    };
    let deleted = if random.chance(3) { text(date(random)) } else { Value::Null };
    vec![
        Value::Int(id as i64),
        text(format!("{}.{}{id}@example.com", first.to_lowercase(), last.to_lowercase())),
        text(format!("{first} {last}")),
        phone1,
        phone2,
        phone3,
        text(city),
        text(country),
        newsletter,
        deleted,
    ]
}

fn product(id: u64, random: &mut Random) -> Vec<Value> {
    let tags: Vec<&str> = (0..1 + random.below(3)).map(|_| random.pick(TAGS)).collect();
    vec![
        Value::Int(id as i64),
        text(format!("SKU-{id:05}")),
        text(format!("{} {id}", random.pick(NOUNS))),
        Value::Int(1 + random.below(40) as i64),
        Value::Float(random.money(300)),
        text(tags.join(",")),
        Value::Int(50 + random.below(20_000) as i64),
        text(if random.chance(92) { "active" } else { "retired" }),
    ]
}

fn product_attribute(id: u64, random: &mut Random) -> Vec<Value> {
    let attribute = ATTRIBUTES[(id % ATTRIBUTES.len() as u64) as usize];
    vec![
        Value::Int(id as i64),
        Value::Int(1 + (id / ATTRIBUTES.len() as u64 % PRODUCTS) as i64),
        text(attribute),
        text(format!("{}", random.below(250))),
    ]
}

fn order(id: u64, random: &mut Random) -> Vec<Value> {
    let customer = if random.chance(61) { TEST_CUSTOMER } else { 1 + random.below(CUSTOMERS) as i64 };
    vec![
        Value::Int(id as i64),
        Value::Int(customer),
        text(random.pick(STATUSES)),
        text(date(random)),
        Value::Float(random.money(900)),
        text("EUR"),
        text(format!("Street {}", random.below(400))),
        text(random.pick(CITIES)),
    ]
}

fn order_item(id: u64, random: &mut Random) -> Vec<Value> {
    // Some orders were deleted by hand while nobody enforced foreign keys: their items stayed.
    let order =
        if random.below(1_000) < 4 { ORDERS + 1 + random.below(200) } else { 1 + random.below(ORDERS) };
    vec![
        Value::Int(id as i64),
        Value::Int(order as i64),
        Value::Int(1 + random.below(PRODUCTS) as i64),
        Value::Int(1 + random.below(5) as i64),
        Value::Float(random.money(300)),
    ]
}

fn payment(id: u64, random: &mut Random) -> Vec<Value> {
    let order =
        if random.below(1_000) < 3 { ORDERS + 1 + random.below(90) } else { 1 + random.below(ORDERS) };
    let paid = if random.chance(90) { text(date(random)) } else { Value::Null };
    vec![
        Value::Int(id as i64),
        Value::Int(order as i64),
        text(random.pick(&["card", "paypal", "invoice"])),
        Value::Float(random.money(900)),
        paid,
    ]
}

fn review(id: u64, random: &mut Random) -> Vec<Value> {
    let customer =
        if random.chance(70) { Value::Int(1 + random.below(CUSTOMERS) as i64) } else { Value::Null };
    vec![
        Value::Int(id as i64),
        Value::Int(1 + random.below(PRODUCTS) as i64),
        customer,
        Value::Int(1 + random.below(5) as i64),
        text(random.pick(&["Good.", "As described.", "Arrived late.", "Would buy again."])),
    ]
}

fn inventory(id: u64, random: &mut Random) -> Vec<Value> {
    vec![Value::Int(id as i64), text(random.pick(&["north", "south"])), Value::Int(random.below(500) as i64)]
}

fn comment(id: u64, random: &mut Random) -> Vec<Value> {
    let kind = random.pick(&["order", "product", "customer"]);
    let most = match kind {
        "order" => ORDERS + 500,
        "product" => PRODUCTS,
        _ => CUSTOMERS,
    };
    vec![
        Value::Int(id as i64),
        text(kind),
        Value::Int(1 + random.below(most) as i64),
        text("checked by support"),
    ]
}

fn audit(_: u64, random: &mut Random) -> Vec<Value> {
    vec![
        text(date(random)),
        text(random.pick(FIRST)),
        text(random.pick(&["login", "price changed", "export"])),
    ]
}

fn coupon(id: u64, random: &mut Random) -> Vec<Value> {
    vec![text(format!("SAVE{id}")), Value::Float((5 + random.below(40)) as f64), text(date(random))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_every_time_and_fit_their_columns() {
        for table in TABLES {
            let once: Vec<_> = table.rows().take(50).collect();
            let again: Vec<_> = table.rows().take(50).collect();
            assert_eq!(once, again, "{}", table.table);
            assert!(once.iter().all(|row| row.len() == table.columns.len()), "{}", table.table);
        }
        let rows: u64 = TABLES.iter().map(|table| table.count).sum();
        assert!(rows > 300_000, "{rows}");
    }

    #[test]
    fn the_test_customer_owns_most_orders() {
        let orders = TABLES.iter().find(|table| table.table == "orders").expect("there is such a table");
        let own = orders.rows().take(1_000).filter(|row| row[1] == Value::Int(TEST_CUSTOMER)).count();
        assert!((500..750).contains(&own), "{own}");
    }
}
