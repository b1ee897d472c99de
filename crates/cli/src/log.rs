//! Logs: what the processes say of themselves, to standard error.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Where logging is set.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// What to log to standard error: a level (error, warn, info, debug, trace), or one per module
    #[arg(long, global = true, value_name = "FILTER", env = "QUORATE_LOG", help_heading = "Logging")]
    log: Option<String>,
    /// How to write the log
    #[arg(long, global = true, value_name = "FORMAT", env = "QUORATE_LOG_FORMAT", default_value = "text")]
    #[arg(help_heading = "Logging")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// One line of text per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// Starts logging. Helpers say by default what they do, other commands only what is wrong.
pub(crate) fn start(arguments: &LogArguments, is_helper: bool) -> Result<(), Failure> {
    let filter = arguments.log.as_deref().unwrap_or(if is_helper { "info" } else { "error" });
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure::Invalid {
        message: format!("--log {filter:?} is no filter: {error}"),
        hint: Some(
            "write a level, as in --log info, or one per module, as in --log warn,quorate_helper=debug"
                .into(),
        ),
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
