use std::collections::HashSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn client(number: usize) -> Client {
    Client::Token(number.to_string().into())
}

#[test]
fn a_hog_does_not_starve_who_asks_for_little() {
    let mut queue = Queue::default();
    for query in 0..100 {
        queue.push(&client(0), ("hog", query));
    }
    queue.push(&client(1), ("modest", 0));
    queue.push(&client(2), ("other", 0));
    queue.push(&client(2), ("other", 1));
    let order: Vec<_> = std::iter::from_fn(|| queue.pop()).take(6).collect();
    assert_eq!(order, [("hog", 0), ("modest", 0), ("other", 0), ("hog", 1), ("other", 1), ("hog", 2)]);
    assert_eq!(queue.len(), 97);
}

/// The queries of a client that waits, and who was taken since it had its last turn or came.
#[derive(Debug, Default)]
struct Waiting {
    /// Their numbers in the queue, and in the order of asking.
    queries: VecDeque<(u64, u32)>,
    passed_by: HashSet<usize>,
}

/// Queries come, are taken and give up at random. Beside the queue goes a model that only knows what must hold.
#[test]
fn no_client_is_passed_over_twice_by_another() {
    for seed in 0..60 {
        let (mut random, clients) = (StdRng::seed_from_u64(seed), 1 + seed as usize % 12);
        let (mut queue, mut model) = (Queue::default(), HashMap::<usize, Waiting>::new());
        let mut asked = 0;
        for _ in 0..2_000 {
            let who = random.random_range(0..clients);
            // The first client asks far more than the others.
            let who = if random.random_bool(0.5) { 0 } else { who };
            match random.random_range(0..10) {
                0..5 => {
                    asked += 1;
                    let number = queue.push(&client(who), (who, asked));
                    model.entry(who).or_default().queries.push_back((number, asked));
                }
                5..9 => {
                    let Some((of, query)) = queue.pop() else {
                        assert!(model.is_empty(), "somebody waits and nobody is taken: {model:?}");
                        continue;
                    };
                    for (other, waiting) in model.iter_mut().filter(|(other, _)| **other != of) {
                        assert!(waiting.passed_by.insert(of), "seed {seed}: {of} passes {other} twice");
                    }
                    let waiting = model.get_mut(&of).expect("who is taken waits");
                    let first = waiting.queries.pop_front().map(|(_, query)| query);
                    assert_eq!(first, Some(query), "seed {seed}: the queries of one client change places");
                    waiting.passed_by.clear();
                    if waiting.queries.is_empty() {
                        model.remove(&of);
                    }
                }
                _ => {
                    let Some(waiting) = model.get_mut(&who) else { continue };
                    let at = random.random_range(0..waiting.queries.len());
                    let (number, _) = waiting.queries.remove(at).unwrap();
                    queue.remove(&client(who), number);
                    queue.remove(&client(who), number);
                    if waiting.queries.is_empty() {
                        model.remove(&who);
                    }
                }
            }
            assert_eq!(queue.len(), model.values().map(|waiting| waiting.queries.len()).sum::<usize>());
        }
    }
}
