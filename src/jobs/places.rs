//! The places of requests: at most `max_running` at once, and a fair order for those who wait.
//!
//! First come, first served would let two hundred explanations stand in front of one edit. So a free place goes to what
//! somebody looks at right now, then to the actions in turn, within an action to the documents in turn, and only within a
//! document to who came first. Whatever waits, an edit or another document's explanation is delayed by one place for each
//! action that is waited for, not by everybody who came before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How soon a request is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Somebody's pointer rests on the place; there is never more than one of these.
    Now,
    /// An action that was asked for.
    #[default]
    Asked,
    /// A bet on what may be asked for.
    Ahead,
}

/// Who stands in line with whom: requests of one lane are served in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// How soon it is needed.
    pub urgency: Urgency,
    /// The action's id.
    pub action: String,
    /// The document's URI.
    pub document: String,
}

/// The places that requests share. Clones are the same places.
#[derive(Clone, Debug)]
pub struct Places(Arc<Mutex<Line>>);

/// A number in a lane. Who gives a place back and comes again with the same number stands where it stood.
#[derive(Debug)]
pub struct Ticket {
    lane: Lane,
    number: u64,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place(Places);

#[derive(Debug)]
struct Line {
    limit: usize,
    taken: usize,
    numbers: u64,
    waiting: BTreeMap<Urgency, Ring<Ring<Waiting>>>,
}

/// Those who wait in a lane, by their numbers.
type Waiting = BTreeMap<u64, oneshot::Sender<()>>;

/// Things that get their turn one after the other, by name.
#[derive(Debug)]
struct Ring<T>(VecDeque<(String, T)>);

impl Places {
    /// So many places, at least one.
    pub fn new(limit: usize) -> Self {
        let waiting = BTreeMap::new();
        Self(Arc::new(Mutex::new(Line { limit: limit.max(1), taken: 0, numbers: 0, waiting })))
    }

    /// From now on there are so many. Requests that run keep their places, also when these are more.
    pub fn set_limit(&self, limit: usize) {
        let mut line = self.line();
        line.limit = limit.max(1);
        line.serve();
    }

    /// Draws a number.
    pub fn ticket(&self, lane: Lane) -> Ticket {
        let mut all = self.line();
        all.numbers += 1;
        Ticket { lane, number: all.numbers }
    }

    /// A place if one is free and nobody waits for it.
    pub fn try_enter(&self) -> Option<Place> {
        let mut line = self.line();
        let free = line.taken < line.limit && line.waiting.is_empty();
        line.taken += usize::from(free);
        free.then(|| Place(self.clone()))
    }

    /// Waits for a place. Who stops waiting (by dropping the future) leaves the line.
    pub async fn enter(&self, ticket: &Ticket) -> Place {
        let (sender, granted) = oneshot::channel();
        {
            let mut line = self.line();
            let lanes = line.waiting.entry(ticket.lane.urgency).or_default();
            lanes.named(&ticket.lane.action).named(&ticket.lane.document).insert(ticket.number, sender);
            line.serve();
        }
        let mut waiter = Waiter { places: self, ticket, granted, served: false };
        // Only the waiter itself takes the sender out of the line without using it.
        let _ = (&mut waiter.granted).await;
        waiter.served = true;
        Place(self.clone())
    }

    /// How many run, and how many wait.
    pub fn count(&self) -> (usize, usize) {
        let line = self.line();
        let lanes = line.waiting.values().flat_map(|actions| &actions.0).flat_map(|(_, documents)| &documents.0);
        (line.taken, lanes.map(|(_, waiters)| waiters.len()).sum())
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.taken -= 1;
        line.serve();
    }
}

/// Somebody in line, who leaves it when dropped.
struct Waiter<'a> {
    places: &'a Places,
    ticket: &'a Ticket,
    granted: oneshot::Receiver<()>,
    served: bool,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.served {
            return;
        }
        let mut line = self.places.line();
        self.granted.close();
        if self.granted.try_recv().is_ok() {
            // The place came at the moment when nobody waited for it any more.
            line.taken -= 1;
        } else {
            line.leave(self.ticket);
        }
        line.serve();
    }
}

impl Line {
    /// Gives free places to those who wait.
    fn serve(&mut self) {
        while self.taken < self.limit {
            let Some(next) = self.next() else { return };
            // Who left meanwhile needs none.
            self.taken += usize::from(next.send(()).is_ok());
        }
    }

    fn next(&mut self) -> Option<oneshot::Sender<()>> {
        let mut first = self.waiting.first_entry()?;
        let next =
            first.get_mut().turn(|documents| documents.turn(|waiters| waiters.pop_first().map(|(_, next)| next)));
        if first.get().is_empty() {
            first.remove();
        }
        next
    }

    fn leave(&mut self, ticket: &Ticket) {
        let Lane { urgency, action, document } = &ticket.lane;
        let Some(actions) = self.waiting.get_mut(urgency) else { return };
        actions.named(action).named(document).remove(&ticket.number);
        actions.named(action).0.retain(|(_, waiters)| !waiters.is_empty());
        actions.0.retain(|(_, documents)| !documents.is_empty());
        if actions.is_empty() {
            self.waiting.remove(urgency);
        }
    }
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Default + Emptiable> Ring<T> {
    /// The one of this name; a new one stands at the end.
    fn named(&mut self, name: &str) -> &mut T {
        let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push_back((name.to_owned(), T::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Lets the first of them give what it has to give; then it is the turn of the others.
    fn turn<R>(&mut self, mut give: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let (name, mut first) = self.0.pop_front()?;
        let given = give(&mut first);
        if !first.is_empty() {
            self.0.push_back((name, first));
        }
        given
    }
}

trait Emptiable {
    fn is_empty(&self) -> bool;
}

impl<T> Emptiable for Ring<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V> Emptiable for BTreeMap<u64, V> {
    fn is_empty(&self) -> bool {
        BTreeMap::is_empty(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use proptest::prelude::*;

    use super::*;

    fn lane(urgency: Urgency, action: &str, document: &str) -> Lane {
        Lane { urgency, action: action.to_owned(), document: document.to_owned() }
    }

    fn asked(action: &str, document: &str) -> Lane {
        lane(Urgency::Asked, action, document)
    }

    /// People in line, polled by hand.
    struct Crowd {
        places: Places,
        waiting: Vec<(String, BoxFuture<'static, Place>)>,
        inside: VecDeque<Place>,
    }

    impl Crowd {
        fn new(limit: usize) -> Self {
            Self { places: Places::new(limit), waiting: Vec::new(), inside: VecDeque::new() }
        }

        fn joins(&mut self, name: &str, lane: Lane) {
            let (places, ticket) = (self.places.clone(), self.places.ticket(lane));
            let waits = async move { places.enter(&ticket).await }.boxed();
            self.waiting.push((name.to_owned(), waits));
            assert!(self.entered().is_empty() || self.inside.len() <= 1);
        }

        /// Who has got a place since.
        fn entered(&mut self) -> Vec<String> {
            let mut names = Vec::new();
            let mut at = 0;
            while at < self.waiting.len() {
                match (&mut self.waiting[at].1).now_or_never() {
                    Some(place) => {
                        self.inside.push_back(place);
                        names.push(self.waiting.remove(at).0);
                    }
                    None => at += 1,
                }
            }
            names
        }

        /// The order in which all get their turn, one place at a time.
        fn order(&mut self) -> String {
            let mut order = String::new();
            while self.inside.pop_front().is_some() {
                for name in self.entered() {
                    order.push_str(&name);
                    order.push(' ');
                }
            }
            order.trim_end().to_owned()
        }
    }

    #[test]
    fn a_free_place_is_there_at_once() {
        let places = Places::new(2);
        let first = places.try_enter().expect("it is free");
        let _second = places.try_enter().expect("it is free");
        assert!(places.try_enter().is_none());
        drop(first);
        assert!(places.try_enter().is_some());
    }

    #[test]
    fn two_hundred_explanations_delay_others_by_a_place() {
        let mut crowd = Crowd::new(1);
        crowd.joins("x", asked("explain", "a"));
        for number in 0..200 {
            crowd.joins(&format!("e{number}"), asked("explain", "a"));
        }
        crowd.joins("other", asked("explain", "b"));
        crowd.joins("edit", asked("document", "a"));
        crowd.joins("warm", lane(Urgency::Ahead, "prewarm", "a"));
        crowd.joins("hover", lane(Urgency::Now, "hover", "a"));
        assert_eq!(crowd.places.count(), (1, 204));
        let order = crowd.order();
        assert!(order.starts_with("hover e0 edit other e1 e2 e3"), "{}", &order[..60]);
        assert!(order.ends_with("e198 e199 warm"), "{}", &order[order.len() - 60..]);
        assert_eq!(crowd.places.count(), (0, 0));
    }

    #[test]
    fn who_comes_again_with_its_number_stands_where_it_stood() {
        let mut crowd = Crowd::new(1);
        let first = crowd.places.ticket(asked("explain", "a"));
        crowd.joins("x", asked("document", "a"));
        crowd.joins("late", asked("explain", "a"));
        let places = crowd.places.clone();
        crowd.waiting.push(("first".to_owned(), async move { places.enter(&first).await }.boxed()));
        assert_eq!(crowd.entered(), Vec::<String>::new());
        assert_eq!(crowd.order(), "first late");
    }

    #[test]
    fn who_leaves_holds_up_nobody() {
        let mut crowd = Crowd::new(1);
        crowd.joins("x", asked("explain", "a"));
        for name in ["a", "b", "c"] {
            crowd.joins(name, asked("explain", name));
        }
        // One leaves while it waits, the other when its place is there already.
        drop(crowd.waiting.remove(1));
        crowd.inside.clear();
        drop(crowd.waiting.remove(0));
        assert_eq!(crowd.entered(), ["c"]);
        assert_eq!(crowd.places.count(), (1, 0));
    }

    #[test]
    fn more_places_are_given_at_once_and_fewer_when_they_are_free() {
        let mut crowd = Crowd::new(1);
        for name in ["a", "b", "c", "d"] {
            crowd.joins(name, asked("explain", "a"));
        }
        crowd.places.set_limit(3);
        assert_eq!(crowd.entered(), ["b", "c"]);
        crowd.places.set_limit(1);
        crowd.inside.pop_front();
        crowd.inside.pop_front();
        assert!(crowd.entered().is_empty(), "one still runs");
        crowd.inside.pop_front();
        assert_eq!(crowd.entered(), ["d"]);
    }

    proptest! {
        /// Whoever comes, leaves and ends, in whatever order: never more than the limit, no place is lost, nobody is forgotten,
        /// and within a lane numbers are served in order.
        #[test]
        fn nobody_is_lost(
            limit in 1_usize..4,
            steps in prop::collection::vec((0_u8..4, 0_u8..3, 0_u8..3, any::<prop::sample::Index>()), 1..120),
        ) {
            let mut crowd = Crowd { places: Places::new(limit), waiting: Vec::new(), inside: VecDeque::new() };
            let mut served: HashMap<String, u64> = HashMap::new();
            let mut number = 0_u64;
            for (what, action, document, which) in steps {
                match what {
                    0 | 1 => {
                        number += 1;
                        let urgency = [Urgency::Now, Urgency::Asked, Urgency::Ahead][usize::from(document)];
                        let ticket = crowd.places.ticket(lane(urgency, &action.to_string(), &document.to_string()));
                        let places = crowd.places.clone();
                        let name = format!("{action}/{document} {number}");
                        crowd.waiting.push((name, async move { places.enter(&ticket).await }.boxed()));
                    }
                    2 if !crowd.waiting.is_empty() => drop(crowd.waiting.remove(which.index(crowd.waiting.len()))),
                    3 if !crowd.inside.is_empty() => drop(crowd.inside.remove(which.index(crowd.inside.len()))),
                    _ => {}
                }
                for name in crowd.entered() {
                    let (lane, number) = name.split_once(' ').expect("a lane and a number");
                    let number: u64 = number.parse().expect("a number");
                    let before = served.insert(lane.to_owned(), number);
                    prop_assert!(before.is_none_or(|before| before < number), "{name}");
                }
                prop_assert!(crowd.inside.len() <= limit);
                prop_assert!(crowd.waiting.is_empty() || crowd.inside.len() == limit, "a place is free");
                prop_assert_eq!(crowd.places.count(), (crowd.inside.len(), crowd.waiting.len()));
            }
        }
    }
}
