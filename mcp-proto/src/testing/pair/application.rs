//! The application behind a server: what it answers, and when.

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

use crate::Time;
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::method::{Method, MethodName};
use crate::server::{RequestContext, ResultBody};
use serde_json::{Value, json};

/// An application: it decides at once how a request is served, and takes its time to do so.
pub type Application = Box<dyn FnMut(&Order) -> Plan>;

/// What a client asks for, over whatever it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Order {
    /// What is asked.
    pub method: MethodName,
    /// With what.
    pub params: Option<RawJson>,
}

/// How a request is served: what is said, and how long after the request came.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    steps: VecDeque<(Duration, Step)>,
}

#[derive(Clone, Debug)]
enum Step {
    Progress(f64),
    Answer(Result<Value, ErrorObject>),
}

impl Plan {
    /// No answer at all.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// A result, at once.
    #[must_use]
    pub fn result(result: Value) -> Self {
        Self::never().then(Duration::ZERO, Step::Answer(Ok(result)))
    }

    /// An error, at once.
    #[must_use]
    pub fn error(error: ErrorObject) -> Self {
        Self::never().then(Duration::ZERO, Step::Answer(Err(error)))
    }

    /// A tool's result with this text, at once.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::result(json!({ "content": [{ "type": "text", "text": text }] }))
    }

    /// The same, later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.steps.iter_mut().for_each(|(at, _)| *at += delay);
        self
    }

    /// The same, with progress before.
    #[must_use]
    pub fn with_progress(mut self, at: Duration, progress: f64) -> Self {
        let behind = self
            .steps
            .iter()
            .position(|(other, _)| *other >= at)
            .unwrap_or(self.steps.len());
        self.steps.insert(behind, (at, Step::Progress(progress)));
        self
    }

    fn then(mut self, at: Duration, step: Step) -> Self {
        self.steps.push_back((at, step));
        self
    }
}

/// An application with tools for tests.
///
/// | tool | arguments | result |
/// |---|---|---|
/// | `echo` | `text` | the text, at once |
/// | `slow` | `text`, `ms` | the text, after so many milliseconds |
/// | `steps` | `steps` | `done`, after so many reports of progress, 10 ms apart |
/// | `fail` | | an internal error |
/// | `mute` | | nothing, ever |
pub fn tools() -> Application {
    Box::new(|request| match request.method.known() {
        Some(Method::ListTools) => Plan::result(list()),
        Some(Method::CallTool) => call(request),
        _ => Plan::error(ErrorObject::method_not_found(request.method.as_str())),
    })
}

fn list() -> Value {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    let tools = ["echo", "slow", "steps", "fail", "mute"].map(tool);
    json!({ "tools": tools })
}

fn call(request: &Order) -> Plan {
    let params: Value = request
        .params
        .as_ref()
        .map_or(Value::Null, |params| params.decode().unwrap_or_default());
    let arguments = &params["arguments"];
    let text = arguments["text"].as_str().unwrap_or_default();
    match params["name"].as_str().unwrap_or_default() {
        "echo" => Plan::text(text),
        "slow" => Plan::text(text).after(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(1000))),
        "steps" => steps(arguments["steps"].as_u64().unwrap_or(3)),
        "fail" => Plan::error(ErrorObject::internal("the tool is broken")),
        "mute" => Plan::never(),
        other => Plan::error(ErrorObject::invalid_params(format!("unknown tool: {other}"))),
    }
}

fn steps(steps: u64) -> Plan {
    let at = |step| Duration::from_millis(10 * step);
    let plan = Plan::text("done").after(at(steps + 1));
    (1..=steps).fold(plan, |plan, step| plan.with_progress(at(step), step as f64))
}

/// Where the requests lie that the application works on, each with the token `T` that it is answered with.
pub struct Desk<T> {
    application: Application,
    jobs: Vec<Job<T>>,
    served: Vec<String>,
    cancelled: usize,
}

struct Job<T> {
    token: T,
    context: RequestContext,
    began: Time,
    plan: Plan,
    /// A notification that there was no room for.
    held: Option<Vec<u8>>,
}

/// What the application has to say.
#[derive(Debug)]
#[non_exhaustive]
pub enum Said<'a, T> {
    /// A notification that belongs to a request that is still worked on.
    Message(&'a T, Vec<u8>),
    /// The answer.
    Answer(T, Result<ResultBody, ErrorObject>),
}

impl<T> Desk<T> {
    /// An empty desk.
    pub fn new(application: Application) -> Self {
        Self {
            application,
            jobs: Vec::new(),
            served: Vec::new(),
            cancelled: 0,
        }
    }

    /// The methods of the requests that came, in their order.
    pub fn served(&self) -> &[String] {
        &self.served
    }

    /// How many requests were cancelled while they were worked on.
    pub fn cancelled(&self) -> usize {
        self.cancelled
    }

    /// How many requests are worked on.
    pub fn in_progress(&self) -> usize {
        self.jobs.len()
    }

    /// What the requests that are worked on are answered with, in their order.
    pub fn tokens(&self) -> impl Iterator<Item = &T> {
        self.jobs.iter().map(|job| &job.token)
    }

    /// A request came.
    pub(super) fn receive(&mut self, now: Time, token: T, order: &Order, context: RequestContext) {
        self.served.push(String::from(order.method.as_str()));
        let plan = (self.application)(order);
        self.jobs.push(Job {
            token,
            context,
            began: now,
            plan,
            held: None,
        });
    }

    /// A request is not wanted any more. Gives its token back.
    pub(super) fn cancel(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.jobs.iter().position(|job| is_it(&job.token))?;
        self.cancelled += 1;
        Some(self.jobs.remove(at).token)
    }

    /// Nobody waits any more.
    pub(super) fn clear(&mut self) {
        self.cancelled += self.jobs.len();
        self.jobs.clear();
    }

    /// When the application has something to say next.
    pub(super) fn next_time(&self) -> Option<Time> {
        self.jobs
            .iter()
            .filter(|job| job.held.is_none())
            .filter_map(Job::next_time)
            .min()
    }

    /// Says what is due: `say` hands a notification back that there is no room for. Whether anything was said.
    pub(super) fn work(&mut self, now: Time, mut say: impl FnMut(Said<'_, T>) -> Result<(), Vec<u8>>) -> bool {
        let mut happened = false;
        let mut at = 0;
        while let Some(job) = self.jobs.get_mut(at) {
            match job.work(now, &mut happened, &mut say) {
                Some(answer) => {
                    let job = self.jobs.remove(at);
                    happened = true;
                    let body = answer.map(|result| ResultBody::from_serialize(&result).expect("an object"));
                    let _ = say(Said::Answer(job.token, body));
                }
                None => at += 1,
            }
        }
        happened
    }
}

impl<T> Job<T> {
    fn next_time(&self) -> Option<Time> {
        self.plan.steps.front().map(|(at, _)| self.began + *at)
    }

    /// Says what comes before the answer; the answer, once it is due.
    fn work(
        &mut self,
        now: Time,
        happened: &mut bool,
        say: &mut impl FnMut(Said<'_, T>) -> Result<(), Vec<u8>>,
    ) -> Option<Result<Value, ErrorObject>> {
        loop {
            if let Some(message) = self.held.take() {
                if let Err(message) = say(Said::Message(&self.token, message)) {
                    self.held = Some(message);
                    return None;
                }
                *happened = true;
            }
            if self.next_time()? > now {
                return None;
            }
            match self.plan.steps.pop_front()?.1 {
                Step::Progress(progress) => self.held = self.context.encode_progress(progress, None, None),
                Step::Answer(answer) => return Some(answer),
            }
        }
    }
}

impl<T> fmt::Debug for Desk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("in_progress", &self.jobs.len())
            .field("served", &self.served)
            .field("cancelled", &self.cancelled)
            .finish_non_exhaustive()
    }
}
