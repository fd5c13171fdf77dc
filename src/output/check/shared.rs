//! What two trees have in common, so that it need not be read.
//!
//! A piece of syntax with the same text and the same nodes in both is as good as one token to a comparison. Where a tree
//! followed an edit, most of what did not change is not even looked at: it is the same in memory.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;

/// What is shorter than this, in bytes, is read: looking for it costs more.
const LEAST: usize = 32;

/// Words that are looked for in all of a file; what holds one is always read.
const TELLING: &[&str] = &["import", "__doc__", "docopt", "ply"];

/// The nodes that two trees have in common, by the ids that they have in each.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) before: HashSet<usize>,
    pub(super) after: HashSet<usize>,
}

impl Shared {
    /// Finds them, the largest, below the roots of two trees.
    pub(super) fn of(before: (Node<'_>, &str), after: (Node<'_>, &str)) -> Self {
        let mut shared = Self::default();
        let mut pairs = vec![(before.0, after.0)];
        while let Some((old, new)) = pairs.pop() {
            let new_children = large_children(new);
            let mut twins: HashMap<&str, Vec<Node<'_>>> = HashMap::new();
            for child in new_children.iter().rev() {
                twins.entry(&after.1[child.byte_range()]).or_default().push(*child);
            }
            let mut changed = Vec::new();
            let mut left = HashSet::new();
            for child in large_children(old) {
                let text = &before.1[child.byte_range()];
                match twins.get_mut(text).and_then(Vec::pop).filter(|twin| same(child, *twin)) {
                    Some(twin) => {
                        left.insert(twin.id());
                        if !TELLING.iter().any(|word| text.contains(word)) {
                            shared.before.insert(child.id());
                            shared.after.insert(twin.id());
                        }
                    }
                    None => changed.push(child),
                }
            }
            // What changed may hold more that did not.
            let new_changed = || new_children.iter().filter(|child| !left.contains(&child.id()));
            if changed.len() == new_changed().count() {
                let all = changed.into_iter().zip(new_changed().copied());
                pairs.extend(all.filter(|(old, new)| old.kind_id() == new.kind_id()));
            }
        }
        shared
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty()
    }
}

fn large_children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let large = |child: &Node<'_>| child.is_named() && child.byte_range().len() >= LEAST && child.child_count() > 0;
    node.children(&mut cursor).filter(large).collect()
}

/// Whether two nodes of the same text hold the same nodes. An id is the place in memory where a node's parent keeps it.
fn same(old: Node<'_>, new: Node<'_>) -> bool {
    let (mut before, mut after) = (old.walk(), new.walk());
    loop {
        let (old, new) = (before.node(), after.node());
        let alike = old.kind_id() == new.kind_id()
            && old.byte_range().len() == new.byte_range().len()
            && old.child_count() == new.child_count();
        if !alike {
            return false;
        }
        if old.id() != new.id() && before.goto_first_child() && after.goto_first_child() {
            continue;
        }
        while !(before.goto_next_sibling() && after.goto_next_sibling()) {
            if !(before.goto_parent() && after.goto_parent()) {
                return true;
            }
        }
    }
}
