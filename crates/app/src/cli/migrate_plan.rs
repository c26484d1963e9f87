//! `dbwright migrate plan` and `dbwright migrate new`.

use dbwright_render::{visible, visible_block};
use dbwright_service::ops::migrate::plan::{self, NewRequest, PlanRequest, Planned};
use dbwright_service::prove::Outcome;
use dbwright_service::{ErrorKind, ServiceError};
use owo_colors::OwoColorize;

use super::output::Screen;
use super::progress::Bar;
use super::{CLEAN, FOUND, Global, UNCHECKED, world};

/// Arguments of `migrate plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArguments {
    /// What to plan.
    #[command(flatten)]
    pub request: PlanRequest,
    /// How to show it.
    #[command(flatten)]
    pub show: ShowArguments,
}

/// Arguments of `migrate new`.
#[derive(Debug, clap::Args)]
pub struct NewArguments {
    /// What to plan.
    #[command(flatten)]
    pub request: NewRequest,
    /// How to show it.
    #[command(flatten)]
    pub show: ShowArguments,
}

/// How a plan is shown.
#[derive(Debug, clap::Args)]
pub struct ShowArguments {
    /// The format of the summary
    #[arg(long, short, value_enum, default_value_t = PlanFormat::Terminal)]
    pub format: PlanFormat,
    /// Exit with 3 also when there is no server here that the plan could be tried on
    #[arg(long)]
    pub require_proof: bool,
}

/// Formats of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PlanFormat {
    /// For people
    Terminal,
    /// For programs
    Json,
}

/// Runs `migrate plan`.
pub async fn plan(arguments: &PlanArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let planned = plan::plan(&arguments.request, &config, &world).await;
    bar.clear();
    deliver(&planned?, arguments.request.options.stdout, &arguments.show, screen)
}

/// Runs `migrate new`.
pub async fn new(arguments: &NewArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let planned = plan::new(&arguments.request, &config, &world).await;
    bar.clear();
    deliver(&planned?, arguments.request.options.stdout, &arguments.show, screen)
}

fn deliver(
    planned: &Planned,
    texts: bool,
    show: &ShowArguments,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    match show.format {
        PlanFormat::Json => {
            let text = serde_json::to_string_pretty(planned).map_err(|error| {
                ServiceError::new(ErrorKind::Internal, format!("the plan cannot be written: {error}"))
            })?;
            screen.print(&(text + "\n"))?;
        }
        PlanFormat::Terminal if texts => {
            // What goes into a file or another program holds the statements, the rest is said as comments.
            let summary = draw(planned, false);
            let mut text: String =
                summary.lines().map(|line| format!("-- {line}").trim_end().to_owned() + "\n").collect();
            for step in &planned.steps {
                text.push('\n');
                text.push_str(&step.text);
            }
            screen.print(&text)?;
        }
        PlanFormat::Terminal => screen.print(&draw(planned, screen.color))?,
    }
    if !planned.declined.is_empty() {
        return Ok(FOUND);
    }
    let untried = matches!(planned.proof.outcome, Outcome::NotTried(_)) && !planned.steps.is_empty();
    let broke_off = !planned.proof.server.is_empty();
    let unproven = matches!(planned.proof.outcome, Outcome::Failed(_));
    Ok(if unproven || untried && (show.require_proof || broke_off) { UNCHECKED } else { CLEAN })
}

/// The plan for people.
fn draw(planned: &Planned, color: bool) -> String {
    let bold = |text: &str| {
        let text = visible(text);
        if color { text.bold().to_string() } else { text }
    };
    // What is told of a server, or holds names of it.
    let told = |margin: &str, sentence: &str| format!("{margin}{}", visible_block(sentence));
    let mut lines = vec![
        format!("{}, for {}", bold(&planned.title), visible(&planned.server)),
        told("", &planned.summary),
    ];
    for (i, step) in planned.steps.iter().enumerate() {
        lines.push(String::new());
        lines.push(format!("{}. {}", i + 1, bold(&step.name)));
        if let Some(waits_for) = &step.waits_for {
            lines.push(told("   waits for   ", waits_for));
        }
        for effect in &step.effects {
            let blocks = match effect.blocks.as_str() {
                "nothing" => "blocks nothing an application does".to_owned(),
                others => format!("blocks {others}"),
            };
            let felt = format!("{} on {}, {}: {blocks}", effect.lock, effect.relation, effect.cost);
            lines.push(told("   locks       ", &felt));
        }
        lines.push(told("   takes       ", &step.estimated_time));
        lines.push(match &step.irreversible {
            Some(because) => told("   way back    none: ", because),
            None => "   way back    yes".to_owned(),
        });
        lines.push(match &step.path {
            Some(path) => told("   file        ", &path.display().to_string()),
            None => told("   file        ", &format!("{} (not written)", step.file)),
        });
    }
    for declined in &planned.declined {
        lines.extend([String::new(), told("", declined)]);
    }
    lines.push(String::new());
    let proof = &planned.proof;
    let server = visible(&proof.server);
    match &proof.outcome {
        Outcome::Proven => lines.push(format!("{} on {server}.", bold("Proven"))),
        Outcome::Failed(because) => {
            lines.push(format!("{}: the trial on {server} failed.", bold("Not proven")));
            lines.extend(because.iter().map(|sentence| told("  ", sentence)));
        }
        Outcome::NotTried(because) => {
            lines.push(format!("{}: {}.", bold("Not proven"), visible_block(because)));
        }
    }
    lines.extend(proof.shown.iter().map(|sentence| told("  ", sentence)));
    lines.extend(proof.gaps.iter().map(|sentence| told("  Not covered: ", sentence)));
    lines.join("\n") + "\n"
}
