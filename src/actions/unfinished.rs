//! Whether a piece of text waits to be written: a comment, a stub or a signature.
//!
//! The menu asks, which is opened at every move of a cursor. So this looks at the text alone, at its lines and their ends,
//! and never parses; a wrong answer offers an action too many or too few.

use crate::workspace::Language;

/// More than this is not a stub, and not worth looking at.
pub const LONGEST: usize = 8 * 1024;

/// What stands for a body that nobody wrote, as a part of a line in lower case.
const MARKERS: &[&str] = &[
    "todo!(",
    "unimplemented!(",
    "notimplementederror",
    "notimplementedexception",
    "unsupportedoperationexception",
    "not implemented",
    "not yet implemented",
    "unimplemented",
    "todo(",
    "fatalerror(\"todo",
];

/// What stands for a body as a line of its own.
const PLACEHOLDERS: &[&str] = &["pass", "...", "return", "return;", "nil", "null", ";"];

/// What ends a body as a line of its own.
const CLOSINGS: &[&str] = &["end", "}", "};"];

/// Whether `text` is a comment, a stub or a signature in `language`.
pub fn is_unfinished(language: &Language, text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let code = without_comments(language, text);
    let Some(first) = code.first() else {
        // Nothing but comments; white space alone describes nothing.
        return !text.trim().is_empty();
    };
    if code.iter().any(|line| has_marker(line)) {
        return true;
    }
    // Decorators, attributes and doc tags may stand in front.
    let starts = code.iter().position(|line| is_definition(line));
    starts.is_some_and(|at| at == 0 || code[..at].iter().all(|line| line.starts_with(['@', '#', '['])))
        && has_no_body(&code[starts.unwrap_or(0)..])
        && !first.starts_with("return")
}

/// Whether `text` is comments in `language`, and nothing else.
pub fn is_comment(language: &Language, text: &str) -> bool {
    text.len() <= LONGEST && !text.trim().is_empty() && without_comments(language, text).is_empty()
}

/// The lines that hold code, trimmed. Documentation strings count as comments.
fn without_comments<'a>(language: &Language, text: &'a str) -> Vec<&'a str> {
    let mut code = Vec::new();
    let mut closes: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        if let Some(mark) = closes {
            if line.contains(mark) {
                closes = None;
            }
            continue;
        }
        if line.is_empty() || language.line_comment.is_some_and(|mark| line.starts_with(mark)) {
            continue;
        }
        let quotes = (language.family() == "python").then_some([("\"\"\"", "\"\"\""), ("'''", "'''")]);
        let mut blocks = language.block_comment.into_iter().chain(quotes.into_iter().flatten());
        if let Some((open, close)) = blocks.find(|(open, _)| line.starts_with(open)) {
            match line[open.len()..].find(close) {
                None => closes = Some(close),
                Some(at) => {
                    let rest = line[open.len() + at + close.len()..].trim();
                    if !rest.is_empty() {
                        code.push(rest);
                    }
                }
            }
            continue;
        }
        code.push(line);
    }
    code
}

fn has_marker(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    MARKERS.iter().any(|marker| line.contains(marker))
}

/// Whether a line looks like the beginning of a function.
fn is_definition(line: &str) -> bool {
    const WORDS: &[&str] = &["def", "defp", "fn", "func", "fun", "function", "class"];
    const STATEMENTS: &[&str] =
        &["if", "else", "elif", "for", "while", "switch", "match", "return", "catch", "new", "await", "throw", "case"];
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if line.split(|c| !is_word(c)).any(|word| WORDS.contains(&word)) {
        return true;
    }
    let Some(open) = line.find('(') else { return false };
    if line.contains("=>") {
        return true;
    }
    // `int sum(const int *values, size_t count)`, `load(path: string): Item[] {`
    let head = line[..open].trim_end();
    let mut words = head.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_named = head.ends_with(is_word) && !head.contains(['=', '.', '"', '\'']);
    is_named && !STATEMENTS.contains(&first) && (words.next().is_some() || line.ends_with('{'))
}

/// Whether what follows the signature is nothing, or stands for nothing.
fn has_no_body(code: &[&str]) -> bool {
    let mut lines = code;
    while let Some((last, before)) = lines.split_last()
        && !before.is_empty()
        && (CLOSINGS.contains(last) || PLACEHOLDERS.contains(last))
    {
        lines = before;
    }
    is_signature(&lines.join("\n"))
}

/// Whether a text is a signature and nothing more: behind its parameters there is a result's type at most, and what would
/// open a body, hold an empty one, or end a declaration.
fn is_signature(text: &str) -> bool {
    let mut depth = 0_usize;
    let closes = text.char_indices().find_map(|(at, c)| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        (c == ')' && depth == 0).then_some(at)
    });
    let Some(close) = closes else { return false };
    let rest = text[close + 1..].trim();
    let result = rest.trim_end_matches(['{', '}', ':', ';']).trim_end();
    let result = result.strip_suffix("=>").unwrap_or(result);
    // Go has a second pair of parentheses for several results.
    let is_type = |c: char| c.is_alphanumeric() || " _-<>[](),:&*|?.'".contains(c);
    let is_result =
        rest.len() > result.len() || result.is_empty() || result.starts_with("->") || result.starts_with([':', '(']);
    let lines = rest.lines().filter(|line| !matches!(line.trim(), "{" | "}")).count();
    is_result && lines <= 1 && result.chars().all(is_type) && !result.contains("return ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::language::by_id;

    #[test]
    fn comments_stubs_and_signatures_are_unfinished() {
        for (language, text) in [
            ("python", "# Read the file and return its lines, without empty ones."),
            ("python", "    # One.\n    # Two.\n"),
            ("rust", "/// Sums up.\n///\n/// # Errors\n"),
            ("javascript", "/*\n * Sorts by price,\n * then by name.\n */"),
            ("html", "<!-- a table of all users -->"),
            ("python", "def load(path):\n    pass"),
            ("python", "def load(path: str) -> list[str]:\n    \"\"\"Load.\n\n    More.\n    \"\"\"\n    ..."),
            ("python", "async def load(\n    path,\n):\n    raise NotImplementedError"),
            ("python", "def load(path: str) -> dict[str, int]:"),
            ("python", "@cached\ndef load(path: str):\n    # Read it.\n    pass"),
            ("go", "func Load(path string) ([]byte, error)"),
            ("cpp", "std::vector<int> Shop::load(const std::string &path) const\n{\n}"),
            ("rust", "fn load(path: &Path) -> Vec<u8> {\n    todo!()\n}"),
            ("rust", "pub fn load(path: &Path) -> io::Result<Vec<u8>> {\n}"),
            ("rust", "fn load(path: &Path) -> Vec<u8> {}"),
            ("rust", "fn load(path: &Path) -> Vec<u8>"),
            ("go", "func Load(path string) ([]byte, error) {\n\tpanic(\"not implemented\")\n}"),
            ("go", "func Load(path string) ([]byte, error) {\n}"),
            ("java", "public int sum(List<Integer> values) {\n    throw new UnsupportedOperationException();\n}"),
            ("typescript", "function load(path: string): Item[] {\n  throw new Error(\"Not implemented\");\n}"),
            ("typescript", "export const load = (path: string): Item[] => {}"),
            ("c", "int sum(const int *values, size_t count);"),
            ("c", "static int sum(const int *values, size_t count)\n{\n}"),
            ("ruby", "def load(path)\nend"),
            ("ruby", "def load(path)\n  raise NotImplementedError\nend"),
            ("kotlin", "fun load(path: String): List<Int> = TODO(\"soon\")"),
            ("lua", "function M.load(path)\nend"),
        ] {
            assert!(is_unfinished(by_id(language), text), "{language}: {text}");
        }
    }

    #[test]
    fn finished_code_is_not() {
        for (language, text) in [
            ("python", ""),
            ("python", "  \n\t\n"),
            ("python", "def load(path):\n    return open(path).read()"),
            ("python", "def area(width, height=1):\n    return width * height"),
            ("python", "def stop(self):\n    self.done = True\n    return"),
            ("python", "class Error(Exception):\n    code = 4\n\n    def show(self):\n        print(self)"),
            ("python", "# A helper.\ntotal = sum(prices)"),
            ("python", "print(load(path))"),
            ("python", "for item in items:\n    pass"),
            ("rust", "fn load(path: &Path) -> Vec<u8> {\n    fs::read(path).unwrap_or_default()\n}"),
            ("rust", "let total = prices.iter().sum();"),
            ("rust", "if x {}"),
            ("go", "func Load(path string) ([]byte, error) {\n\treturn os.ReadFile(path)\n}"),
            ("java", "int total = sum(values);"),
            ("javascript", "load(path);"),
            ("javascript", "if (ready) {\n}"),
            ("c", "int sum(const int *values, size_t count)\n{\n    return count ? values[0] : 0;\n}"),
            ("ruby", "def load(path)\n  File.read(path)\nend"),
        ] {
            assert!(!is_unfinished(by_id(language), text), "{language}: {text}");
        }
    }

    #[test]
    fn what_is_long_is_not_looked_at() {
        assert!(!is_unfinished(by_id("python"), &"# line\n".repeat(LONGEST)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_an_answer(text in "(\\PC|\n|\\{|\\}|\\(|\\)|\"\"\"|#|//|/\\*|\\*/){0,60}", language in "python|rust|c|html|plaintext") {
            is_unfinished(by_id(&language), &text);
        }
    }
}
