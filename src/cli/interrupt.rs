//! Ctrl-C and SIGTERM.
//!
//! A thread of its own listens: those of the runtime may all be at work on the rows of a query, and look up late.

use std::future::Future;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch;

use super::error::CliError;
use super::exit::ExitStatus;

/// Whether a flag answers to Ctrl-C and SIGTERM, or to Ctrl-C.
static ANSWERED: (AtomicBool, AtomicBool) = (AtomicBool::new(false), AtomicBool::new(false));

/// Lets signals end the program where no flag answers them, and it is the first process of a container: others would die of them
/// anyway, but to the first one the kernel delivers only what it listens to (pid_namespaces(7)).
pub(super) fn end_as_first_process() -> Result<(), CliError> {
    if process::id() != 1 {
        return Ok(());
    }
    let (runtime, mut signals) = Signals::listen(Wanted::Stop).map_err(CliError::Start)?;
    let listen = move || {
        runtime.block_on(async move {
            loop {
                let status = signals.next().await;
                let (stop, interrupt) = (ANSWERED.0.load(Ordering::Relaxed), ANSWERED.1.load(Ordering::Relaxed));
                match status {
                    ExitStatus::Interrupted if stop || interrupt => {}
                    _ if stop => {}
                    status => end(status),
                }
            }
        });
    };
    let listener = thread::Builder::new().name("signals".to_owned());
    listener.spawn(listen).map(drop).map_err(CliError::Start)
}

/// Waits for the first signal that asks the program to stop; the answer is the status to end with.
pub(super) async fn stop_signal() -> Result<ExitStatus, CliError> {
    Ok(StopFlag::on_signal()?.wait().await)
}

/// Waits for Ctrl-C only.
///
/// An interactive session listens to nothing else: once SIGTERM is listened to, it would no longer end the program while
/// it waits at its prompt.
pub(super) async fn interrupt_signal() -> Result<(), CliError> {
    StopFlag::on(Wanted::Interrupt)?.wait().await;
    Ok(())
}

/// Says that the program was asked to stop, to work that stops at a place of its own choice.
///
/// Whoever asks a second time does not want to wait for that place: the program ends at once, with what it committed.
#[derive(Debug, Clone)]
pub(super) struct StopFlag {
    is_raised: Arc<AtomicBool>,
    status: watch::Receiver<Option<ExitStatus>>,
}

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Ctrl-C, once.
    Interrupt,
    /// Ctrl-C and SIGTERM.
    Stop,
}

impl StopFlag {
    /// A flag that the next signal raises.
    pub(super) fn on_signal() -> Result<Self, CliError> {
        Self::on(Wanted::Stop)
    }

    fn on(wanted: Wanted) -> Result<Self, CliError> {
        let (runtime, mut signals) = Signals::listen(wanted).map_err(CliError::Start)?;
        match wanted {
            Wanted::Stop => ANSWERED.0.store(true, Ordering::Relaxed),
            Wanted::Interrupt => ANSWERED.1.store(true, Ordering::Relaxed),
        }
        let (sender, status) = watch::channel(None);
        let flag = Self {
            is_raised: Arc::default(),
            status,
        };
        let is_raised = Arc::clone(&flag.is_raised);
        let listener = thread::Builder::new().name("signals".to_owned());
        let listen = move || {
            runtime.block_on(async move {
                tokio::select! {
                    status = signals.next() => {
                        is_raised.store(true, Ordering::Relaxed);
                        sender.send_replace(Some(status));
                    }
                    () = sender.closed() => return,
                }
                if wanted == Wanted::Stop {
                    end(signals.next().await);
                }
            });
        };
        listener.spawn(listen).map_err(CliError::Start)?;
        Ok(flag)
    }

    /// What the work looks at.
    pub(super) fn raised(&self) -> &AtomicBool {
        &self.is_raised
    }

    /// The same, for work that has no end of its own.
    pub(super) fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_raised)
    }

    /// Runs a future to its end, or until the flag is raised: then there is no answer.
    pub(super) async fn or_stop<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            answer = future => Some(answer),
            _ = self.wait() => None,
        }
    }

    /// Waits until the flag is raised.
    async fn wait(&self) -> ExitStatus {
        let mut status = self.status.clone();
        let told = status.wait_for(Option::is_some).await;
        // The thread that listens goes on for as long as there is a flag.
        told.ok().and_then(|status| *status).unwrap_or(ExitStatus::Terminated)
    }

    /// The status to end with when the flag kept work from being done.
    pub(super) fn stopped(&self) -> ExitStatus {
        self.status().unwrap_or(ExitStatus::Terminated)
    }

    /// The status to end with, once the flag is raised.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }
}

/// Signals that are listened to, in a runtime of their own.
struct Signals {
    interrupt: Signal,
    terminate: Option<Signal>,
}

impl Signals {
    /// Signals that come from now on are caught.
    fn listen(wanted: Wanted) -> io::Result<(Runtime, Self)> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let signals = {
            let _inside = runtime.enter();
            Self::caught(wanted)
        };
        match signals {
            Ok(signals) => Ok((runtime, signals)),
            Err(error) => {
                // A runtime that is dropped where futures run would wait, which is not allowed there.
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    fn caught(wanted: Wanted) -> io::Result<Self> {
        let terminate = (wanted == Wanted::Stop).then(|| signal(SignalKind::terminate()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: terminate.transpose()?,
        })
    }

    async fn next(&mut self) -> ExitStatus {
        let terminate = async {
            match &mut self.terminate {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::Interrupted,
            _ = terminate => ExitStatus::Terminated,
        }
    }
}

#[expect(clippy::exit, reason = "no thread answers, and the user asked twice")]
fn end(status: ExitStatus) -> ! {
    process::exit(status.code().into())
}
