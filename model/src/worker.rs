//! The one runner of background work: every task and thread of the product starts here and is stopped from here.
//!
//! Owns: starting, naming, stopping and waiting for background work, and saying so when it panics.
//! Does not own: what the work does, nor its order of shutting down (that is `app`'s).

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::Notify;

/// Tells work to stop. Cloning shares the signal.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    stopped: AtomicBool,
    wake: Notify,
}

impl Stop {
    /// Tells everyone who holds a clone to stop.
    pub fn now(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.wake.notify_waiters();
    }

    /// Whether [`Stop::now`] was called.
    pub fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Returns once [`Stop::now`] was called.
    pub async fn stopped(&self) {
        loop {
            let woken = self.0.wake.notified();
            if self.is_stopped() {
                return;
            }
            woken.await;
        }
    }
}

/// One running piece of background work.
#[derive(Debug)]
pub struct Worker {
    name: String,
    stop: Stop,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Task(tokio::task::JoinHandle<()>),
    Thread(JoinHandle<()>),
}

impl Worker {
    /// Runs an asynchronous loop on the current runtime. It should end soon after its [`Stop`] says so.
    pub fn task<F>(name: impl Into<String>, work: impl FnOnce(Stop) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = Stop::default();
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        let work = Work::Task(tokio::spawn(work(stop.clone())));
        Worker { name: name.into(), stop, work }
    }

    /// Runs a blocking loop on a thread of its own.
    ///
    /// # Errors
    /// The operating system's, if it gives no thread.
    pub fn thread(name: impl Into<String>, work: impl FnOnce(Stop) + Send + 'static) -> std::io::Result<Self> {
        let (name, stop) = (name.into(), Stop::default());
        let signal = stop.clone();
        let handle = std::thread::Builder::new().name(name.clone()).spawn(move || work(signal))?;
        Ok(Worker { name, stop, work: Work::Thread(handle) })
    }

    /// The signal this work listens to.
    pub fn stop_signal(&self) -> Stop {
        self.stop.clone()
    }

    /// Whether the work has ended, by itself or because it was told to.
    pub fn is_finished(&self) -> bool {
        match &self.work {
            Work::Task(task) => task.is_finished(),
            Work::Thread(thread) => thread.is_finished(),
        }
    }

    /// Tells the work to stop and waits for it. A panic of the work is logged here.
    pub async fn stop(self) {
        self.stop.now();
        self.join().await;
    }

    /// Waits for the work to end by itself.
    pub async fn join(self) {
        let name = self.name;
        let panicked = match self.work {
            Work::Task(task) => task.await.is_err_and(|e| e.is_panic()),
            Work::Thread(thread) => {
                let joined = tokio::task::spawn_blocking(move || thread.join().is_err()).await;
                joined.unwrap_or(true)
            }
        };
        if panicked {
            tracing::error!(worker = name, "background work panicked");
        }
    }
}
