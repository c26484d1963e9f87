//! Which roles a role is, directly or through others.

use std::collections::BTreeMap;

use dbwright_model::access::Role;
use dbwright_model::name::Name;

/// Every role that a role is a member of, with the membership that it got there by. Memberships that need `SET ROLE`
/// count: they can be used at will.
pub fn closure<'a>(roles: &'a [Role], of: &'a Name) -> BTreeMap<&'a Name, &'a Name> {
    let mut found: BTreeMap<&Name, &Name> = BTreeMap::new();
    let mut pending = vec![of];
    while let Some(name) = pending.pop() {
        let Some(role) = roles.iter().find(|role| role.name == *name) else { continue };
        for membership in &role.member_of {
            if membership.role != *of && !found.contains_key(&membership.role) {
                found.insert(&membership.role, name);
                pending.push(&membership.role);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use dbwright_model::access::Membership;

    use super::*;

    #[test]
    fn memberships_are_followed_and_circles_end() {
        let role = |name: &str, of: &[&str]| Role {
            name: Name::new(name),
            member_of: of
                .iter()
                .map(|of| Membership { role: Name::new(of), inherits: true, admin: false })
                .collect(),
            ..Role::default()
        };
        let roles = [role("app", &["staff"]), role("staff", &["files", "app"]), role("files", &[])];
        let app = Name::new("app");
        let found: Vec<String> =
            closure(&roles, &app).iter().map(|(role, by)| format!("{role} by {by}")).collect();
        assert_eq!(found, ["files by staff", "staff by app"]);
    }
}
