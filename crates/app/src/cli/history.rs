//! `dbwright migrate status`, `verify`, `repair`, `baseline` and `squash`: the record of migrations.

use dbwright_service::consent::{self, Word};
use dbwright_service::ops::migrate::baseline::{self, BaselineReply, BaselineRequest};
use dbwright_service::ops::migrate::record::RecordChange;
use dbwright_service::ops::migrate::repair::{self, RepairReply, RepairRequest};
use dbwright_service::ops::migrate::situation::Situation;
use dbwright_service::ops::migrate::squash::{self, SquashReply, SquashRequest};
use dbwright_service::ops::migrate::status::{self, StatusRequest};
use dbwright_service::ops::migrate::verify::{self, VerifyReply, VerifyRequest};
use dbwright_service::{ErrorKind, ServiceError};
use serde::Serialize;

use super::output::Screen;
use super::progress::Bar;
use super::tables;
use super::{CLEAN, FAILED, FOUND, Global, world};

/// How to print a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReplyFormat {
    /// A table for people
    Terminal,
    /// Everything, for programs; docs/migrate.schema.json describes it
    Json,
}

/// When `status` and `verify` end with exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Never
    Never,
    /// When files and record contradict each other, or the database differs from both
    Trouble,
    /// Then, and when a migration waits to be run
    Pending,
}

/// Arguments of `migrate status`.
#[derive(Debug, clap::Args)]
pub struct StatusArguments {
    /// What to tell the state of.
    #[command(flatten)]
    pub request: StatusRequest,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReplyFormat::Terminal)]
    pub format: ReplyFormat,
    /// When to end with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Never)]
    pub fail_on: FailOn,
}

/// Arguments of `migrate verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArguments {
    /// What to verify.
    #[command(flatten)]
    pub request: VerifyRequest,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReplyFormat::Terminal)]
    pub format: ReplyFormat,
    /// When to end with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Trouble)]
    pub fail_on: FailOn,
}

/// How a change of the record is agreed to.
#[derive(Debug, clap::Args)]
pub struct Agreement {
    /// Do it without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Only show what would be done
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReplyFormat::Terminal)]
    pub format: ReplyFormat,
}

/// Arguments of `migrate repair`.
#[derive(Debug, clap::Args)]
pub struct RepairArguments {
    /// What to repair.
    #[command(flatten)]
    pub request: RepairRequest,
    /// How it is agreed to.
    #[command(flatten)]
    pub agreement: Agreement,
}

/// Arguments of `migrate baseline`.
#[derive(Debug, clap::Args)]
pub struct BaselineArguments {
    /// What to record.
    #[command(flatten)]
    pub request: BaselineRequest,
    /// How it is agreed to.
    #[command(flatten)]
    pub agreement: Agreement,
}

/// Arguments of `migrate squash`.
#[derive(Debug, clap::Args)]
pub struct SquashArguments {
    /// What to squash.
    #[command(flatten)]
    pub request: SquashRequest,
    /// How it is agreed to.
    #[command(flatten)]
    pub agreement: Agreement,
}

/// Runs `migrate status`.
pub async fn status(
    arguments: &StatusArguments,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let reply = status::status(&arguments.request, &config, &world).await?;
    bar.clear();
    print(&reply, arguments.format, screen, tables::status)?;
    Ok(exit_code(arguments.fail_on, reply.trouble > 0, reply.pending))
}

/// Runs `migrate verify`.
pub async fn verify(
    arguments: &VerifyArguments,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let reply: VerifyReply = verify::verify(&arguments.request, &config, &world).await?;
    bar.clear();
    print(&reply, arguments.format, screen, tables::verify)?;
    Ok(exit_code(arguments.fail_on, !reply.ok, reply.status.pending))
}

/// Runs `migrate repair`.
pub async fn repair(
    arguments: &RepairArguments,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let (reply, changes, situation) = repair::plan(&arguments.request, &config, &world).await?;
    bar.clear();
    show_plan::<RepairReply>(&reply, &arguments.agreement, screen, tables::repair)?;
    if reply.changes.is_empty() {
        return Ok(if reply.left.is_empty() { CLEAN } else { FAILED });
    }
    let Some(word) = agreed(&arguments.agreement, "Change the record like this?", screen)? else {
        return Ok(CLEAN);
    };
    let consent = consent::given(word, &situation.dsn);
    dbwright_service::ops::migrate::record::carry_out(&changes, &consent).await?;
    done(&arguments.agreement, &reply.changes, &situation, screen)
}

/// Runs `migrate baseline`.
pub async fn baseline(
    arguments: &BaselineArguments,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let (reply, changes, situation) = baseline::plan(&arguments.request, &config, &world).await?;
    bar.clear();
    show_plan::<BaselineReply>(&reply, &arguments.agreement, screen, tables::baseline)?;
    if let Some(because) = reply.refused.first() {
        let error = ServiceError::new(ErrorKind::Usage, format!("nothing was recorded: {}", lower(because)));
        let only_drift = !reply.comparison.is_equal() && reply.refused.len() == 1;
        return Err(if only_drift {
            error
                .hint(
                    "write a migration for what is missing, or say with `--to` how far the database has come",
                )
                .hint("`--force REASON` records it all the same, with the reason")
        } else {
            error
        });
    }
    if reply.changes.is_empty() {
        return Ok(CLEAN);
    }
    let Some(word) = agreed(&arguments.agreement, "Record this?", screen)? else { return Ok(CLEAN) };
    baseline::carry_out(&reply, &changes, &consent::given(word, &situation.dsn)).await?;
    done(&arguments.agreement, &reply.changes, &situation, screen)
}

/// Runs `migrate squash`.
pub async fn squash(
    arguments: &SquashArguments,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let (reply, plan, situation) = squash::plan(&arguments.request, &config, &world).await?;
    bar.clear();
    show_plan::<SquashReply>(&reply, &arguments.agreement, screen, tables::squash)?;
    if !reply.comparison.is_equal() {
        return Err(ServiceError::new(
            ErrorKind::Unsupported,
            "nothing was squashed: the new file does not make what the old ones made",
        ));
    }
    let Some(word) =
        agreed(&arguments.agreement, "Write the file, remove the old ones and change the record?", screen)?
    else {
        return Ok(CLEAN);
    };
    squash::carry_out(&reply, &plan, &consent::given(word, &situation.dsn)).await?;
    done(&arguments.agreement, &reply.changes, &situation, screen)
}

fn exit_code(fail_on: FailOn, trouble: bool, pending: usize) -> u8 {
    let found = match fail_on {
        FailOn::Never => false,
        FailOn::Trouble => trouble,
        FailOn::Pending => trouble || pending > 0,
    };
    if found { FOUND } else { CLEAN }
}

fn print<T: Serialize>(
    reply: &T,
    format: ReplyFormat,
    screen: &Screen,
    draw: impl Fn(&T, &Screen) -> String,
) -> Result<(), ServiceError> {
    let text = match format {
        ReplyFormat::Terminal => draw(reply, screen),
        ReplyFormat::Json => serde_json::to_string_pretty(reply)
            .map(|text| text + "\n")
            .map_err(|error| ServiceError::new(ErrorKind::Internal, format!("cannot write: {error}")))?,
    };
    screen.print(&text)
}

fn show_plan<T: Serialize>(
    reply: &T,
    agreement: &Agreement,
    screen: &Screen,
    draw: impl Fn(&T, &Screen) -> String,
) -> Result<(), ServiceError> {
    print(reply, agreement.format, screen, draw)
}

/// The user's word; `None` when it is no, or when nothing but looking was asked for.
fn agreed(agreement: &Agreement, question: &str, screen: &Screen) -> Result<Option<Word>, ServiceError> {
    if agreement.dry_run {
        return Ok(None);
    }
    screen.word(agreement.yes, "", question)
}

/// Says that it was done, to people only: a program reads the exit code.
fn done(
    agreement: &Agreement,
    changes: &[RecordChange],
    situation: &Situation,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    if agreement.format == ReplyFormat::Terminal {
        let rows = if changes.len() == 1 { "1 row".to_owned() } else { format!("{} rows", changes.len()) };
        screen.say(&format!("\nDone: {rows} of `{}` changed.\n", situation.table))?;
    }
    Ok(CLEAN)
}

/// A full sentence as a fragment that goes on another.
fn lower(sentence: &str) -> String {
    let mut chars = sentence.trim_end_matches('.').chars();
    let first: String = chars.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
    first + chars.as_str()
}
