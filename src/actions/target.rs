//! Where the new file of an own action goes: by a pattern of its author's over the document's path, never by the model's
//! word.

use minijinja::context;

use super::template;

/// What a pattern can use.
pub const VARIABLES: &[&str] = &["path", "folder", "name", "stem", "extension", "language_id"];

/// A longer path is none.
const LONGEST: usize = 200;

/// A document that is deep enough for any way upwards that makes sense.
const SAMPLE: &str = "one/two/three/four/name.ext";

/// The path of the new file below the workspace folder, with `/`, for the document with this path.
///
/// # Errors
/// What is wrong with it, in words behind the path or the pattern, without a full stop.
pub fn place(pattern: &str, document: &str, language_id: &str) -> Result<String, String> {
    let (folder, name) = document.rsplit_once('/').unwrap_or((".", document));
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    };
    let variables = context! { path => document, folder, name, stem, extension, language_id };
    let path = template::render(pattern, variables).map_err(|error| error.message)?;
    below(path.trim())
}

/// What is wrong with a pattern, as far as that can be seen without a document.
pub fn problem(pattern: &str) -> Option<String> {
    let known = template::problem_among(pattern, VARIABLES);
    known.map(|error| error.message).or_else(|| place(pattern, SAMPLE, "plaintext").err())
}

/// A path that stays below the folder it begins in, in its shortest form.
fn below(path: &str) -> Result<String, String> {
    let is_odd = |c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    if path.is_empty() || path.ends_with('/') {
        return Err("it names no file".to_owned());
    }
    if path.starts_with(['/', '~']) || path.chars().any(is_odd) || path.chars().count() > LONGEST {
        return Err("it is no path below the workspace folder, with `/` between the folders".to_owned());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or("it leads out of the workspace folder")?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() || path.ends_with("..") || path.ends_with("/.") {
        return Err("it names no file".to_owned());
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_place_follows_from_the_documents() {
        for (pattern, document, expected) in [
            ("{{ folder }}/{{ stem }}.stories.tsx", "src/ui/Button.tsx", Ok("src/ui/Button.stories.tsx")),
            ("{{ folder }}/{{ stem }}.stories.tsx", "Button.tsx", Ok("Button.stories.tsx")),
            ("docs/{{ path }}.md", "src/a.py", Ok("docs/src/a.py.md")),
            ("{{ folder }}/../fixtures/{{ name }}", "src/ui/a.py", Ok("src/fixtures/a.py")),
            ("{{ stem }}{% if extension %}_types.{{ extension }}{% endif %}", "src/Makefile", Ok("Makefile")),
            ("{{ folder }}/../../x", "src/a.py", Err("leads out")),
            ("/etc/{{ name }}", "a.py", Err("no path below")),
            ("~/.bashrc", "a.py", Err("no path below")),
            ("C:\\x", "a.py", Err("no path below")),
            ("x:{{ name }}", "a.py", Err("no path below")),
            ("a\nb", "a.py", Err("no path below")),
            ("{{ folder }}/", "a.py", Err("names no file")),
            ("a/..", "a.py", Err("names no file")),
            ("{% if false %}x{% endif %}", "a.py", Err("names no file")),
            ("{{ selection }}", "a.py", Err("undefined value")),
            ("{{ 'a' * 1000 }}", "a.py", Err("no path below")),
        ] {
            let placed = place(pattern, document, "python");
            match (placed, expected) {
                (Ok(placed), Ok(expected)) => assert_eq!(placed, expected, "{pattern}"),
                (Err(reason), Err(word)) => assert!(reason.contains(word), "{pattern}: {reason}"),
                (placed, _) => panic!("{pattern}: {placed:?}"),
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_seen_before_it_is_used() {
        assert_eq!(problem("{{ folder }}/../{{ stem }}_fake.{{ extension }}"), None);
        let said = problem("{{ folder }}/{{ stm }}.md").unwrap();
        assert_eq!(said, "there is no variable `stm`; did you mean `stem`?");
        assert!(problem("{{ selection }}.md").unwrap().contains("there is no variable `selection`"));
        assert!(problem("/tmp/{{ name }}").unwrap().contains("no path below"));
        assert!(problem("{{ folder").is_some());
    }

    proptest! {
        #[test]
        fn no_place_is_outside(pattern in "(\\.\\./|\\./|/|a|\\{\\{ folder \\}\\}|\\{\\{ name \\}\\}|\\.|~|\\PC){0,12}", document in "([a-z.]{1,4}/){0,3}[a-z.]{1,5}") {
            if let Ok(placed) = place(&pattern, &document, "python") {
                prop_assert!(placed.split('/').all(|part| !part.is_empty() && part != ".." && part != "."), "{placed}");
                prop_assert!(!placed.starts_with('/'), "{placed}");
            }
        }
    }
}
