//! The questions of a file: before it is run and after.

use dbwright_engine::apply::ApplyError;
use dbwright_model::migration::Migration;
use dbwright_model::plan::CheckQuery;

use super::Work;
use crate::error::{ErrorKind, ServiceError};

impl Work<'_> {
    /// Asks questions whose rows are complaints.
    pub(super) async fn check(
        &mut self,
        migration: &Migration,
        checks: &[CheckQuery],
        what: &str,
    ) -> Result<(), ServiceError> {
        for check in checks {
            let cannot = |error: ApplyError| {
                ServiceError::new(
                    ErrorKind::Internal,
                    format!("a check of `{}` cannot be asked: {error}", migration.file),
                )
            };
            let sql = format!("select * from ({}) as dbwright_check limit 5", check.sql);
            let rows = self.hold.worker.ask(&sql).await.map_err(cannot)?;
            if rows.is_empty() {
                continue;
            }
            let sql = format!("select count(*) as n from ({}) as dbwright_check", check.sql);
            let counted = self.hold.worker.ask(&sql).await.map_err(cannot)?;
            let counted = counted.first().and_then(|row| row.opt_text("n").ok().flatten());
            let counted = match counted.unwrap_or("?") {
                "1" => "1 row".to_owned(),
                count => format!("{count} rows"),
            };
            let sample = |row: &dbwright_engine::row::Row| {
                let shown = row.columns.iter().filter(|column| {
                    check.keys.is_empty() || check.keys.iter().any(|key| key.as_str() == column.as_str())
                });
                let values = shown.filter_map(|column| row.opt_text(column).ok().flatten());
                values.take(4).collect::<Vec<_>>().join(" ")
            };
            let samples: Vec<String> = rows.iter().map(sample).collect();
            return Err(ServiceError::new(
                ErrorKind::Unsupported,
                format!("`{}` {what}: {} ({counted})", migration.file, check.rows_mean),
            )
            .hint(format!("among the rows: {}", samples.join("; "))));
        }
        Ok(())
    }
}
