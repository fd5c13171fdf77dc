//! From a name to what defines it: through imports, re-exports and modules, to the item.

use std::path::Path;
use std::rc::Rc;

use super::definition::Definition;
use super::imports::Import;
use super::modules::{places, unimported};
use super::names::Name;
use super::project::{Project, Source};
use crate::workspace::language::Grammar;
use crate::workspace::syntax::{Item, ItemKind};

/// A name goes through so many files at most: packages re-export what their modules define.
const MAX_HOPS: usize = 4;

/// So many imports without names are searched for one name.
const MAX_OPEN_IMPORTS: usize = 16;

/// What defines a name that `from` uses, in files of the project: the thing itself first, then the class it is in. Nothing
/// for what `from` defines itself.
pub fn definitions(project: &Project<'_>, from: &Rc<Source>, name: &Name) -> Vec<Definition> {
    let parts = name.parts.as_slice();
    let Some(head) = parts.first().filter(|head| !head.is_empty()) else { return Vec::new() };
    let bound = |import: &&Import| !import.is_all() && parts.starts_with(&import.local);
    // The last of equal ones: later imports shadow earlier ones.
    let import = from.imports().iter().filter(bound).max_by_key(|import| import.local.len());
    let found = match import {
        Some(import) => through(project, from, import, parts, MAX_HOPS),
        None if from.named(head).iter().any(|at| is_outermost(&from.items[*at], head)) => Vec::new(),
        None => {
            let mut found = Vec::new();
            for place in unimported(project, from, name) {
                let Some(source) = project.source(&place.file) else { continue };
                let target = [&place.within, parts].concat();
                found = find(&source, &target);
                if found.is_empty() {
                    // What stood in front led to the file.
                    found = find(&source, &[&place.within[..], &parts[parts.len() - 1..]].concat());
                }
                if !found.is_empty() {
                    break;
                }
            }
            if found.is_empty() { through_open(project, from, parts, MAX_HOPS) } else { found }
        }
    };
    found.into_iter().filter(|definition| definition.source.path != from.path).collect()
}

/// Whether an item is in no other one, under this very name.
fn is_outermost(item: &Item, name: &str) -> bool {
    item.parent.is_none() && item.name == name
}

/// What defines a name in the same file, outside of `but`: items at the top, and members of what the code is in.
pub fn own_definitions(from: &Rc<Source>, name: &Name, but: &crate::workspace::Span) -> Vec<Definition> {
    let outside = |item: &Item| item.span.end <= but.start || but.end <= item.span.start;
    let parts: Vec<_> = name.parts.iter().skip_while(|part| is_receiver(part)).cloned().collect();
    if parts.is_empty() {
        return Vec::new();
    }
    let mut found = find(from, &parts);
    if parts.len() < name.parts.len() {
        let is_method = |at: &&usize| last(&parts[0]) == parts[0] && from.items[**at].kind == ItemKind::Method;
        let member = from.named(&parts[0]).iter().find(is_method);
        found = member.map(|item| Definition { source: from.clone(), item: *item }).into_iter().collect();
    }
    found.into_iter().filter(|definition| outside(definition.item())).collect()
}

/// What code calls the thing it belongs to.
fn is_receiver(part: &str) -> bool {
    matches!(part, "self" | "this" | "Self" | "cls")
}

/// Through an import that binds the first parts of a name.
fn through(
    project: &Project<'_>,
    from: &Rc<Source>,
    import: &Import,
    parts: &[String],
    hops: usize,
) -> Vec<Definition> {
    let rest = &parts[import.local.len()..];
    let target: Vec<String> = import.item.iter().chain(rest).cloned().collect();
    seek(project, from, &import.module, &target, hops)
}

/// Through the imports that bring all names of a module.
fn through_open(project: &Project<'_>, from: &Rc<Source>, parts: &[String], hops: usize) -> Vec<Definition> {
    let open = from.imports().iter().filter(|import| import.is_all()).take(MAX_OPEN_IMPORTS);
    open.map(|import| seek(project, from, &import.module, parts, hops))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// A name of a module: defined in it, a module below it, or passed on by it.
fn seek(project: &Project<'_>, from: &Rc<Source>, module: &str, target: &[String], hops: usize) -> Vec<Definition> {
    let (Some(left), Some((first, rest))) = (hops.checked_sub(1), target.split_first()) else { return Vec::new() };
    let sources: Vec<_> = places(project, from, module)
        .into_iter()
        .filter_map(|place| Some((project.source(&place.file)?, [&place.within, target].concat())))
        .collect();
    for (source, target) in &sources {
        let found = find(source, target);
        if !found.is_empty() {
            return found;
        }
    }
    if let Some(inner) = inner_module(from, module, first) {
        let found = seek(project, from, &inner, rest, left);
        if !found.is_empty() {
            return found;
        }
    }
    for (source, target) in &sources {
        if source.path == from.path {
            continue;
        }
        let passed = source.imports().iter().find(|import| !import.is_all() && target.starts_with(&import.local));
        let found = match passed {
            Some(import) => through(project, source, import, target, left),
            None => through_open(project, source, target, left),
        };
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The module `name` in another one, as the language writes it.
fn inner_module(from: &Source, module: &str, name: &str) -> Option<String> {
    match from.language.family() {
        "python" if module.ends_with('.') => Some(format!("{module}{name}")),
        "python" => Some(format!("{module}.{name}")),
        "rust" => Some(format!("{module}::{name}")),
        _ => None,
    }
}

/// An item by its path in a file, and the one that it is in; of a path that goes on where nothing is written, the part that
/// is there.
fn find(source: &Rc<Source>, target: &[String]) -> Vec<Definition> {
    let Some((first, rest)) = target.split_first() else { return Vec::new() };
    let Some(mut at) = outermost(source, first) else { return Vec::new() };
    let mut owner = None;
    for part in rest {
        let Some(member) = member(source, at, part) else { break };
        (owner, at) = (Some(at), member);
    }
    let items = &source.items;
    if let Some(owner) = owner
        && items[at].kind == ItemKind::Constant
    {
        // A field or a variant says most in its type.
        at = owner;
    }
    // A module says nothing that is not said by what is in it.
    let owner = owner.filter(|owner| *owner != at && items[*owner].kind != ItemKind::Module);
    let found = [Some(at).filter(|at| items[*at].kind != ItemKind::Module), owner].into_iter().flatten();
    found.map(|item| Definition { source: source.clone(), item }).collect()
}

/// The outermost item of a name; the first of several.
fn outermost(source: &Source, name: &str) -> Option<usize> {
    let items = &source.items;
    if name == "default" && matches!(source.language.family(), "javascript" | "typescript") {
        return default_export(source);
    }
    let is_impl = |item: &Item| item.kind == ItemKind::Class && source.language.grammar == Some(Grammar::Rust);
    let named = |item: &Item| last(&item.name) == name && !is_impl(item);
    let depth = |index: usize| {
        let parents = std::iter::successors(items[index].parent, |parent| items[*parent].parent);
        // Modules and namespaces do not hide what is in them; functions do.
        parents
            .map(|parent| match items[parent].kind {
                ItemKind::Module => Some(0),
                ItemKind::Function | ItemKind::Method => None,
                _ => Some(1),
            })
            .sum::<Option<usize>>()
    };
    let is_type = |item: &Item| {
        matches!(item.kind, ItemKind::Class | ItemKind::Struct | ItemKind::Enum | ItemKind::Interface | ItemKind::Other)
    };
    let found = source.named(name).iter().copied().filter(|index| named(&items[*index]));
    let visible = found.filter_map(|index| Some((depth(index)?, index)));
    // In Java everything is in a class, and members can be imported without it.
    let is_java = source.language.grammar == Some(Grammar::Java);
    visible.filter(|(depth, index)| *depth == 0 || is_java || is_type(&items[*index])).min().map(|(_, index)| index)
}

/// An item directly in another one; in Rust also in an `impl` of it.
fn member(source: &Source, owner: usize, name: &str) -> Option<usize> {
    let items = &source.items;
    let is_owner = |parent: usize| {
        parent == owner
            || (source.language.grammar == Some(Grammar::Rust)
                && items[parent].kind == ItemKind::Class
                && items[parent].name.split('<').next() == Some(items[owner].name.as_str()))
    };
    let is_member = |item: &Item| item.parent.is_some_and(is_owner) && last(&item.name) == name;
    source.named(name).iter().copied().find(|index| is_member(&items[*index]))
}

/// What `export default` or `module.exports =` gives a name to.
fn default_export(source: &Source) -> Option<usize> {
    let text = source.text();
    let at = ["export default ", "module.exports = ", "export = "]
        .iter()
        .find_map(|words| Some(text.find(words)? + words.len()))?;
    let around = |item: &&Item| item.parent.is_none() && item.span.start <= at && at < item.span.end;
    if let Some(item) = source.items.iter().find(around) {
        return source.items.iter().position(|other| other == item);
    }
    let name = text[at..].split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').next()?;
    source.items.iter().position(|item| item.parent.is_none() && item.name == name)
}

/// The last part of a name that is written with what it is in, as `A::b` or `M.f`.
pub(super) fn last(name: &str) -> &str {
    name.rsplit(['.', ':', '\\']).next().unwrap_or(name)
}

impl Definition {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.source.path
    }
}
