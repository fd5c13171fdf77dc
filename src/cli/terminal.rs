//! Speaking to a person: colour where it is wanted, errors with what to do about them.

use std::borrow::Cow;
use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::exit;
use crate::config::Problem;
use crate::error::{Error, ErrorKind};
use crate::unseen::turns;

/// Headings.
pub const BOLD: Style = Style::new().bold();
/// What is there but not important.
pub const DIM: Style = Style::new().dimmed();
/// Names that can be typed.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Not well.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();

/// The colours of help texts.
pub const STYLES: clap::builder::Styles = clap::builder::Styles::styled()
    .header(BOLD)
    .usage(BOLD)
    .literal(NAME)
    .placeholder(Style::new())
    .error(ERROR)
    .valid(GOOD)
    .invalid(WARNING);

/// Standard output: colours reach it only if it is a terminal that wants them (`NO_COLOR`, `CLICOLOR_FORCE`).
pub fn stdout() -> anstream::AutoStream<std::io::StdoutLock<'static>> {
    anstream::stdout().lock()
}

/// Standard error, likewise.
pub fn stderr() -> anstream::AutoStream<std::io::StderrLock<'static>> {
    anstream::stderr().lock()
}

/// The columns of the terminal that standard output is; none when it is no terminal.
pub fn width() -> Option<usize> {
    use std::io::IsTerminal as _;
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Text of a model or a file for a person at a terminal: what would steer the terminal, or turn the writing so that code reads
/// as what it is not, is shown instead of obeyed.
pub fn visible(text: &str) -> Cow<'_, str> {
    let steers = |char: char| char.is_control() && !matches!(char, '\n' | '\t') || turns(char);
    if !text.replace("\r\n", "\n").contains(steers) {
        return Cow::Borrowed(text);
    }
    let shown = |char: char| match char {
        '\u{7f}' => '␡',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::REPLACEMENT_CHARACTER,
    };
    let mut chars = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(char) = chars.next() {
        // A return without a new line writes over what the line says.
        let obeyed = !steers(char) || char == '\r' && chars.peek() == Some(&'\n');
        out.push(if obeyed { char } else { shown(char) });
    }
    Cow::Owned(out)
}

/// Prints a unified diff in colours.
pub fn print_diff(out: &mut impl Write, diff: &str) -> std::io::Result<()> {
    for line in diff.lines() {
        let style = match line.as_bytes() {
            [b'@', ..] => NAME,
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => BOLD,
            [b'+', ..] => GOOD,
            [b'-', ..] => AnsiColor::Red.on_default(),
            _ => Style::new(),
        };
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

/// Prints a value as indented JSON.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    // JSON leaves these as they are, and a terminal may obey them. They can only be inside of strings.
    for code in 0x7f..=0x9f_u32 {
        if let Some(char) = char::from_u32(code).filter(|char| text.contains(*char)) {
            text = text.replace(char, &format!("\\u{code:04x}"));
        }
    }
    text.push('\n');
    // Not by way of `stdout`: what looks like a colour inside of a string is data.
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Warns of what was left out of the configuration.
pub fn warn_problems(problems: &[Problem]) {
    let mut out = stderr();
    for problem in problems {
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(out, "{WARNING}warning{WARNING:#}: {}", visible(&problem.to_string()));
    }
}

/// Prints an error and what to do about it to standard error; the exit code that belongs to it.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // `aside … | head` closed the pipe: it has what it wanted.
    if error.chain().any(|cause| matches!(cause.downcast_ref::<std::io::Error>(), Some(io) if io.kind() == std::io::ErrorKind::BrokenPipe)) {
        return ExitCode::SUCCESS;
    }
    let mut out = stderr();
    let Some(known) = error.downcast_ref::<Error>() else {
        let _ = writeln!(out, "{ERROR}error{ERROR:#}: {}", visible(&format!("{error:#}")));
        return ExitCode::from(exit::FAILED);
    };
    let _ = writeln!(out, "{ERROR}error{ERROR:#}: {}", visible(&known.message));
    if let Some(hint) = &known.hint {
        let _ = writeln!(out, "  {NAME}→{NAME:#} {}", visible(hint));
    }
    if let Some(id) = &known.request_id {
        let _ = writeln!(out, "  {DIM}request-id: {}{DIM:#}", visible(id));
    }
    ExitCode::from(if known.kind == ErrorKind::Config { exit::USAGE } else { exit::FAILED })
}

/// A panic is a defect of ours and says so, in two lines and without the user's data, which what is to be reported must not have
/// either.
pub fn explain_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let mut out = stderr();
        let _ = writeln!(out, "{ERROR}error{ERROR:#}: a defect of Aside {}{place}.", env!("CARGO_PKG_VERSION"));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            let words = crate::defect::words(info.payload());
            let _ = writeln!(out, "{words}\n{}", std::backtrace::Backtrace::force_capture());
        } else {
            let _ = writeln!(
                out,
                "  {NAME}→{NAME:#} Please report it, with what you did and what `RUST_BACKTRACE=1 aside …` prints."
            );
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a process of its own, which this test is once more: the hook is the whole process's.
    #[test]
    fn a_panic_with_a_key_in_hand_does_not_print_it() {
        const ROLE: &str = "ASIDE_TEST_PANICS_WITH";
        if let Ok(key) = std::env::var(ROLE) {
            explain_panics();
            panic!("the request to {key} failed");
        }
        let key = format!("sk-ant-api03-{}", "k7Qp2Xv9Zt4Lm8Rw3Yb6".repeat(4));
        for backtrace in ["0", "1"] {
            let output = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["cli::terminal::tests::a_panic_with_a_key_in_hand_does_not_print_it", "--exact", "--nocapture"])
                .env(ROLE, &key)
                .env("RUST_BACKTRACE", backtrace)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(!output.status.success() && said.contains("a defect of Aside"), "{said}");
            assert!(!said.contains("k7Qp2Xv9"), "{said}");
            assert_eq!(said.contains("the request to … failed"), backtrace == "1", "{said}");
        }
    }
}
