//! The command line. Help and messages are Chinese; `--lang en` gives messages in English.

mod arguments;
mod audit;
mod chat;
mod check;
mod doctor;
mod explain;
mod logging;
mod misuse;
mod new;
mod output;
mod package_file;
mod publish;
mod send;
mod serve;
mod test;
mod understand;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

pub use arguments::{Arguments, Command};

/// How a command ended; the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, nothing wrong.
    Done,
    /// 1: done, and a problem was found (a diagnostic, a failed test, a broken chain).
    Problem,
    /// 2: the command was not understood.
    Misuse,
    /// 3: the surroundings are in the way (file, port, database, network).
    Environment,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Problem => 1,
            Exit::Misuse => 2,
            Exit::Environment => 3,
        })
    }
}

/// Run the command line.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return misuse::report(&error).into(),
    };
    let lang = arguments.lang.into();
    let exit = match arguments.command {
        Command::Serve(options) => serve::run(&options, lang),
        Command::Check(options) => check::run(&options, lang),
        Command::Test(options) => test::run(&options, lang),
        Command::New(options) => new::run(&options, lang),
        Command::Chat(options) => chat::run(&options, lang),
        Command::Explain(options) => explain::run(&options, lang),
        Command::Understand => understand::run(lang),
        Command::Send(options) => send::run(&options, lang),
        Command::Publish(options) => publish::publish(&options, lang),
        Command::Rollback(options) => publish::rollback(&options, lang),
        Command::Audit(options) => audit::run(&options, lang),
        Command::Doctor(options) => doctor::run(&options, lang),
    };
    exit.into()
}
