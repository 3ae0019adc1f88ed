//! What can be asked of a running server from outside its routes.

use model::Error;
use model::worker::Worker;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

/// Something asked of a running server.
#[derive(Debug)]
pub enum Event {
    /// Drain and end.
    Stop,
    /// Read the configuration again, and answer with what was read.
    Reload(Option<oneshot::Sender<Result<String, Error>>>),
}

/// The queue of events of one server.
#[derive(Debug)]
pub struct Events {
    sender: mpsc::Sender<Event>,
    pub(super) receiver: mpsc::Receiver<Event>,
}

impl Default for Events {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(8);
        Events { sender, receiver }
    }
}

impl Events {
    /// A way to put events in.
    pub fn sender(&self) -> mpsc::Sender<Event> {
        self.sender.clone()
    }
}

/// Turns SIGTERM and SIGINT into [`Event::Stop`], SIGHUP into [`Event::Reload`].
///
/// # Errors
/// The operating system's, if it refuses a handler.
pub fn listen_to_signals(sender: mpsc::Sender<Event>) -> std::io::Result<Worker> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(Worker::task("signals", move |stop| async move {
        loop {
            let event = tokio::select! {
                _ = terminate.recv() => Event::Stop,
                _ = interrupt.recv() => Event::Stop,
                _ = hang_up.recv() => Event::Reload(None),
                () = stop.stopped() => return,
            };
            if sender.send(event).await.is_err() {
                return;
            }
        }
    }))
}
