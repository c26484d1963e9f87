//! The trigger and its function that keep two columns of a row in step.

use dbwright_model::catalog::{Function, Table, Trigger};
use dbwright_model::change::{Change, ObjectKind};
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use super::builder::Builder;
use super::column_copy::{Copy, Direction};

/// The trigger that keeps two columns in step.
pub(super) struct Sync {
    function: QualifiedName,
    trigger: Name,
}

impl Sync {
    /// Triggers fire in the order of their names, and this one must see what the others made of the row.
    pub(super) fn new(builder: &Builder<'_>, copy: &Copy) -> Self {
        let schema = &copy.table.name.schema;
        let base = format!("zzz_{}_{}", copy.table.name.name, copy.old);
        let name = builder.free_name(schema, &base, "sync");
        Sync { function: copy.table.name.sibling(&name), trigger: name }
    }

    pub(super) fn function(&self, body: String) -> Change {
        let function = Function {
            name: self.function.clone(),
            returns: "trigger".to_owned(),
            language: Name::new("plpgsql"),
            body,
            ..Function::default()
        };
        Change::CreateFunction { function: Box::new(function), or_replace: true }
    }

    pub(super) fn trigger(&self, table: &Table) -> Change {
        let trigger = Trigger {
            name: self.trigger.clone(),
            table: table.name.clone(),
            timing: Name::new("BEFORE"),
            events: vec![Name::new("INSERT"), Name::new("UPDATE")],
            for_each_row: true,
            function: Some(self.function.clone()),
            enabled: true,
            ..Trigger::default()
        };
        Change::CreateTrigger { trigger: Box::new(trigger), or_replace: false }
    }

    pub(super) fn drop(&self, table: &Table) -> Vec<Change> {
        vec![
            Change::DropTrigger {
                table: Some(table.name.clone()),
                name: self.trigger.clone(),
                if_exists: false,
                cascade: false,
            },
            Change::DropFunction {
                name: self.function.clone(),
                arguments: Some(String::new()),
                if_exists: false,
                cascade: false,
                kind: ObjectKind::Function,
            },
        ]
    }

    /// The body while the old column is the one that is read. The default is for rows that name neither of two columns.
    pub(super) fn body(&self, builder: &Builder<'_>, copy: &Copy, default: Option<&Expression>) -> String {
        let (from, to) = (builder.quoted(&copy.old), builder.quoted(&copy.new));
        match &copy.direction {
            Direction::Forward { using: None } => {
                format!("\nBEGIN\n  NEW.{to} := NEW.{from};\n  RETURN NEW;\nEND\n")
            }
            // The row stands in a subquery under the table's own name, so that the expression finds its columns.
            Direction::Forward { using: Some(using) } => format!(
                "\nBEGIN\n  NEW.{to} := (SELECT {using} FROM (SELECT NEW.*) AS {});\n  RETURN NEW;\nEND\n",
                builder.quoted(&copy.table.name.name)
            ),
            Direction::Both => {
                let default = match default {
                    Some(default) => format!(
                        "    IF NEW.{from} IS NULL AND NEW.{to} IS NULL THEN\n      NEW.{from} := {};\n    END IF;\n",
                        default.text
                    ),
                    None => String::new(),
                };
                format!(
                    "\nBEGIN\n  IF TG_OP = 'INSERT' THEN\n{default}    IF NEW.{to} IS NULL THEN\n      NEW.{to} := NEW.{from};\n    ELSE\n      NEW.{from} := NEW.{to};\n    END IF;\n  ELSIF NEW.{to} IS DISTINCT FROM OLD.{to} THEN\n    NEW.{from} := NEW.{to};\n  ELSE\n    NEW.{to} := NEW.{from};\n  END IF;\n  RETURN NEW;\nEND\n"
                )
            }
        }
    }

    /// The body once the new column is the one that is read. A value that the old type cannot hold must not break a write.
    pub(super) fn body_back(&self, builder: &Builder<'_>, copy: &Copy) -> String {
        let (from, to) = (builder.quoted(&copy.last), builder.quoted(&copy.left));
        format!(
            "\nBEGIN\n  BEGIN\n    NEW.{to} := NEW.{from};\n  EXCEPTION WHEN data_exception THEN\n    NEW.{to} := NULL;\n  END;\n  RETURN NEW;\nEND\n"
        )
    }
}
