//! The tools of conversations, as the model is told of them.
//!
//! One list for all conversations: tools come first in the prompt, so another list is another cache. What a call does is
//! decided elsewhere; here are names, words and schemas.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::claude::types::Tool;

/// Lines of a file: `path`, `start_line?`, `end_line?`.
pub const READ_FILE: &str = "read_file";
/// A pattern in many files: `pattern`, `path?`, `glob?`, `literal?`, `ignore_case?`.
pub const SEARCH: &str = "search";
/// What is in a folder: `path?`, `glob?`, `depth?`.
pub const LIST_FILES: &str = "list_files";
/// The items of a file: `path`.
pub const OUTLINE: &str = "outline";
/// What defines a name: `name`, `path?`.
pub const FIND_DEFINITION: &str = "find_definition";
/// Something wrong in the code: `start_line`, `end_line`, `severity`, `category`, `message`, `replacement?`.
pub const REPORT_FINDING: &str = "report_finding";

/// The tools, in the order in which they are sent.
pub fn definitions() -> &'static [Tool] {
    static DEFINITIONS: LazyLock<Vec<Tool>> = LazyLock::new(|| TABLE.iter().map(|row| row()).collect());
    &DEFINITIONS
}

const TABLE: &[fn() -> Tool] = &[read_file, search, list_files, outline, find_definition, report_finding];

fn read_file() -> Tool {
    tool(
        READ_FILE,
        "Reads a text file of the project as it is now, also where it is not saved yet. Without lines it gives the file from \
         its beginning; a long file is cut, and the result says so. Ask for the lines you need when you know them.",
        &json!({
            "path": path("The file, from the project's folder, such as `src/store.py`."),
            "start_line": line("The first line, from 1. Left out: 1."),
            "end_line": line("The last line, included. Left out: as far as fits."),
        }),
        &["path"],
    )
}

fn search() -> Tool {
    tool(
        SEARCH,
        "Searches the project's text files for a regular expression (Rust's syntax, line by line) and gives the lines that \
         match, with their numbers. Files that the project ignores are left out. At most 100 lines come back: choose a pattern, \
         a folder or a glob that is narrow enough.",
        &json!({
            "pattern": {"type": "string", "description": "The regular expression, such as `def load\\b` or `TODO|FIXME`."},
            "path": path("Only this file, or what is in this folder."),
            "glob": {"type": "string", "description": "Only files whose path fits, such as `*.py` or `src/**/*.ts`."},
            "literal": {"type": "boolean", "description": "Takes the pattern as plain text."},
            "ignore_case": {"type": "boolean", "description": "Takes capitals and small letters as the same."},
        }),
        &["pattern"],
    )
}

fn list_files() -> Tool {
    tool(
        LIST_FILES,
        "Lists the files of the project, or of one of its folders, without those that the project ignores. Folders end in `/`. \
         At most 300 entries come back.",
        &json!({
            "path": path("The folder; left out, the project's own."),
            "glob": {"type": "string", "description": "Only files whose path fits, such as `*.py` or `src/**/*.ts`."},
            "depth": {"type": "integer", "minimum": 1, "description": "How many levels of folders; left out, 2, or all with a glob."},
        }),
        &[],
    )
}

fn outline() -> Tool {
    tool(
        OUTLINE,
        "Gives the functions, classes and other named items of a source file, each with its lines and its signature. Cheaper \
         than reading the file when you look for a place in it.",
        &json!({ "path": path("The file, from the project's folder.") }),
        &["path"],
    )
}

fn find_definition() -> Tool {
    tool(
        FIND_DEFINITION,
        "Finds what defines a name (a function, a method, a class, a constant) in the project's source files, by their syntax, \
         and gives the code with its place. Names of libraries are not found.",
        &json!({
            "name": {"type": "string", "description": "The name, such as `load`, or with what it is in, such as `Store.load`."},
            "path": path("Only this file, or what is in this folder."),
        }),
        &["name"],
    )
}

fn report_finding() -> Tool {
    tool(
        REPORT_FINDING,
        "Reports one finding of a review. Only for tasks that ask for findings. Lines are those that the task numbers. One call \
         for each finding; several calls in one turn are welcome.",
        &json!({
            "start_line": line("The first line of the code that the finding is about."),
            "end_line": line("The last one, included."),
            "severity": {"type": "string", "enum": ["error", "warning", "information", "hint"]},
            "category": {"type": "string", "description": "One or two words in kebab-case, such as `off-by-one` or `resource-leak`."},
            "message": {"type": "string", "description": "What is wrong and what comes of it, in one to three sentences."},
            "replacement": {
                "type": "string",
                "description": "Whole lines that take the place of start_line to end_line, if that mends it and nothing else is needed.",
            },
        }),
        &["start_line", "end_line", "severity", "category", "message"],
    )
}

fn path(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn line(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 1, "description": description })
}

fn tool(name: &str, description: &str, properties: &Value, required: &[&str]) -> Tool {
    Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        input_schema: json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }),
        strict: None,
        eager_input_streaming: None,
        cache_control: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_required_argument_is_described_and_the_bytes_are_the_same_each_time() {
        let names: Vec<&str> = definitions().iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, [READ_FILE, SEARCH, LIST_FILES, OUTLINE, FIND_DEFINITION, REPORT_FINDING]);
        for (tool, made) in definitions().iter().zip(TABLE) {
            for name in tool.input_schema["required"].as_array().unwrap() {
                let property = &tool.input_schema["properties"][name.as_str().unwrap()];
                assert!(property["type"].is_string(), "{}: {name}", tool.name);
            }
            assert_eq!(serde_json::to_string(tool).unwrap(), serde_json::to_string(&made()).unwrap());
        }
    }
}
