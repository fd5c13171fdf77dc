//! The difference of two sequences of anything that can be told apart.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

/// What leads from `old` to `new`. After the deadline what is left is one replacement.
///
/// Items are told apart once and are numbers from then on, so that the algorithms are in the program for numbers
/// alone, and not once more for each kind of item.
pub(crate) fn difference<T: Eq + Hash>(
    algorithm: Algorithm,
    old: &[T],
    new: &[T],
    deadline: Option<Instant>,
) -> Vec<DiffOp> {
    let mut numbers = HashMap::new();
    let (old, new) = (numbered(old, &mut numbers), numbered(new, &mut numbers));
    of_numbers(algorithm, &old, &new, deadline)
}

/// The same for what is numbers already.
pub(crate) fn of_numbers(algorithm: Algorithm, old: &[u64], new: &[u64], deadline: Option<Instant>) -> Vec<DiffOp> {
    capture_diff_slices_deadline(algorithm, old, new, deadline)
}

fn numbered<'a, T: Eq + Hash>(items: &'a [T], numbers: &mut HashMap<&'a T, u64>) -> Vec<u64> {
    items
        .iter()
        .map(|item| {
            let next = numbers.len() as u64;
            *numbers.entry(item).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_differ_where_the_items_do(old in "[abcd]{0,30}", new in "[abcd]{0,30}") {
            let parts = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
            let (old, new) = (parts(&old), parts(&new));
            for algorithm in [Algorithm::Myers, Algorithm::Histogram] {
                let ops = difference(algorithm, &old, &new, None);
                prop_assert_eq!(&ops, &capture_diff_slices_deadline(algorithm, &old, &new, None));
                let made: Vec<String> = ops
                    .iter()
                    .flat_map(|op| match op {
                        DiffOp::Equal { .. } => old[op.old_range()].to_vec(),
                        _ => new[op.new_range()].to_vec(),
                    })
                    .collect();
                prop_assert_eq!(made, new.clone());
            }
        }
    }
}
