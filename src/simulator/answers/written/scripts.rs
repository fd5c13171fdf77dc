//! Ruby, PHP, Lua and shell: scripts that are loaded and asked what is in them.

use super::super::words::{pascal, sentence, snake};
use super::Job;
use crate::workspace::syntax::Item;

/// `RSpec` or minitest.
pub(super) fn ruby(job: &Job<'_>) -> Option<String> {
    let cases: Vec<(String, String, String)> = job
        .subjects
        .iter()
        .map(|item| {
            let names: Vec<String> =
                job.parameter_names(item).iter().map(|name| format!(":{}", name.trim_end_matches(':'))).collect();
            let singleton = job.code.of(&(item.span.start..item.name_span.start)).contains("self.");
            let path = match job.code.class_of(item) {
                Some(class) if singleton => format!("{}.method(:{})", class.name, item.name),
                Some(class) => format!("{}.instance_method(:{})", class.name, item.name),
                None => format!("method(:{})", item.name),
            };
            (item.name.clone(), path, format!("[{}]", names.join(", ")))
        })
        .collect();
    if cases.is_empty() {
        return None;
    }
    let file = job.relative_path();
    let hint = job.import_hint();
    let require = if hint.starts_with("require") {
        hint.to_owned()
    } else {
        let file = file.strip_prefix("./").unwrap_or(&file);
        format!("require_relative \"{}\"", file.trim_end_matches(".rb"))
    };
    let title = pascal(job.marks.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rb"));
    if job.framework.contains("minitest") {
        let tests: Vec<String> = cases
            .iter()
            .map(|(name, path, names)| {
                let test = snake(name);
                format!("  def test_{test}_takes_its_parameters\n    assert_equal {names}, {path}.parameters.map(&:last)\n  end")
            })
            .collect();
        let body = tests.join("\n\n");
        return Some(format!(
            "require \"minitest/autorun\"\n{require}\n\nclass {title}Test < Minitest::Test\n{body}\nend\n"
        ));
    }
    let tests: Vec<String> = cases
        .iter()
        .map(|(name, path, names)| {
            format!("  it \"takes the parameters of {name}\" do\n    expect({path}.parameters.map(&:last)).to eq({names})\n  end")
        })
        .collect();
    Some(format!("{require}\n\nRSpec.describe \"{title}\" do\n{}\nend\n", tests.join("\n\n")))
}

/// `PHPUnit`.
pub(super) fn php(job: &Job<'_>) -> Option<String> {
    let namespace =
        job.code.text.lines().find_map(|line| line.trim().strip_prefix("namespace ")?.strip_suffix(';').map(str::trim));
    let full = |name: &str| namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}\\{name}"));
    let case = |item: &&Item| {
        let count = job.code.all_parameters(item).len();
        let reflection = match job.code.class_of(item) {
            Some(class) => format!("new \\ReflectionMethod('{}', '{}')", full(&class.name), item.name),
            None => format!("new \\ReflectionFunction('{}')", full(&item.name)),
        };
        format!(
            "    public function test{}TakesItsParameters(): void\n    {{\n        $this->assertSame({count}, ({reflection})->getNumberOfParameters());\n    }}",
            pascal(&item.name)
        )
    };
    let cases: Vec<String> = job.subjects.iter().map(case).collect();
    if cases.is_empty() {
        return None;
    }
    let name = job.path.rsplit('/').next().and_then(|file| file.strip_suffix(".php")).filter(|name| !name.is_empty());
    let name = name.map_or_else(|| "SelectionTest".to_owned(), str::to_owned);
    let file = job.relative_path();
    let file = file.strip_prefix("./").unwrap_or(&file);
    Some(format!(
        "<?php\n\nuse PHPUnit\\Framework\\TestCase;\n\nrequire_once __DIR__ . '/{file}';\n\nfinal class {name} extends TestCase\n{{\n{}\n}}\n",
        cases.join("\n\n")
    ))
}

/// busted, for modules that return a table.
pub(super) fn lua(job: &Job<'_>) -> Option<String> {
    let table = job.code.text.trim_end().lines().next_back()?.trim().strip_prefix("return ")?.trim();
    let names: Vec<&str> = job
        .subjects
        .iter()
        .filter_map(|item| item.name.strip_prefix(table)?.strip_prefix(['.', ':']))
        .filter(|name| !name.contains(['.', ':']))
        .collect();
    if names.is_empty() {
        return None;
    }
    let hint = job.import_hint();
    let path = job.marks.path.trim_end_matches(".lua").trim_end_matches("/init");
    let module = path.strip_prefix("lua/").or_else(|| path.strip_prefix("src/")).unwrap_or(path).replace('/', ".");
    let require = if hint.contains("NAME") {
        hint.replace("NAME", table)
    } else {
        format!("local {table} = require(\"{module}\")")
    };
    let tests: Vec<String> = names
        .iter()
        .map(|name| {
            let words = sentence(name);
            let words = words.trim_end_matches('.').to_lowercase();
            format!("  it(\"has a function to {words}\", function()\n    assert.is_function({table}.{name})\n  end)")
        })
        .collect();
    Some(format!("{require}\n\ndescribe(\"{module}\", function()\n{}\nend)\n", tests.join("\n\n")))
}

/// bats, for scripts that only define functions.
pub(super) fn bats(job: &Job<'_>) -> Option<String> {
    let functions: Vec<&str> = job.subjects.iter().map(|item| item.name.as_str()).collect();
    if functions.is_empty() {
        return None;
    }
    let file = job.relative_path();
    let file = file.strip_prefix("./").unwrap_or(&file);
    // The script is read, not run: it may do something when it is sourced.
    let tests: Vec<String> = functions
        .iter()
        .map(|name| {
            format!("@test \"{name} is defined\" {{\n  run grep -E \"^[[:space:]]*(function[[:space:]]+)?{name}[[:space:]]*(\\(\\))?\" \"$BATS_TEST_DIRNAME/{file}\"\n  [ \"$status\" -eq 0 ]\n}}")
        })
        .collect();
    Some(format!("{}\n", tests.join("\n\n")))
}
