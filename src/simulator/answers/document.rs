//! Documentation: a docstring or doc comment for what has none, in the language's convention.

use super::code::{Code, edited, fenced, is_callable};
use super::place;
use super::tree;
use super::words::sentence;
use crate::workspace::Span;
use crate::workspace::syntax::{Item, ItemKind};

/// The answer: the selection with documentation, and a note.
pub(super) fn answer(code: &Code) -> String {
    let items = code.selected_items().into_iter().map(|at| &code.items[at]);
    let wanted = items.filter(|item| code.has(item) && is_documented_kind(code, item) && !code.is_local(item));
    let edits: Vec<(Span, String)> = wanted.filter_map(|item| edit(code, item)).collect();
    let what = if edits.is_empty() {
        "nothing in this selection lacks documentation that the code itself could give, so nothing was changed."
    } else {
        "the sentences are made from names, defaults and what is raised."
    };
    let block = fenced(code.language.fence, &edited(code, edits));
    format!("{block}\n\nSimulated answer, no model has read this code: {what}")
}

fn is_documented_kind(code: &Code, item: &Item) -> bool {
    match item.kind {
        ItemKind::Function
        | ItemKind::Method
        | ItemKind::Class
        | ItemKind::Struct
        | ItemKind::Enum
        | ItemKind::Interface => {
            // An `impl` is no definition of its own.
            !(code.language.id == "rust" && item.kind == ItemKind::Class)
        }
        ItemKind::Module | ItemKind::Constant | ItemKind::Other => false,
    }
}

fn edit(code: &Code, item: &Item) -> Option<(Span, String)> {
    if code.language.family() == "python" {
        return docstring(code, item);
    }
    if place::has_comment(code, item) {
        return None;
    }
    place::above(code, item, &comment(code, item)?)
}

/// The lines of a comment above an item.
fn comment(code: &Code, item: &Item) -> Option<Vec<String>> {
    let summary = summary(code, item);
    let each = |mark: &str, lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| format!("{mark}{line}").trim_end().to_owned()).collect()
    };
    let mut tagged = vec![summary.clone()];
    let tags = tags(code, item);
    if !tags.is_empty() {
        tagged.push(String::new());
        tagged.extend(tags);
    }
    Some(match code.language.family() {
        "rust" => each("/// ", &[summary]),
        "go" => each("// ", &[format!("{} does what its name says.", item.name)]),
        "csharp" => each("/// ", &["<summary>".to_owned(), summary, "</summary>".to_owned()]),
        "javascript" | "typescript" | "java" | "php" | "kotlin" => place::star_comment(&tagged),
        "c" | "cpp" => vec![format!("/** {summary} */")],
        "ruby" | "shellscript" | "elixir" => each("# ", &tagged),
        "lua" => each("--- ", &tagged),
        _ => {
            let mark = code.language.line_comment?;
            each(&format!("{mark} "), &[summary])
        }
    })
}

fn summary(code: &Code, item: &Item) -> String {
    if matches!(item.name.as_str(), "constructor" | "initialize" | "__construct" | "__init__") {
        let class = code.class_of(item).map_or("object", |class| class.name.as_str());
        return format!("Create a new {class}.");
    }
    sentence(&item.name)
}

/// What each language's tags say about parameters and errors.
fn tags(code: &Code, item: &Item) -> Vec<String> {
    if !is_callable(item) || matches!(code.language.family(), "shellscript" | "elixir") {
        return Vec::new();
    }
    let family = code.language.family();
    let mut tags = Vec::new();
    for parameter in code.parameters(item) {
        let name = &parameter.name;
        if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let default =
            parameter.default.as_ref().map(|default| code.of(default)).filter(|default| !default.contains('\n'));
        let Some(default) = default else { continue };
        tags.push(match family {
            "php" => format!("@param mixed ${name} Defaults to {default}."),
            "javascript" | "typescript" => format!("@param {name} - Defaults to `{default}`."),
            _ => format!("@param {name} Defaults to {default}."),
        });
    }
    // A type in a documentation tag is a claim about types, which this action does not make for PHP.
    tags.retain(|tag| !tag.starts_with("@param mixed"));
    let throws = match family {
        "ruby" => "@raise",
        "lua" => return tags,
        _ => "@throws",
    };
    for raised in code.facts(item).raises {
        let name: String = raised.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.starts_with(char::is_uppercase) {
            tags.push(match family {
                "ruby" => format!("{throws} [{name}]"),
                "javascript" | "typescript" => format!("{throws} {name}"),
                _ => format!("{throws} {name} if it cannot be done."),
            });
        }
    }
    tags
}

/// A docstring, first in the body.
fn docstring(code: &Code, item: &Item) -> Option<(Span, String)> {
    let body = tree::covering(code.tree()?, item.body.as_ref()?)?;
    let first = tree::children(body).into_iter().find(|child| child.kind() != "comment")?;
    if code.of(&first.byte_range()).trim_start_matches(['r', 'R', 'b', 'u', 'f']).starts_with(['"', '\'']) {
        return None;
    }
    let start = body.start_byte().min(first.start_byte());
    let line = code.text[..start].rfind('\n').map_or(0, |at| at + 1);
    let indent = &code.text[line..start];
    if !indent.chars().all(|c| c == ' ' || c == '\t') {
        // `def f(): return 1`
        return None;
    }
    let end = place::line_end(code);
    let mut lines = vec![summary(code, item)];
    if is_callable(item) {
        let defaults: Vec<String> = code
            .parameters(item)
            .iter()
            .filter_map(|parameter| {
                let default = code.of(parameter.default.as_ref()?);
                let plain = !default.contains(['\n', '\\', '"']);
                plain.then(|| format!("    {}: Defaults to ``{default}``.", parameter.name))
            })
            .collect();
        if !defaults.is_empty() {
            lines.extend([String::new(), "Args:".to_owned()]);
            lines.extend(defaults);
        }
        let raises: Vec<String> = code
            .facts(item)
            .raises
            .iter()
            .map(|raised| {
                raised.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '.').collect::<String>()
            })
            .filter(|name| name.starts_with(char::is_uppercase))
            .map(|name| format!("    {name}: If it cannot be done."))
            .collect();
        if !raises.is_empty() {
            lines.extend([String::new(), "Raises:".to_owned()]);
            lines.extend(raises);
        }
    }
    let text = if lines.len() == 1 {
        // The convention has a blank line behind the docstring of a class.
        let gap = if is_callable(item) { "" } else { end };
        format!("\"\"\"{}\"\"\"{gap}{end}{indent}", lines[0])
    } else {
        let mut text = format!("\"\"\"{}", lines[0]);
        for line in &lines[1..] {
            text.push_str(end);
            if !line.is_empty() {
                text.push_str(indent);
                text.push_str(line);
            }
        }
        format!("{text}{end}{indent}\"\"\"{end}{indent}")
    };
    Some((start..start, text))
}
