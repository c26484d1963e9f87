//! The ways back of a plan, tried while an application goes on writing.

use std::collections::BTreeSet;

use dbwright_engine::postgres::observe::Observer;
use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::plan::{Step, TransactionMode, Undo};
use dbwright_sql::script::write::{WayBack, way_back};

use super::rights::same as same_rights;
use super::writes::Writes;
use super::{Outcome, Stop, Trial, added_columns, clip, difference, failed, same_rows};

impl Trial<'_> {
    /// Each step is done, undone and done again, and then all are undone, with rows written after each; what is there in the
    /// end must be what the same writes make of the database before. Then the plan is carried out on that.
    pub(super) async fn lead_back(&mut self, started: &Catalog) -> Result<(), Stop> {
        let steps = &self.plan.steps;
        let reversible = steps.iter().take_while(|step| matches!(step.undo, Undo::Work(_))).count();
        let databases = [
            self.copy("rows", "plan").await?,
            self.copy("rows", "start").await?,
            self.copy("naive", "end").await?,
        ];
        let [plan, start, end] = &databases;
        let mut session = Observer::open(self.server, plan).await?;
        let _ = session.script("set client_min_messages = warning").await;
        let mut writes = Writes::new(self, start, end).await?;
        for (number, step) in steps[..reversible].iter().enumerate() {
            self.run_step(&mut session, step, None).await?;
            writes.go_on(&mut session, number + 1, &format!("after step `{}`", step.name)).await?;
            if self.leaves_a_gap(step) {
                continue;
            }
            self.undo(&mut session, step, None).await?;
            writes.go_on(&mut session, number, &format!("with step `{}` undone", step.name)).await?;
            self.run_step(&mut session, step, None).await.map_err(|stop| match stop {
                Stop::Outcome(Outcome::Failed(mut sentences)) => {
                    sentences.insert(0, "A step that was undone cannot be done again.".to_owned());
                    Stop::Outcome(Outcome::Failed(sentences))
                }
                other => other,
            })?;
            writes.go_on(&mut session, number + 1, &format!("with step `{}` done again", step.name)).await?;
        }
        let mut slow = BTreeSet::new();
        for (number, step) in steps[..reversible].iter().enumerate().rev() {
            self.undo(&mut session, step, Some(&mut slow)).await?;
            writes.go_on(&mut session, number, &format!("with step `{}` undone", step.name)).await?;
        }
        let found = difference(started, &self.catalog("plan").await?);
        if !found.is_empty() {
            let mut sentences = vec!["Undone, the catalog is not the one before.".to_owned()];
            sentences.extend(found);
            return Err(Stop::Outcome(Outcome::Failed(sentences)));
        }
        let told = "with the steps undone is not as before";
        same_rights(&self.rights("rows").await?, &self.rights("plan").await?, told)?;
        let nothing = BTreeSet::new();
        let expected = self.rows("start", started, &nothing).await?;
        let found = self.rows("plan", started, &nothing).await?;
        same_rows(
            &expected,
            &found,
            "are not those before and those written meanwhile, when the steps are undone",
        )?;
        if writes.is_even() {
            self.compare_sequences(started, "start", "without the plan").await?;
        }
        for step in steps {
            self.run_step(&mut session, step, None).await?;
        }
        drop(session);
        let count = writes.end();
        let naive = self.catalog("naive").await?;
        let unsure = added_columns(self.changes, true);
        let expected = self.rows("end", &naive, &unsure).await?;
        let found = self.rows("plan", &naive, &unsure).await?;
        same_rows(&expected, &found, "are not those that the same writes make after the change by itself")?;
        let meanwhile = match count {
            0 => "the rows as they were".to_owned(),
            count => format!("the rows as they were, and what {count} writes between the steps made of them"),
        };
        self.proof.shown.push(match reversible {
            all if all == steps.len() => format!("Undone in reverse, the steps leave the catalog and {meanwhile}."),
            0 => "There is no way back from the first step on.".to_owned(),
            some => format!(
                "Undone in reverse, the first {some} of {} steps leave the catalog and {meanwhile}; after them there is no way back.",
                steps.len()
            ),
        });
        self.proof.shown.extend(slow);
        Ok(())
    }

    /// Whether the way back of a step takes along what earlier steps have made, so that it is not done again by itself.
    fn leaves_a_gap(&self, step: &Step) -> bool {
        match &step.undo {
            Undo::Work(work) => {
                work.is_empty() || step.changes().any(|change| matches!(change, Change::AttachIndex { .. }))
            }
            Undo::Irreversible(_) => true,
        }
    }

    /// Goes back one step. With a list of what makes others wait, the statements are watched.
    async fn undo(
        &self,
        session: &mut Observer<'_>,
        step: &Step,
        mut watched: Option<&mut BTreeSet<String>>,
    ) -> Result<(), Stop> {
        let Undo::Work(work) = &step.undo else { return Ok(()) };
        let version = Some(self.server.version());
        let parts = match way_back(Engine::Postgres, version, step, work)
            .map_err(|because| failed(format!("The way back from step `{}`: {because}.", step.name)))?
        {
            WayBack::Portions(portions) => {
                portions.into_iter().map(|portion| (portion.together, portion.statements)).collect()
            }
            WayBack::Whole(written) => {
                let one = step.transaction == TransactionMode::OneTransaction
                    && written.iter().all(|statement| statement.in_transaction);
                vec![(one, written)]
            }
        };
        for (together, statements) in parts {
            if together {
                self.back(session, step, "begin").await?;
            }
            for statement in &statements {
                if !statement.in_transaction {
                    self.back(session, step, &statement.sql).await?;
                    continue;
                }
                if !together {
                    self.back(session, step, "begin").await?;
                }
                match watched.as_deref_mut() {
                    None => self.back(session, step, &statement.sql).await?,
                    Some(slow) => {
                        session.mark().await?;
                        let seen = session.observe(&statement.sql).await?;
                        if let Some(error) = &seen.error {
                            return Err(refused(step, &statement.sql, &error.message));
                        }
                        if let Some(effect) = self.blocking(&seen, &BTreeSet::new()) {
                            slow.insert(format!(
                                "Going back from step `{}` makes others wait in proportion to the size of `{}`: {} during a {}.",
                                step.name,
                                effect.relation,
                                effect.lock.as_str(),
                                effect.cost.as_str()
                            ));
                        }
                    }
                }
                if !together {
                    self.back(session, step, "commit").await?;
                }
            }
            if together {
                self.back(session, step, "commit").await?;
            }
        }
        Ok(())
    }

    async fn back(&self, session: &mut Observer<'_>, step: &Step, sql: &str) -> Result<(), Stop> {
        session.script(sql).await.map_err(|error| refused(step, sql, &error.message))
    }
}

fn refused(step: &Step, sql: &str, message: &str) -> Stop {
    failed(format!("The way back from step `{}`: `{}` is refused: {message}.", step.name, clip(sql)))
}
