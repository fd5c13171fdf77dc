//! Single flight: of several requests with the same cold prefix one goes first, and the others start when its answer begins,
//! because only then what it writes to the cache can be read.
//!
//! A request claims all its cold prefixes at once or none, and holds nothing while it waits, so nobody waits in a circle. A
//! claim ends when the answer begins, when an attempt fails, and when the request is dropped, whichever comes first; then
//! all who wait look again, and the first of them goes next if the prefix is still cold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::prompt::warmth::PrefixKey;

/// How long anybody waits for other answers to begin: longer than answers need, and shorter than the patience with a
/// server that is stuck.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The prefixes that are being written by requests of this process whose answer has not begun.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    board: Arc<Mutex<Board>>,
}

#[derive(Debug, Default)]
struct Board {
    leaders: BTreeMap<PrefixKey, CancellationToken>,
    /// How many wait for each prefix.
    waiting: BTreeMap<PrefixKey, usize>,
}

/// What a request is to do.
#[derive(Debug)]
pub(super) enum Turn {
    /// Be sent.
    Go(Claim),
    /// Wait until it has landed, then look again.
    Wait(Follower),
}

/// The right to go first with some prefixes.
#[derive(Debug)]
pub(super) struct Claim {
    flights: Flights,
    keys: Vec<PrefixKey>,
    landed: CancellationToken,
    /// Whether others wait for what this request will write.
    pub(super) crowded: bool,
}

/// A place behind a request that goes first; to be kept until the next turn is known.
#[derive(Debug)]
pub(super) struct Follower {
    flights: Flights,
    key: PrefixKey,
    /// Cancelled when it is time to look again.
    pub(super) landed: CancellationToken,
}

impl Flights {
    /// The turn of a request that would write the prefixes `cold`, shortest first, and that waited as `before`.
    pub(super) fn enter(&self, cold: &[PrefixKey], before: Option<&Follower>) -> Turn {
        let mut board = self.lock();
        // The longest shared prefix is the one worth waiting for.
        let taken = cold.iter().rev().find_map(|key| Some((*key, board.leaders.get(key)?.clone())));
        if let Some((key, landed)) = taken {
            *board.waiting.entry(key).or_default() += 1;
            return Turn::Wait(Follower { flights: self.clone(), key, landed });
        }
        let waiting = |key: &PrefixKey| {
            let own = usize::from(before.is_some_and(|before| before.key == *key));
            board.waiting.get(key).is_some_and(|count| *count > own)
        };
        let crowded = cold.iter().any(waiting);
        let landed = CancellationToken::new();
        board.leaders.extend(cold.iter().map(|key| (*key, landed.clone())));
        drop(board);
        Turn::Go(Claim { flights: self.clone(), keys: cold.to_vec(), landed, crowded })
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// The claim, to be given on; what is left claims nothing.
    pub(super) fn take(&mut self) -> Self {
        let keys = std::mem::take(&mut self.keys);
        Self { flights: self.flights.clone(), keys, landed: std::mem::take(&mut self.landed), crowded: self.crowded }
    }

    /// The answer has begun, or nothing comes of this attempt: the others may go.
    pub(super) fn land(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        self.flights.lock().leaders.retain(|key, _| !keys.contains(key));
        self.landed.cancel();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.land();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut board = self.flights.lock();
        if let Some(count) = board.waiting.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                board.waiting.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> PrefixKey {
        PrefixKey::root("settings").and(text)
    }

    fn go(turn: Turn) -> Claim {
        match turn {
            Turn::Go(claim) => claim,
            Turn::Wait(_) => panic!("nobody is in front"),
        }
    }

    fn wait(turn: Turn) -> Follower {
        match turn {
            Turn::Wait(follower) => follower,
            Turn::Go(_) => panic!("somebody is in front"),
        }
    }

    #[test]
    fn one_goes_first_and_the_next_when_it_has_landed() {
        let flights = Flights::default();
        let [system, document, other] = [key("system"), key("document"), key("other")];
        let mut first = go(flights.enter(&[system, document], None));
        let same = wait(flights.enter(&[system, document], None));
        let neighbour = wait(flights.enter(&[system, other], None));
        assert!(!same.landed.is_cancelled() && !neighbour.landed.is_cancelled());
        first.land();
        assert!(same.landed.is_cancelled() && neighbour.landed.is_cancelled());
        // Nothing was written: the next one claims what is still cold, and the neighbour waits for it.
        let next = go(flights.enter(&[system, document], Some(&same)));
        assert!(next.crowded, "the neighbour waits for the system prompt");
        drop(first);
        let again = wait(flights.enter(&[system, other], Some(&neighbour)));
        drop((next, same, neighbour));
        assert!(again.landed.is_cancelled(), "dropped is landed");
        let last = go(flights.enter(&[system, other], Some(&again)));
        assert!(!last.crowded, "only itself had waited");
        drop((last, again));
        let board = flights.lock();
        assert!(board.leaders.is_empty() && board.waiting.is_empty(), "{board:?}");
    }

    #[test]
    fn who_has_nothing_to_write_never_waits() {
        let flights = Flights::default();
        let _first = go(flights.enter(&[key("system")], None));
        go(flights.enter(&[], None));
        go(flights.enter(&[key("elsewhere")], None));
    }

    #[tokio::test]
    async fn a_hundred_at_once_all_get_their_turn_whatever_becomes_of_the_first() {
        let flights = Flights::default();
        let warm = Arc::new(Mutex::new(false));
        let tasks = (0..100).map(|number| {
            let (flights, warm) = (flights.clone(), warm.clone());
            tokio::spawn(async move {
                let mut before = None;
                loop {
                    let cold: &[PrefixKey] = if *warm.lock().expect("no panic") { &[] } else { &[key("system")] };
                    match flights.enter(cold, before.as_ref()) {
                        Turn::Wait(follower) => {
                            follower.landed.cancelled().await;
                            before = Some(follower);
                        }
                        Turn::Go(mut claim) => {
                            tokio::task::yield_now().await;
                            // The first ten fail in one of two ways.
                            if number >= 10 {
                                *warm.lock().expect("no panic") = true;
                            }
                            if number % 2 == 0 {
                                claim.land();
                            }
                            return;
                        }
                    }
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("everybody had a turn");
        }
    }
}
