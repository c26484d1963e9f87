//! What `ALTER COLUMN ... TYPE` means for the rows and the indexes.

use dbwright_model::catalog::{Column, Index, IndexKey, Table, UserTypeKind};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::Name;

use crate::effects::Circumstances;
use crate::fold::Folder;

/// What a new type costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypeChange {
    /// Stored values are valid as they are.
    Same {
        /// Whether indexes of plain columns can be kept.
        indexes_stay: bool,
    },
    /// Every row is converted.
    Rewrite,
    /// It depends on something that is not known; the more costly is assumed.
    Assumed(&'static str),
}

const KEPT: TypeChange = TypeChange::Same { indexes_stay: true };
const OTHER_CLASS: TypeChange = TypeChange::Same { indexes_stay: false };

/// Judges a change from one type to another.
pub(super) fn judge(
    before: &Folder,
    circumstances: &Circumstances,
    column: &Column,
    to: &DataType,
    using: Option<&Expression>,
) -> TypeChange {
    if let Some(using) = using
        && !is_plain_conversion(column, to, using)
    {
        return TypeChange::Rewrite;
    }
    between(before, circumstances, &column.data_type, to)
}

/// `USING c` and `USING c::new_type` say what happens anyway.
fn is_plain_conversion(column: &Column, to: &DataType, using: &Expression) -> bool {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column { qualifier, name } if qualifier.is_empty() && *name == column.name);
    match using.tree.as_deref() {
        Some(Expr::Cast { operand, to: target }) => {
            let target = crate::postgres::types::data_type(target);
            is_column(operand) && same_type(&target, to)
        }
        Some(expr) => is_column(expr),
        None => false,
    }
}

fn same_type(a: &DataType, b: &DataType) -> bool {
    (a.kind, &a.text, a.length, a.scale, a.array) == (b.kind, &b.text, b.length, b.scale, b.array)
}

fn between(before: &Folder, circumstances: &Circumstances, from: &DataType, to: &DataType) -> TypeChange {
    if same_type(from, to) && from.user_type == to.user_type {
        return KEPT;
    }
    if let Some(change) = through_domain(before, circumstances, from, to) {
        return change;
    }
    if from.array || to.array {
        // A limit that is taken away leaves every element as it is.
        let unlimited = to.length.is_none() && matches!(to.kind, TypeKind::Varchar | TypeKind::Decimal);
        return match from.array && to.array && from.kind == to.kind && unlimited {
            true => KEPT,
            false => TypeChange::Rewrite,
        };
    }
    let citext = |data_type: &DataType| {
        data_type.text == *"citext" || data_type.user_type.as_ref().is_some_and(|name| name.name == *"citext")
    };
    let unlimited = |data_type: &DataType| {
        data_type.kind == TypeKind::Text
            || (data_type.kind == TypeKind::Varchar && data_type.length.is_none())
    };
    if citext(from) || citext(to) {
        let binary_compatible = |other: &DataType| {
            citext(other) || other.kind == TypeKind::Text || other.kind == TypeKind::Varchar
        };
        let shrinks = !citext(to) && !unlimited(to);
        return if binary_compatible(from) && binary_compatible(to) && !shrinks {
            OTHER_CLASS
        } else {
            TypeChange::Rewrite
        };
    }
    let longer = |unlimited: u32| to.length.unwrap_or(unlimited) >= from.length.unwrap_or(unlimited);
    match (from.kind, to.kind) {
        (TypeKind::Text | TypeKind::Varchar, TypeKind::Text) => KEPT,
        (TypeKind::Text, TypeKind::Varchar) if to.length.is_none() => KEPT,
        (TypeKind::Varchar, TypeKind::Varchar) if longer(u32::MAX) => KEPT,
        (TypeKind::Decimal, TypeKind::Decimal) => match (from.length, to.length) {
            (_, None) => KEPT,
            (Some(old), Some(new)) if new >= old && from.scale.unwrap_or(0) == to.scale.unwrap_or(0) => KEPT,
            _ => TypeChange::Rewrite,
        },
        (TypeKind::Bit, TypeKind::Bit) => {
            let varying = |data_type: &DataType| data_type.text.as_str().contains("varying");
            match (varying(from), varying(to)) {
                (true, true) if longer(u32::MAX) => KEPT,
                (false, true) if to.length.is_none() => OTHER_CLASS,
                (false, false) if from.length == to.length => KEPT,
                _ => TypeChange::Rewrite,
            }
        }
        (TypeKind::Timestamp, TypeKind::Timestamp)
        | (TypeKind::TimestampTz, TypeKind::TimestampTz)
        | (TypeKind::Time, TypeKind::Time)
        | (TypeKind::TimeTz, TypeKind::TimeTz)
            if longer(6) =>
        {
            KEPT
        }
        (TypeKind::Interval, TypeKind::Interval)
            if longer(6)
                && fields(from).is_none_or(|fields_from| {
                    fields(to).is_none_or(|fields_to| fields_from == fields_to)
                }) =>
        {
            KEPT
        }
        (TypeKind::Timestamp, TypeKind::TimestampTz) | (TypeKind::TimestampTz, TypeKind::Timestamp) => {
            if to.length.unwrap_or(6) < 6 {
                return TypeChange::Rewrite;
            }
            match circumstances.utc {
                Some(true) => OTHER_CLASS,
                Some(false) => TypeChange::Rewrite,
                None => TypeChange::Assumed("the session's time zone is not known to be UTC"),
            }
        }
        (TypeKind::Cidr, TypeKind::Inet) => KEPT,
        (TypeKind::Xml, TypeKind::Text) => OTHER_CLASS,
        (TypeKind::Xml, TypeKind::Varchar) if to.length.is_none() => OTHER_CLASS,
        (TypeKind::Integer, TypeKind::Oid) | (TypeKind::Oid, TypeKind::Integer) => OTHER_CLASS,
        (TypeKind::Other, _) if from.text.is_empty() => TypeChange::Assumed("the old type is not known"),
        _ => TypeChange::Rewrite,
    }
}

/// The unit words of an interval type, such as `day to second`.
fn fields(data_type: &DataType) -> Option<String> {
    let text = data_type.text.as_str().split('(').next()?.trim();
    let fields = text.strip_prefix("interval")?.trim();
    (!fields.is_empty()).then(|| fields.to_owned())
}

/// A domain without constraints is its base type; one with constraints has every row checked by a rewrite.
fn through_domain(
    before: &Folder,
    circumstances: &Circumstances,
    from: &DataType,
    to: &DataType,
) -> Option<TypeChange> {
    let base = |data_type: &DataType| {
        let user_type = before.user_type(data_type.user_type.as_ref()?)?;
        match &user_type.kind {
            UserTypeKind::Domain { base, not_null, checks, .. } => {
                Some((base.clone(), *not_null || !checks.is_empty()))
            }
            _ => None,
        }
    };
    let (old, new) = (base(from), base(to));
    if old.is_none() && new.is_none() {
        return None;
    }
    if let Some((_, true)) = &new {
        return Some(TypeChange::Rewrite);
    }
    let inner = |data_type: &DataType, domain: &Option<(DataType, bool)>| match domain {
        Some((base, _)) => base.clone(),
        None => data_type.clone(),
    };
    Some(between(before, circumstances, &inner(from, &old), &inner(to, &new)))
}

/// Whether a domain makes the server look at every value that gets the type.
pub(super) fn is_constrained_domain(before: &Folder, data_type: &DataType) -> bool {
    // Nothing is known of an array's elements while there are none.
    if data_type.array {
        return false;
    }
    let mut pending = data_type.user_type.clone();
    for _ in 0..32 {
        let Some(user_type) = pending.as_ref().and_then(|name| before.user_type(name)) else { return false };
        let UserTypeKind::Domain { base, not_null, checks, .. } = &user_type.kind else { return false };
        if *not_null || !checks.is_empty() {
            return true;
        }
        pending = base.user_type.clone();
    }
    false
}

/// The default that a column of a domain has without one of its own: that of the domain, or else of the one below it.
pub(super) fn default_of_domain<'a>(before: &'a Folder, data_type: &DataType) -> Option<&'a Expression> {
    let mut pending = data_type.user_type.as_ref().filter(|_| !data_type.array).cloned();
    for _ in 0..32 {
        let UserTypeKind::Domain { base, default, .. } = &before.user_type(pending.as_ref()?)?.kind else {
            return None;
        };
        if default.is_some() {
            return default.as_ref();
        }
        pending = base.user_type.clone().filter(|_| !base.array);
    }
    None
}

/// Whether an index is built anew although the values stay: one over expressions or with a condition always is.
pub(super) fn index_is_rebuilt(index: &Index, column: &Column, indexes_stay: bool) -> bool {
    let named = |expression: &Expression| match expression.tree.as_deref() {
        Some(tree) => tree.columns().contains(&&column.name),
        None => true,
    };
    let in_key = index.parts.iter().any(|part| match &part.key {
        IndexKey::Column(name) => *name == column.name,
        IndexKey::Expression(expression) => named(expression),
    });
    let touched =
        in_key || index.predicate.as_ref().is_some_and(named) || index.include.contains(&column.name);
    let plain = index.predicate.is_none() && index.columns().is_some();
    touched && !(plain && (indexes_stay || !in_key))
}

/// The index whose operator class for patterns in texts does not take the new type of a column.
pub(super) fn unfit_class<'t>(table: &'t Table, column: &Name, to: &DataType) -> Option<&'t Index> {
    let text = matches!(to.kind, TypeKind::Text | TypeKind::Varchar | TypeKind::Name | TypeKind::Other);
    if text || to.user_type.is_some() {
        return None;
    }
    table.indexes.iter().find(|index| {
        index.parts.iter().any(|part| {
            let class = part.operator_class.as_ref().map(Name::as_str);
            part.as_column() == Some(column)
                && matches!(class, Some("varchar_pattern_ops" | "text_pattern_ops"))
        })
    })
}

/// Whether the server converts from one type to another only when told how.
pub(super) fn needs_using(from: &DataType, to: &DataType) -> bool {
    use TypeKind::*;
    if from.array || to.array || from.user_type.is_some() || to.user_type.is_some() {
        return false;
    }
    let is_number = |kind: TypeKind| matches!(kind, SmallInt | Integer | BigInt | Decimal | Real | Double);
    let is_other = |kind: TypeKind| {
        matches!(
            kind,
            Boolean
                | Bytes
                | Date
                | Time
                | TimeTz
                | Timestamp
                | TimestampTz
                | Interval
                | Uuid
                | Json
                | Jsonb
                | Xml
                | Inet
        )
    };
    match (from.kind, to.kind) {
        (Text | Varchar | Char, to) => is_number(to) || is_other(to),
        (Boolean, to) => is_number(to),
        (from, Boolean) => is_number(from),
        _ => false,
    }
}

/// Whether there is surely no operator `=` between two types.
pub(super) fn cannot_be_compared(one: &DataType, other: &DataType) -> bool {
    use TypeKind::*;
    let family = |kind: TypeKind| match kind {
        SmallInt | Integer | BigInt | Decimal | Real | Double => Some(0),
        Text | Varchar | Char => Some(1),
        Uuid => Some(2),
        Boolean => Some(3),
        Date | Timestamp | TimestampTz => Some(4),
        _ => None,
    };
    let user_made = one.user_type.is_some() || other.user_type.is_some() || one.array || other.array;
    !user_made && family(one.kind).zip(family(other.kind)).is_some_and(|(one, other)| one != other)
}
