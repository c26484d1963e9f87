//! `pg_hba.conf` as the server reads it: the first line that fits a client decides, and a line behind one that fits
//! everything it fits is never reached.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dbwright_model::access::HbaRule;
use dbwright_model::name::Name;
use dbwright_model::settings::Settings;

/// How a client comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Through a Unix socket.
    Socket,
    /// Over TCP without encryption.
    Plain,
    /// Over TCP with TLS.
    Tls,
    /// Over TCP with GSSAPI encryption.
    Gss,
}

const TRANSPORTS: [Transport; 4] = [Transport::Socket, Transport::Plain, Transport::Tls, Transport::Gss];

/// A client that wants in.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// How it comes.
    pub transport: Transport,
    /// Its address; `None` for a socket.
    pub address: Option<IpAddr>,
    /// The database; `None` for streaming replication, which belongs to none.
    pub database: Option<&'a str>,
    /// The role it claims to be.
    pub user: &'a str,
    /// The roles that role is a member of, directly or not.
    pub groups: &'a [&'a str],
}

/// From how far away clients can use a line. Ordered from the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The machine itself: sockets, loopback addresses, its own addresses.
    Machine,
    /// Private networks or single machines.
    Private,
    /// Public networks, or a name whose addresses are not known.
    Public,
    /// Every address.
    Anywhere,
}

/// The addresses of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Addresses {
    /// A socket has none.
    None,
    All,
    Network(IpAddr, u8),
    OwnHost,
    OwnNetworks,
    Named(String),
}

/// The first line that fits a client. Lines that the server could not read are skipped, as it does.
pub fn deciding<'a>(rules: &'a [HbaRule], client: &Client<'_>) -> Option<&'a HbaRule> {
    rules.iter().find(|rule| rule.error.is_none() && fits(rule, client))
}

fn fits(rule: &HbaRule, client: &Client<'_>) -> bool {
    transports(rule).contains(&client.transport)
        && address_fits(&addresses(rule), client.address)
        && rule.databases.iter().any(|database| match (database.as_str(), client.database) {
            ("replication", None) => true,
            (_, None) => false,
            ("all", Some(_)) => true,
            ("sameuser", Some(database)) => database == client.user,
            ("samerole" | "samegroup", Some(database)) => {
                database == client.user || client.groups.contains(&database)
            }
            ("replication", Some(_)) => false,
            (name, Some(database)) => match name.strip_prefix('/') {
                // Regular expressions are not evaluated: the line is taken not to fit.
                Some(_) => false,
                None => name == database,
            },
        })
        && rule.users.iter().any(|user| match user.as_str() {
            "all" => true,
            name if name.starts_with('/') => false,
            name => match name.strip_prefix('+') {
                Some(group) => group == client.user || client.groups.contains(&group),
                None => name == client.user,
            },
        })
}

fn transports(rule: &HbaRule) -> Vec<Transport> {
    match rule.connection.as_str() {
        "local" => vec![Transport::Socket],
        "hostssl" => vec![Transport::Tls],
        "hostnossl" => vec![Transport::Plain, Transport::Gss],
        "hostgssenc" => vec![Transport::Gss],
        "hostnogssenc" => vec![Transport::Plain, Transport::Tls],
        "host" => vec![Transport::Plain, Transport::Tls, Transport::Gss],
        _ => Vec::new(),
    }
}

/// Whether a client without encryption can use the line.
pub fn allows_plain(rule: &HbaRule) -> bool {
    transports(rule).contains(&Transport::Plain)
}

fn addresses(rule: &HbaRule) -> Addresses {
    if rule.connection == *"local" {
        return Addresses::None;
    }
    let Some(text) = rule.address.as_ref().map(|name| name.as_str()) else { return Addresses::None };
    match text {
        "all" => return Addresses::All,
        "samehost" => return Addresses::OwnHost,
        "samenet" => return Addresses::OwnNetworks,
        _ => {}
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return Addresses::Named(text.to_ascii_lowercase()) };
    let width = if address.is_ipv4() { 32 } else { 128 };
    let length = length
        .or_else(|| rule.netmask.as_ref()?.as_str().parse().ok().map(prefix_length))
        .unwrap_or(width)
        .min(width);
    if length == 0 { Addresses::Network(address, 0) } else { Addresses::Network(address, length) }
}

fn prefix_length(mask: IpAddr) -> u8 {
    match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones() as u8,
        IpAddr::V6(mask) => mask.to_bits().leading_ones() as u8,
    }
}

/// Whether an address lies in a network of that many leading bits.
fn within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            length == 0 || (a.to_bits() ^ b.to_bits()).leading_zeros() >= u32::from(length)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            length == 0 || (a.to_bits() ^ b.to_bits()).leading_zeros() >= u32::from(length)
        }
        _ => false,
    }
}

fn address_fits(addresses: &Addresses, client: Option<IpAddr>) -> bool {
    match (addresses, client) {
        (Addresses::None, None) => true,
        (Addresses::All, Some(_)) => true,
        (Addresses::Network(network, length), Some(client)) => within(client, *network, *length),
        (Addresses::OwnHost | Addresses::OwnNetworks, Some(client)) => client.is_loopback(),
        _ => false,
    }
}

/// From how far away clients can use a line.
pub fn reach(rule: &HbaRule) -> Reach {
    match addresses(rule) {
        Addresses::None | Addresses::OwnHost => Reach::Machine,
        Addresses::All | Addresses::Network(_, 0) => Reach::Anywhere,
        Addresses::OwnNetworks => Reach::Private,
        Addresses::Named(name) if name == "localhost" => Reach::Machine,
        Addresses::Named(_) => Reach::Public,
        Addresses::Network(network, length) => network_reach(network, length),
    }
}

fn network_reach(network: IpAddr, length: u8) -> Reach {
    match network {
        IpAddr::V4(address) => {
            if address.is_loopback() && length >= 8 {
                return Reach::Machine;
            }
            let octets = address.octets();
            let private = match octets {
                [10, ..] => length >= 8,
                [172, second, ..] => (16..32).contains(&second) && length >= 12,
                [192, 168, ..] | [169, 254, ..] => length >= 16,
                [100, second, ..] => (64..128).contains(&second) && length >= 10,
                _ => false,
            };
            if private || length == 32 { Reach::Private } else { Reach::Public }
        }
        IpAddr::V6(address) => {
            if address.is_loopback() && length == 128 {
                return Reach::Machine;
            }
            let first = address.segments()[0];
            let private =
                (first & 0xfe00 == 0xfc00 && length >= 7) || (first & 0xffc0 == 0xfe80 && length >= 10);
            if private || length == 128 { Reach::Private } else { Reach::Public }
        }
    }
}

/// The address of a line with its mask, as one writes it in the file: `10.0.0.0/8`. `None` for a socket.
pub fn address(rule: &HbaRule) -> Option<String> {
    let text = rule.address.as_ref()?.as_str();
    let mask = rule.netmask.as_ref().map(|mask| mask.as_str()).filter(|_| !text.contains('/'));
    Some(match (mask.map(str::parse::<IpAddr>), mask) {
        (Some(Ok(mask)), _) => format!("{text}/{}", prefix_length(mask)),
        (Some(Err(_)), Some(mask)) => format!("{text}/{mask}"),
        _ => text.to_owned(),
    })
}

/// From where the server takes connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// Through sockets only.
    Sockets,
    /// From its own machine.
    Machine,
    /// From the network, or that is not known.
    Network,
}

/// From where a server takes connections, by its `listen_addresses`. A setting that could not be read rules out nothing.
pub fn listening(settings: Option<&Settings>) -> Listening {
    let Some(addresses) = settings.and_then(|settings| settings.get("listen_addresses")) else {
        return Listening::Network;
    };
    let mut addresses = addresses.split(',').map(str::trim).filter(|address| !address.is_empty()).peekable();
    if addresses.peek().is_none() {
        return Listening::Sockets;
    }
    let own = |address: &str| {
        address.eq_ignore_ascii_case("localhost")
            || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    if addresses.all(own) { Listening::Machine } else { Listening::Network }
}

/// The earlier lines that together fit every client that the line at `at` fits, in order: one where one is enough. Empty
/// when some client gets to the line.
pub fn shadow(rules: &[HbaRule], at: usize) -> Vec<&HbaRule> {
    let Some(line) = rules.get(at).filter(|line| line.error.is_none()) else { return Vec::new() };
    let earlier: Vec<&HbaRule> = rules[..at].iter().filter(|earlier| earlier.error.is_none()).collect();
    if let Some(one) = earlier.iter().find(|earlier| covers(earlier, line)) {
        return vec![one];
    }
    // Every kind of client that the line fits has to find an earlier line of its own.
    let mut deciding: Vec<&HbaRule> = Vec::new();
    let pieces = whole(addresses(line));
    for transport in transports(line) {
        for database in &line.databases {
            for user in &line.users {
                let fitting: Vec<&HbaRule> = earlier
                    .iter()
                    .copied()
                    .filter(|wide| {
                        transports(wide).contains(&transport)
                            && has_database(wide, database)
                            && has_user(wide, user)
                    })
                    .collect();
                if !pieces.iter().all(|piece| cover(&fitting, piece, &mut deciding)) {
                    return Vec::new();
                }
            }
        }
    }
    deciding.sort_by_key(|rule| rules.iter().position(|other| std::ptr::eq(*rule, other)));
    deciding.dedup_by(|a, b| std::ptr::eq(*a, *b));
    deciding
}

/// Addresses as networks, where they are all there are of both families. A name stands for an address of either.
fn whole(addresses: Addresses) -> Vec<Addresses> {
    let everything = |address: IpAddr| Addresses::Network(address, 0);
    match addresses {
        Addresses::All => {
            vec![everything(Ipv4Addr::UNSPECIFIED.into()), everything(Ipv6Addr::UNSPECIFIED.into())]
        }
        other => vec![other],
    }
}

/// Whether lines together fit every client of these addresses; the ones that it takes are added to `deciding`.
fn cover<'a>(lines: &[&'a HbaRule], piece: &Addresses, deciding: &mut Vec<&'a HbaRule>) -> bool {
    if let Some(line) = lines.iter().find(|line| addresses_cover(&addresses(line), piece)) {
        deciding.push(line);
        return true;
    }
    match piece {
        Addresses::Network(network, length) => {
            let Some(halves) = halves(*network, *length) else { return false };
            let inside = |line: &&HbaRule| addresses_cover(piece, &addresses(line));
            lines.iter().any(inside) && halves.iter().all(|half| cover(lines, half, deciding))
        }
        Addresses::Named(_) | Addresses::OwnHost | Addresses::OwnNetworks => {
            whole(Addresses::All).iter().all(|family| cover(lines, family, deciding))
        }
        Addresses::None | Addresses::All => false,
    }
}

/// The two networks that a network consists of; `None` for a single address.
fn halves(network: IpAddr, length: u8) -> Option<[Addresses; 2]> {
    match network {
        IpAddr::V4(address) => {
            let bit = 1u32.checked_shl(31u32.checked_sub(length.into())?)?;
            let first = address.to_bits() & !bit;
            Some(
                [first, first | bit]
                    .map(|bits| Addresses::Network(Ipv4Addr::from_bits(bits).into(), length + 1)),
            )
        }
        IpAddr::V6(address) => {
            let bit = 1u128.checked_shl(127u32.checked_sub(length.into())?)?;
            let first = address.to_bits() & !bit;
            Some(
                [first, first | bit]
                    .map(|bits| Addresses::Network(Ipv6Addr::from_bits(bits).into(), length + 1)),
            )
        }
    }
}

/// Lines that some client can reach, with their positions.
pub fn reachable(rules: &[HbaRule]) -> impl Iterator<Item = &HbaRule> {
    rules
        .iter()
        .enumerate()
        .filter(|(at, rule)| rule.error.is_none() && shadow(rules, *at).is_empty())
        .map(|(_, rule)| rule)
}

fn covers(wide: &HbaRule, narrow: &HbaRule) -> bool {
    let wide_transports = transports(wide);
    let narrow_transports = transports(narrow);
    if narrow_transports.is_empty()
        || !TRANSPORTS
            .iter()
            .all(|transport| !narrow_transports.contains(transport) || wide_transports.contains(transport))
    {
        return false;
    }
    narrow.databases.iter().all(|name| has_database(wide, name))
        && narrow.users.iter().all(|name| has_user(wide, name))
        && addresses_cover(&addresses(wide), &addresses(narrow))
}

fn has_database(rule: &HbaRule, name: &Name) -> bool {
    rule.databases.iter().any(|other| other == name || (*other == "all" && *name != "replication"))
}

fn has_user(rule: &HbaRule, name: &Name) -> bool {
    rule.users.iter().any(|other| other == name || *other == "all")
}

fn addresses_cover(wide: &Addresses, narrow: &Addresses) -> bool {
    match (wide, narrow) {
        (Addresses::None, Addresses::None) => true,
        (Addresses::None, _) | (_, Addresses::None) => false,
        (Addresses::All, _) => true,
        (Addresses::Network(network, length), Addresses::Network(inner, inner_length)) => {
            length <= inner_length && within(*inner, *network, *length)
        }
        (wide, narrow) => wide == narrow,
    }
}

#[cfg(test)]
mod tests {
    use dbwright_model::settings::Setting;

    use super::*;

    /// A line as the file spells it: `host all all 0.0.0.0/0 md5`.
    fn line(number: u32, text: &str) -> HbaRule {
        let words: Vec<&str> = text.split_whitespace().collect();
        let names = |word: &str| word.split(',').map(Name::new).collect::<Vec<_>>();
        let local = words[0] == "local";
        HbaRule {
            line: number,
            connection: Name::new(words[0]),
            databases: names(words[1]),
            users: names(words[2]),
            address: (!local).then(|| Name::new(words[3])),
            method: Name::new(words[if local { 3 } else { 4 }]),
            ..HbaRule::default()
        }
    }

    fn lines(texts: &[&str]) -> Vec<HbaRule> {
        texts.iter().enumerate().map(|(i, text)| line(i as u32 + 1, text)).collect()
    }

    fn client<'a>(
        transport: Transport,
        address: &str,
        database: Option<&'a str>,
        user: &'a str,
    ) -> Client<'a> {
        Client { transport, address: address.parse().ok(), database, user, groups: &["staff"] }
    }

    #[test]
    fn the_first_line_that_fits_decides() {
        let rules = lines(&[
            "local all postgres peer",
            "local all all scram-sha-256",
            "hostssl app +staff 10.0.0.0/8 cert",
            "hostnossl all all 0.0.0.0/0 reject",
            "host replication standby 10.0.0.7/32 scram-sha-256",
            "host sameuser all ::1/128 trust",
            "host all all all scram-sha-256",
        ]);
        let check = |client: Client<'_>, expected: Option<u32>| {
            assert_eq!(deciding(&rules, &client).map(|rule| rule.line), expected, "{client:?}");
        };
        check(client(Transport::Socket, "", Some("app"), "postgres"), Some(1));
        check(client(Transport::Socket, "", Some("app"), "anna"), Some(2));
        check(client(Transport::Socket, "", None, "anna"), None);
        check(client(Transport::Tls, "10.1.2.3", Some("app"), "anna"), Some(3));
        check(client(Transport::Tls, "11.1.2.3", Some("app"), "anna"), Some(7));
        check(client(Transport::Plain, "10.1.2.3", Some("app"), "anna"), Some(4));
        check(client(Transport::Tls, "10.0.0.7", None, "standby"), Some(5));
        check(client(Transport::Tls, "10.0.0.8", None, "standby"), None);
        check(client(Transport::Plain, "::1", Some("anna"), "anna"), Some(6));
        check(client(Transport::Plain, "::1", Some("app"), "anna"), Some(7));
    }

    #[test]
    fn a_line_behind_a_wider_one_is_never_reached() {
        let check = |texts: &[&str], expected: &[u32]| {
            let rules = lines(texts);
            let found: Vec<u32> = shadow(&rules, rules.len() - 1).iter().map(|rule| rule.line).collect();
            assert_eq!(found, expected, "{texts:?}");
        };
        check(&["host all all 0.0.0.0/0 md5", "host app anna 10.0.0.0/8 scram-sha-256"], &[1]);
        check(&["host app all 0.0.0.0/0 md5", "host all all 10.0.0.0/8 scram-sha-256"], &[]);
        check(&["hostssl all all 0.0.0.0/0 md5", "host all all 10.0.0.0/8 scram-sha-256"], &[]);
        check(&["host all all 0.0.0.0/0 md5", "hostssl all all 10.0.0.0/8 scram-sha-256"], &[1]);
        check(&["host all all all md5", "host replication all 10.0.0.0/8 md5"], &[]);
        check(&["host all all all md5", "local all all peer"], &[]);
        check(&["host all all 0.0.0.0/0 md5", "host all all ::/0 md5"], &[]);
        check(&["host all all all md5", "host all all example.org md5"], &[1]);
        check(&["host all +staff all md5", "host all anna all md5"], &[]);
        check(&["host all all 0.0.0.0/0 md5", "host all all ::/0 md5", "host all all all reject"], &[1, 2]);
        check(&["host all all 0.0.0.0/0 md5", "hostssl all all ::/0 md5", "host all all all reject"], &[]);
        check(
            &["hostssl all all all md5", "hostnossl all all all md5", "host app all 10.0.0.0/8 md5"],
            &[1, 2],
        );
        check(&["host app all all md5", "host b all all md5", "host app,b all ::1/128 trust"], &[1, 2]);
        check(&["host app all all md5", "host all b all md5", "host app,b all ::1/128 trust"], &[]);
        check(
            &["host all all 10.0.0.0/9 md5", "host all all 10.128.0.0/9 md5", "host all all 10.0.0.0/8 md5"],
            &[1, 2],
        );
        check(
            &["host all all 10.0.0.0/9 md5", "host all all 10.128.0.0/10 md5", "host all all 10.0.0.0/8 md5"],
            &[],
        );
        check(
            &["host all all 0.0.0.0/0 md5", "host all all ::/0 md5", "host all all example.org md5"],
            &[1, 2],
        );
        check(&["host all all 0.0.0.0/0 md5", "host all all example.org md5"], &[]);
        check(&["local all all peer", "local all all trust"], &[1]);
    }

    #[test]
    fn reach_is_reckoned_from_the_network() {
        let check = |text: &str, expected: Reach| assert_eq!(reach(&line(1, text)), expected, "{text}");
        check("local all all trust", Reach::Machine);
        check("host all all 127.0.0.1/32 trust", Reach::Machine);
        check("host all all ::1/128 trust", Reach::Machine);
        check("host all all localhost trust", Reach::Machine);
        check("host all all 10.0.0.0/8 trust", Reach::Private);
        check("host all all 10.0.0.0/7 trust", Reach::Public);
        check("host all all 172.16.0.0/12 trust", Reach::Private);
        check("host all all 203.0.113.7/32 trust", Reach::Private);
        check("host all all 203.0.113.0/24 trust", Reach::Public);
        check("host all all 0.0.0.0/0 trust", Reach::Anywhere);
        check("host all all ::/0 trust", Reach::Anywhere);
        check("host all all all trust", Reach::Anywhere);
        check("host all all samenet trust", Reach::Private);
    }

    #[test]
    fn a_netmask_is_read_when_the_address_has_no_length() {
        let rule =
            HbaRule { netmask: Some(Name::new("255.0.0.0")), ..line(1, "host all all 10.0.0.0 trust") };
        assert_eq!(addresses(&rule), Addresses::Network("10.0.0.0".parse().expect("an address"), 8));
        let rule = HbaRule { netmask: Some(Name::new("0.0.0.0")), ..line(1, "host all all 0.0.0.0 trust") };
        assert_eq!(reach(&rule), Reach::Anywhere);
    }

    #[test]
    fn addresses_are_named_with_their_mask() {
        let check = |text: &str, mask: &str, expected: &str| {
            let rule = line(1, &format!("host all all {text} trust"));
            let rule = HbaRule { netmask: (!mask.is_empty()).then(|| Name::new(mask)), ..rule };
            assert_eq!(address(&rule).as_deref(), Some(expected));
        };
        check("10.0.0.0", "255.0.0.0", "10.0.0.0/8");
        check("0.0.0.0", "0.0.0.0", "0.0.0.0/0");
        check("::", "::", "::/0");
        check("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1/128");
        check("all", "", "all");
        check("example.org", "", "example.org");
        check("10.0.0.0/8", "", "10.0.0.0/8");
    }

    #[test]
    fn what_a_server_listens_on_is_read_from_its_setting() {
        let check = |addresses: Option<&str>, expected: Listening| {
            let mut settings = Settings::default();
            if let Some(value) = addresses {
                let setting = Setting { value: value.to_owned(), ..Setting::default() };
                settings.values.insert("listen_addresses".to_owned(), setting);
            }
            assert_eq!(listening(Some(&settings)), expected, "{addresses:?}");
        };
        check(None, Listening::Network);
        check(Some(""), Listening::Sockets);
        check(Some("localhost"), Listening::Machine);
        check(Some("127.0.0.1, ::1"), Listening::Machine);
        check(Some("localhost,10.0.0.1"), Listening::Network);
        check(Some("*"), Listening::Network);
        check(Some("0.0.0.0"), Listening::Network);
        assert_eq!(listening(None), Listening::Network);
    }
}
