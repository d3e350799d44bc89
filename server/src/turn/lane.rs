//! One customer, one turn at a time, in order of arrival: a queue of jobs per conversation, drained by one task.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

/// Account and customer.
pub type LaneKey = (String, String);

const SHARDS: usize = 16;

type Shard<J, M> = Mutex<FxHashMap<LaneKey, Arc<Lane<J, M>>>>;

/// The queues of all conversations that have something to do.
pub struct Lanes<J, M> {
    shards: [Shard<J, M>; SHARDS],
}

/// A conversation's queue and what it remembers between jobs (`M`), while anything is open.
pub struct Lane<J, M> {
    queue: Mutex<Queue<J>>,
    /// Only the draining task locks it; it is never contended.
    pub memory: tokio::sync::Mutex<M>,
}

struct Queue<J> {
    jobs: VecDeque<J>,
    running: bool,
}

impl<J, M> Default for Lanes<J, M> {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl<J: Send + 'static, M: Default + Send + 'static> Lanes<J, M> {
    /// Put a job at the end of the conversation's queue. True when the caller must start a task that drains it
    /// with [`Lane::next`].
    pub fn push(&self, key: &LaneKey, job: J) -> (Arc<Lane<J, M>>, bool) {
        let mut shard = self.shard(key).lock();
        let lane = shard
            .entry(key.clone())
            .or_insert_with(|| {
                Arc::new(Lane {
                    queue: Mutex::new(Queue {
                        jobs: VecDeque::new(),
                        running: false,
                    }),
                    memory: tokio::sync::Mutex::new(M::default()),
                })
            })
            .clone();
        let mut queue = lane.queue.lock();
        queue.jobs.push_back(job);
        let start = !queue.running;
        queue.running = true;
        drop(queue);
        (lane, start)
    }

    /// The next job of a lane, or `None` when it is drained; the lane is forgotten then unless `keep`.
    pub fn next(&self, key: &LaneKey, lane: &Lane<J, M>, keep: bool) -> Option<J> {
        // The shard's lock is held so that nobody pushes to a lane that is being forgotten.
        let mut shard = self.shard(key).lock();
        let mut queue = lane.queue.lock();
        let job = queue.jobs.pop_front();
        if job.is_none() {
            queue.running = false;
            if !keep {
                shard.remove(key);
            }
        }
        job
    }

    /// Lanes that exist.
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, key: &LaneKey) -> &Shard<J, M> {
        use std::hash::BuildHasher;
        let hash = rustc_hash::FxBuildHasher.hash_one(&key.1) as usize;
        &self.shards[(hash >> 8) % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_one_customer_come_out_in_order_and_one_task_drains_them() {
        let lanes: Lanes<u32, ()> = Lanes::default();
        let key = ("shop".to_string(), "o1".to_string());
        let (lane, start) = lanes.push(&key, 1);
        assert!(start);
        assert!(!lanes.push(&key, 2).1);
        assert_eq!(lanes.next(&key, &lane, false), Some(1));
        assert!(!lanes.push(&key, 3).1);
        assert_eq!(lanes.next(&key, &lane, false), Some(2));
        assert_eq!(lanes.next(&key, &lane, false), Some(3));
        assert_eq!(lanes.next(&key, &lane, false), None);
        assert_eq!(lanes.count(), 0);
        assert!(lanes.push(&key, 4).1, "a forgotten lane starts anew");
    }

    #[test]
    fn a_lane_that_remembers_something_is_kept() {
        let lanes: Lanes<u32, u32> = Lanes::default();
        let key = ("shop".to_string(), "o1".to_string());
        let (lane, _) = lanes.push(&key, 1);
        assert_eq!(lanes.next(&key, &lane, true), Some(1));
        assert_eq!(lanes.next(&key, &lane, true), None);
        assert_eq!(lanes.count(), 1);
    }
}
