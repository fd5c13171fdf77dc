//! The templates of instructions: what they may use, and how much of it.
//!
//! A template out of a file is somebody's program, if a small one. It reaches no file and no other template, an unknown
//! name is an error rather than nothing, and fuel limits its time and its memory: every instruction costs one, and every 64
//! bytes that it makes another.

use minijinja::ErrorKind::{OutOfFuel, UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

/// What a template can use. The names are a promise to users' files.
pub const VARIABLES: &[&str] = &[
    "selection",
    "language",
    "language_id",
    "fence",
    "path",
    "lines",
    "prompt",
    "diagnostics",
    "action",
    "tests_path",
    "tests_exist",
    "tests_inline",
    "framework",
    "import_hint",
];

/// Enough for a selection of a megabyte several times over, and used up within milliseconds.
const FUEL: u64 = 100_000;

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The line in the template, from 1.
    pub line: usize,
    /// What it is, without a full stop.
    pub message: String,
}

/// Renders a template.
///
/// # Errors
/// It is no template, uses what is not there, or does too much.
pub fn render(template: &str, variables: impl Into<Value>) -> Result<String, TemplateError> {
    environment().render_str(template, variables).map_err(|error| told(&error))
}

/// What is wrong with a template that can be seen without rendering it.
pub fn problem(template: &str) -> Option<TemplateError> {
    problem_among(template, VARIABLES)
}

/// The same for a template that can use these variables.
pub(super) fn problem_among(template: &str, variables: &[&str]) -> Option<TemplateError> {
    let environment = environment();
    let parsed = match environment.template_from_str(template) {
        Ok(parsed) => parsed,
        Err(error) => return Some(told(&error)),
    };
    // Names of filters and functions are looked up when they are met. What depends on the data is left to the data.
    if let Err(error) = parsed.render(sample(variables))
        && matches!(error.kind(), UnknownFilter | UnknownTest | UnknownFunction | UnknownMethod | OutOfFuel)
    {
        return Some(told(&error));
    }
    let mut unknown: Vec<String> = parsed.undeclared_variables(false).into_iter().collect();
    let is_known = |name: &str| variables.contains(&name) || environment.globals().any(|(global, _)| global == name);
    unknown.retain(|name| !is_known(name));
    unknown.sort_by_key(|name| (place(template, name), name.clone()));
    let name = unknown.first()?;
    let nearest = super::nearest_name(name, variables.iter().copied());
    let meant = nearest.map_or_else(
        || format!("there are {}", super::list(variables.iter().take(8).copied())),
        |meant| format!("did you mean `{meant}`?"),
    );
    Some(TemplateError { line: place(template, name), message: format!("there is no variable `{name}`; {meant}") })
}

/// A value for each variable.
fn sample(variables: &[&str]) -> Value {
    let diagnostics = vec![context! { lines => "1-1", message => "error: x" }];
    let words = variables.iter().map(|name| match *name {
        "diagnostics" => (*name, Value::from(diagnostics.clone())),
        "tests_exist" | "tests_inline" => (*name, Value::from(true)),
        name => (name, Value::from("x")),
    });
    words.collect()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Nothing here is HTML, whatever a template's name may end in.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment
}

fn told(error: &minijinja::Error) -> TemplateError {
    let message = match error.kind() {
        OutOfFuel => "it does too much: a template may not loop or grow without end".to_owned(),
        kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    TemplateError { line: error.line().unwrap_or(1).max(1), message }
}

/// The first line within a tag that names it, from 1.
fn place(template: &str, name: &str) -> usize {
    let mut tagged = false;
    let line = template.lines().position(|line| {
        tagged |= line.contains("{{") || line.contains("{%");
        let found = tagged && line.contains(name);
        tagged &= !(line.contains("}}") || line.contains("%}"));
        found
    });
    line.map_or(1, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_reaches_nothing_and_ends() {
        let long = "x".repeat(1000);
        for (template, expected) in [
            ("{% include '/etc/passwd' %}", "unknown statement include"),
            ("{% import 'a' as b %}", "unknown statement import"),
            ("{% extends 'a' %}", "unknown statement extends"),
            ("{{ env('HOME') }}", "env is unknown"),
            ("{{ missing }}", "undefined value"),
            ("{{ selection.__class__ }}", "undefined value"),
            ("{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}", "does too much"),
            ("{% for a in range(9999) %}{{ selection }}{% endfor %}", "does too much"),
            ("{{ 'a' * 1000000000 }}", "does too much"),
            ("{{ 'a'|replace('a', selection * 9999)|replace('x', selection * 9999) }}", "does too much"),
            ("{{ selection", "unexpected end of input"),
            ("{% if %}", "unexpected end of block"),
        ] {
            let error = render(template, context! { selection => &long }).expect_err(template);
            assert!(error.message.contains(expected), "{template}: {}", error.message);
        }
        let mut doubling = String::from("{% set a = selection %}");
        doubling.push_str(&"{% set a = a ~ a %}".repeat(60));
        assert!(
            render(&doubling, context! { selection => &long }).expect_err("it doubles").message.contains("too much")
        );
        let mut captured = String::from("{% set a %}{{ selection }}{% endset %}");
        captured.push_str(&"{% set a %}{{ a }}{{ a }}{% endset %}".repeat(60));
        assert!(
            render(&captured, context! { selection => &long }).expect_err("it doubles").message.contains("too much")
        );
        let deep = format!("{}x{}", "{% if true %}".repeat(5000), "{% endif %}".repeat(5000));
        assert!(render(&deep, context! {}).is_err(), "it nests too deeply");
    }

    #[test]
    fn nothing_is_escaped() {
        let said = render("{{ selection }}", context! { selection => "<b>&</b>" });
        assert_eq!(said.as_deref(), Ok("<b>&</b>"));
    }

    #[test]
    fn what_is_wrong_is_seen_without_rendering() {
        let line = |template: &str| problem(template).map(|error| format!("{}: {}", error.line, error.message));
        assert_eq!(
            line("{{ selection|upper }} {% for one in diagnostics %}{{ one.message }}{{ loop.index }}{% endfor %}"),
            None
        );
        assert_eq!(line("{% for i in range(3) %}{{ i }}{% endfor %}"), None);
        assert_eq!(
            line("ok\n{{ path }}\n{{ slection }}").as_deref(),
            Some("3: there is no variable `slection`; did you mean `selection`?")
        );
        let unknown = line("{{ secrets }}").unwrap_or_default();
        assert!(
            unknown.starts_with("1: there is no variable `secrets`; there are `selection`, `language`"),
            "{unknown}"
        );
        assert!(line("a\n{% if selection %}").is_some_and(|said| said.starts_with("2: ")), "the line is named");
        for (template, said) in [
            ("\n{{ selection|nosuch }}", "2: unknown filter"),
            ("{{ selection.split('x') }}", "1: unknown method"),
            ("{{ path is nosuch }}", "1: unknown test"),
        ] {
            let found = line(template).unwrap_or_default();
            assert!(found.starts_with(said), "{template}: {found}");
        }
        assert_eq!(line("{{ (selection|lines)[7] }}"), None, "a longer selection has it");
    }
}
