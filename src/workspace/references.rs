//! What code refers to, by syntax alone: which names it uses, where the project defines them, who calls it.
//!
//! No types are inferred and no other server is asked, so `x.load()` leads nowhere unless `x` is a module or a class. What
//! is found is what the imports, the customs of the language and the project's manifests say; it can be incomplete, and
//! for names that are shadowed even wrong, which is good enough for a reader and not for a program that edits code.

mod callers;
mod definition;
mod imports;
mod modules;
mod names;
mod project;
mod search;

pub use callers::{Caller, callers};
pub use definition::Definition;
pub use imports::{Import, imports};
pub use names::{Name, Role, names};
pub use project::{Project, Source};
pub use search::{definitions, own_definitions};
