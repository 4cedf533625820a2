//! Handlers, and who wakes them.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use shuttle::sync::Mutex;

use super::world::{LEGACY, block_on, check, config, connect, join, pair, run, server, tool};
use crate::client::Mode;
use crate::handle::server::Context;
use crate::handle::{Client, Pump, Server, Tasks};
use crate::jsonrpc::{Params, RawJson};
use crate::limits::Limits;
use crate::rpc::CallError;

/// Something that one thread says and another waits for.
#[derive(Default)]
struct Signal(Mutex<(bool, Vec<Waker>)>);

impl Signal {
    fn set(&self) {
        let wakers = {
            let mut state = self.0.lock().unwrap();
            state.0 = true;
            core::mem::take(&mut state.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A server whose one tool does this.
fn serving<F, Fut>(limits: Limits, handler: F) -> Server
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let handle = move |_: RawJson, context| {
        let work = handler(context);
        async move {
            work.await;
            Ok("done")
        }
    };
    Server::builder("server", "1")
        .limits(limits)
        .raw_tool(tool("work"), handle)
        .build()
}

#[test]
fn a_handler_is_woken_by_another_thread() {
    check(|| {
        let signal = Arc::new(Signal::default());
        let waited = signal.clone();
        let server = serving(Limits::default(), move |_| {
            let waited = waited.clone();
            async move { waited.wait().await }
        });
        let (client, drivers) = pair(config(Mode::Modern), &server);
        let setting = shuttle::thread::spawn(move || signal.set());
        assert!(block_on(client.call_tool("work", ())).is_ok());
        drop(client);
        join([setting]);
        join(drivers);
    });
}

#[test]
fn progress_waits_for_room_in_several_threads_until_it_comes_or_the_request_is_over() {
    check(|| {
        let limits = Limits::default().with_outbox_bytes(64);
        let context = Arc::new(Mutex::new(None::<Context>));
        let (kept, signal) = (context.clone(), Arc::new(Signal::default()));
        let told = signal.clone();
        let server = serving(limits, move |context| {
            *kept.lock().unwrap() = Some(context.clone());
            told.set();
            async move {
                for step in 1..4 {
                    context.progress(f64::from(step), None, None).await;
                }
            }
        });
        let (client, drivers) = pair(config(Mode::Modern), &server);
        let other = run(async move {
            signal.wait().await;
            let context = context.lock().unwrap().clone().unwrap();
            for step in 4..7 {
                context.progress(f64::from(step), None, None).await;
            }
            context.cancelled().await;
        });
        assert!(block_on(client.call_tool("work", ()).on_progress(drop)).is_ok());
        drop(client);
        join([other]);
        join(drivers);
    });
}

#[test]
fn a_cancellation_is_heard_by_all_who_wait_for_it() {
    check(|| {
        let (signal, context) = (Arc::new(Signal::default()), Arc::new(Mutex::new(None::<Context>)));
        let (told, kept) = (signal.clone(), context.clone());
        let server = serving(Limits::default(), move |context| {
            *kept.lock().unwrap() = Some(context);
            told.set();
            core::future::pending()
        });
        let (client, drivers) = pair(config(LEGACY), &server);
        let waiting = [1, 2].map(|_| {
            let (signal, context) = (signal.clone(), context.clone());
            run(async move {
                signal.wait().await;
                let context = context.lock().unwrap().clone().unwrap();
                context.cancelled().await;
            })
        });
        let started = signal.clone();
        let calling = client.clone();
        let call = run(async move {
            let mut call = core::pin::pin!(calling.call_tool("work", ()));
            let mut started = core::pin::pin!(started.wait());
            poll_fn(|cx| {
                let _ = call.as_mut().poll(cx);
                started.as_mut().poll(cx)
            })
            .await;
        });
        join([call]);
        join(waiting);
        drop(client);
        join(drivers);
    });
}

#[test]
fn a_server_closes_while_a_handler_waits_for_its_client() {
    check(|| {
        // The answer comes or does not; without it the handler learns of the close, and not of the time that is over.
        let server = serving(Limits::default(), |context| async move {
            let asked = context.request_raw("ping", Params::NONE).await;
            assert!(
                matches!(asked, Ok(_) | Err(CallError::Closed(_) | CallError::Refused(_))),
                "{asked:?}"
            );
        });
        let pump = server.pump();
        let connection = pump.handle();
        let (client, client_pump) = Client::over_stream(config(LEGACY));
        let drivers = connect(client_pump, pump);
        let closing = shuttle::thread::spawn(move || connection.close());
        let outcome = block_on(client.call_tool("work", ()));
        assert!(
            matches!(outcome, Ok(_) | Err(CallError::Closed(_) | CallError::Disconnected)),
            "{outcome:?}"
        );
        drop(client);
        join([closing]);
        join(drivers);
    });
}

#[test]
fn a_driver_that_only_writes_learns_of_the_close() {
    check(|| {
        let pump = server().pump();
        let connection = pump.handle();
        let closing = shuttle::thread::spawn(move || connection.close());
        let end = block_on(poll_fn(|cx| pump.poll_transmit(cx, crate::Time::ORIGIN)));
        assert!(end.is_none());
        join([closing]);
    });
}

#[test]
fn the_pump_is_dropped_while_others_wait_for_its_requests() {
    check(|| {
        let (signal, context) = (Arc::new(Signal::default()), Arc::new(Mutex::new(None::<Context>)));
        let (told, kept) = (signal.clone(), context.clone());
        let server = serving(Limits::default(), move |context| {
            *kept.lock().unwrap() = Some(context);
            told.set();
            core::future::pending()
        });
        let (client, pump) = Client::over_stream(config(LEGACY));
        let [there, back]: [Arc<super::world::Pipe>; 2] = Default::default();
        let driver = run(super::world::drive(pump, back.clone(), there.clone()));
        let dropping = signal.clone();
        let pump = server.pump();
        let serving = run(async move {
            let mut driving = core::pin::pin!(super::world::drive(pump, there, back));
            let mut started = core::pin::pin!(dropping.wait());
            poll_fn(|cx| {
                let _ = driving.as_mut().poll(cx);
                started.as_mut().poll(cx)
            })
            .await;
        });
        let calling = client.clone();
        let call = run(async move {
            let mut call = core::pin::pin!(calling.call_tool("work", ()));
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                let polled = call.as_mut().poll(cx);
                if polls > 1 || polled.is_ready() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
        let (asked, asking) = (signal.clone(), context.clone());
        let asking = run(async move {
            asked.wait().await;
            let context = asking.lock().unwrap().clone().unwrap();
            let answer = context.request_raw("ping", Params::NONE).await;
            assert!(
                matches!(answer, Ok(_) | Err(CallError::Closed(_) | CallError::Refused(_))),
                "{answer:?}"
            );
        });
        signal_and_cancel(&signal, &context);
        join([asking]);
        join([serving]);
        block_on(client.close());
        join([call]);
        join([driver]);
    });
}

fn signal_and_cancel(signal: &Signal, context: &Mutex<Option<Context>>) {
    block_on(signal.wait());
    let context = context.lock().unwrap().clone().unwrap();
    block_on(context.cancelled());
    assert!(context.is_cancelled());
}

#[test]
fn a_set_of_tasks_is_woken_by_several_threads_and_for_other_things() {
    check(|| {
        let mut tasks = Tasks::new();
        let signals: [Arc<Signal>; 2] = Default::default();
        for signal in signals.clone() {
            tasks.insert(alloc::boxed::Box::pin(async move {
                signal.wait().await;
                String::from("done")
            }));
        }
        let called = Arc::new(core::sync::atomic::AtomicBool::new(false));
        let (calls, queue) = (called.clone(), tasks.queue().clone());
        let calling = shuttle::thread::spawn(move || {
            calls.store(true, core::sync::atomic::Ordering::Relaxed);
            queue.wake();
        });
        let setting = signals.map(|signal| shuttle::thread::spawn(move || signal.set()));
        block_on(poll_fn(|cx| {
            let mut work = tasks.start_work(cx);
            loop {
                let was_called = called.load(core::sync::atomic::Ordering::Relaxed);
                // Between the look and the rest others come.
                shuttle::thread::yield_now();
                while let Some((index, polled)) = tasks.poll_next(|task, cx| task.as_mut().poll(cx)) {
                    if polled.is_ready() {
                        tasks.remove(index);
                    }
                }
                if tasks.is_empty() && was_called {
                    work.end();
                    return Poll::Ready(());
                }
                if tasks.rest(&mut work) {
                    return Poll::Pending;
                }
            }
        }));
        join([calling]);
        join(setting);
    });
}
