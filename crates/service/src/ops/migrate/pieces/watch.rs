//! Looks at the server between pieces: how hard it works, how far behind its replicas are, what is left to vacuum.

use std::time::{Duration, Instant};

use dbwright_advise::backfill::pace::Pace;
use dbwright_advise::backfill::throttle::{self, Throttle};
use dbwright_engine::apply::ApplyError;
use dbwright_engine::pressure::Gauge;
use dbwright_engine::session::{ReadSession, Silent};
use dbwright_engine::write::WriteSession;
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::observed::Observed;
use dbwright_model::pressure::Pressure;

use super::{Job, JobError, Outcome, State};

/// Milliseconds between two looks at the server at least.
const LOOK: u64 = 250;

/// Watches the server between pieces.
pub(super) struct Watch {
    gauge: Option<Gauge>,
    replicas: Vec<ReadSession>,
    throttle: Throttle,
    begun: Instant,
    /// When the server was last looked at, in milliseconds since the begin.
    looked: Option<u64>,
    rows_at_begin: Option<u64>,
    advised: bool,
}

impl Watch {
    pub(super) async fn open(job: &Job<'_>, outcome: &mut Outcome) -> Self {
        let mut replicas = Vec::new();
        for dsn in job.replicas {
            match ReadSession::open(dsn, job.limits).await {
                Ok(session) => replicas.push(session),
                Err(error) => outcome.note(format!("The replica `{dsn}` is not asked: {error}.")),
            }
        }
        let gauge = match Gauge::open(job.target, &job.shape.table, job.limits).await {
            Ok(gauge) => Some(gauge),
            Err(error) => {
                outcome.note(format!("Nobody watches how hard the server works: {error}."));
                None
            }
        };
        let throttle = Throttle::new(job.bounds);
        Watch {
            gauge,
            replicas,
            throttle,
            begun: Instant::now(),
            looked: None,
            rows_at_begin: None,
            advised: false,
        }
    }

    fn at_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits as long as the server works too hard; `false` when somebody wants the work to stop.
    pub(super) async fn wait(
        &mut self,
        job: &Job<'_>,
        session: &mut WriteSession,
        pace: &mut Pace,
        outcome: &mut Outcome,
    ) -> Result<bool, JobError> {
        if self.looked.is_some_and(|then| self.at_ms() < then + LOOK) {
            return Ok(true);
        }
        loop {
            let pressure = self.look().await;
            for sentence in throttle::unseen(&pressure) {
                outcome.note(sentence);
            }
            let at = self.at_ms();
            self.looked = Some(at);
            let decision = self.throttle.judge(&pressure, at);
            if decision.smaller {
                pace.hindered();
            }
            if let Some(numbers) = decision.vacuum {
                self.vacuum(job, session, &numbers, outcome).await?;
            }
            let mut left = decision.pause_ms;
            let because = decision.because.join(", and ");
            while left > 0 {
                if (job.stop)() {
                    return Ok(false);
                }
                job.progress.step(&format!("waiting: {because}"), 0, 0);
                let part = left.min(LOOK);
                outcome.wait(&without_numbers(&because), part).await;
                left -= part;
            }
            if !decision.look_again {
                return Ok(true);
            }
        }
    }

    async fn look(&mut self) -> Pressure {
        let mut pressure = match &mut self.gauge {
            Some(gauge) => gauge.read().await,
            None => Pressure::default(),
        };
        if self.replicas.is_empty() {
            return pressure;
        }
        let mut worst = pressure.lag_seconds.known().copied().flatten();
        let mut trouble = None;
        for replica in &mut self.replicas {
            match behind(replica).await {
                Observed::Known(seconds) => worst = Some(worst.unwrap_or(0.0).max(seconds.unwrap_or(0.0))),
                Observed::NotAsked => {}
                other => trouble = Some(other),
            }
        }
        pressure.lag_seconds = trouble.unwrap_or(Observed::Known(worst));
        pressure
    }

    async fn vacuum(
        &mut self,
        job: &Job<'_>,
        session: &mut WriteSession,
        numbers: &str,
        outcome: &mut Outcome,
    ) -> Result<(), JobError> {
        let table = &job.shape.table;
        if job.vacuum && session.dialect() == Dialect::Postgres {
            job.progress.step(&format!("vacuuming: {numbers}"), 0, 0);
            match session.execute_bound(&format!("vacuum {table}"), &[]).await {
                Ok(_) => outcome.vacuums += 1,
                // Somebody else has the lock: probably a vacuum.
                Err(ApplyError::LockNotAvailable(_)) => {}
                Err(ApplyError::Refused(refusal)) => {
                    outcome.note(format!("`{table}` was not vacuumed: {refusal}."))
                }
                Err(error) => return Err(error.into()),
            }
        } else if !self.advised {
            self.advised = true;
            outcome.note(format!(
                "`{table}` should be vacuumed: {numbers}. Run `VACUUM {table}`; `dbwright migrate backfill --vacuum` does it between \
                 pieces."
            ));
        }
        Ok(())
    }

    /// Looks once more at the end, for the dead rows that are left behind.
    pub(super) async fn last(
        &mut self,
        job: &Job<'_>,
        session: &mut WriteSession,
        outcome: &mut Outcome,
    ) -> Result<(), JobError> {
        if session.dialect() != Dialect::Postgres {
            return Ok(());
        }
        // From version 15 on a session keeps its counts to itself for up to ten seconds.
        for sql in ["select pg_stat_force_next_flush()", "select"] {
            let _ = session.ask_bound(sql, &[]).await;
        }
        let pressure = self.look().await;
        if let Some(numbers) = self.throttle.judge(&pressure, self.at_ms()).vacuum {
            self.vacuum(job, session, &numbers, outcome).await?;
        }
        Ok(())
    }

    pub(super) fn tell(&mut self, job: &Job<'_>, now: &State) {
        let begun = *self.rows_at_begin.get_or_insert(now.rows_passed);
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let rate = now.rows_passed.saturating_sub(begun) as f64 / seconds;
        let of = job.estimate.unwrap_or(0);
        let mut words = format!("{} rows written, {rate:.0} rows a second", now.rows_done);
        if of > now.rows_passed && rate >= 1.0 {
            let left = Duration::from_secs_f64((of - now.rows_passed) as f64 / rate).as_secs();
            words.push_str(&format!(", about {} min {} s left", left / 60, left % 60));
        }
        job.progress.step(&words, now.rows_passed.min(of), of);
    }

    pub(super) async fn close(self) {
        if let Some(gauge) = self.gauge {
            gauge.close().await;
        }
        for replica in self.replicas {
            replica.close().await;
        }
    }
}

/// Seconds that a replica says it is behind.
async fn behind(replica: &mut ReadSession) -> Observed<Option<f64>> {
    match replica.collect(&[Fact::Replication], &Silent).await {
        Ok(facts) => match facts.replication {
            Observed::Known(known) if !known.standby => {
                Observed::Failed("what was named as a replica replicates from nobody".to_owned())
            }
            Observed::Known(known) if known.replay_delay_bytes == Some(0) => Observed::Known(Some(0.0)),
            Observed::Known(known) => match known.replay_delay_seconds {
                Some(seconds) => Observed::Known(Some(seconds)),
                None => Observed::Failed("the replica does not say how far behind it is".to_owned()),
            },
            other => other.map(|_| None),
        },
        Err(error) => Observed::Failed(error.message),
    }
}

/// The same reason with other numbers is the same reason.
fn without_numbers(because: &str) -> String {
    let words = because
        .split(' ')
        .map(|word| if word.starts_with(|first: char| first.is_ascii_digit()) { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
