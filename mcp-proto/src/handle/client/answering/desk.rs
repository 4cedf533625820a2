//! The answers of one client that are in progress, polled in place.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};

use super::context::{AnswerContext, Life};
use super::reports::Reports;
use super::respondents::{Asked, Respondents, Unfit};
use crate::client::{Incident, ServerRequest};
use crate::handle::client::demands::Demand;
use crate::handle::client::shared::{Inner, Shared};
use crate::handle::contained::{Contained, contain};
use crate::handle::tasks::Tasks;
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::method::{Method, MethodName};
use crate::model::{ClientCapabilities, ElicitationCompleteParams, InputRequest, Json, Map};
use crate::revision::Revision;
use crate::rpc::{CallId, InputFailure, RequestKey};

/// How often the desk goes round before the driver sees to the rest.
const ROUNDS: usize = 4;

/// How many demands are taken on, and how many answers are polled, in one round.
const POLLS: usize = 64;

/// The answers that are in progress.
///
/// | an answer is for | and ends with | what follows |
/// |---|---|---|
/// | a request of a server | a result or an error | that is sent |
/// | an input of a call | a result | the call is made again when it has all of them |
/// | an input of a call | an error | the call fails with it, and its other inputs are dropped |
pub(in crate::handle::client) struct Desk {
    shared: Arc<Shared>,
    handles: Weak<Inner>,
    respondents: Respondents,
    /// What was declared to the server.
    capabilities: ClientCapabilities,
    /// The most answers in progress.
    most: usize,
    answers: Tasks<Answer>,
    requests: BTreeMap<RequestKey, usize>,
    rounds: BTreeMap<CallId, Gathering>,
}

struct Answer {
    of: Of,
    work: Contained<RawJson>,
    life: Arc<Life>,
}

/// What is answered.
#[derive(Clone)]
enum Of {
    Request(RequestKey),
    /// The input of a call that the server calls so.
    Input(CallId, Box<str>, Box<str>),
}

/// The inputs of a call.
struct Gathering {
    places: Vec<usize>,
    missing: usize,
    inputs: Map<Json>,
}

impl Desk {
    pub(in crate::handle::client) fn new(
        shared: &Arc<Shared>,
        handles: &Arc<Inner>,
        respondents: Respondents,
        capabilities: ClientCapabilities,
        most: usize,
    ) -> Self {
        Self {
            shared: shared.clone(),
            // Not the handles themselves: the last one that an application drops closes the connection.
            handles: Arc::downgrade(handles),
            respondents,
            capabilities,
            most,
            answers: Tasks::new(),
            requests: BTreeMap::new(),
            rounds: BTreeMap::new(),
        }
    }

    /// Takes on what has come, and polls whoever is ready, within bounds.
    pub(in crate::handle::client) fn poll(&mut self, cx: &Context<'_>) {
        if self.shared.look(|state| state.is_closed()) {
            return self.clear();
        }
        let mut work = self.answers.start_work(cx);
        // Else it is at work still, and woken for the rest when `work` is dropped.
        if (0..ROUNDS).any(|_| !self.round()) {
            self.answers.rest(&mut work);
        }
    }

    /// Nobody wants any answer any more.
    fn clear(&mut self) {
        self.requests.clear();
        self.rounds.clear();
        let rest: Vec<usize> = self.answers.iter_mut().map(|(place, _)| place).collect();
        rest.into_iter().for_each(|place| self.end(place));
    }

    fn round(&mut self) -> bool {
        let mut any = false;
        for _ in 0..POLLS {
            let Some(demand) = self.shared.take(|state| state.next_demand()) else {
                break;
            };
            self.take_on(demand);
            any = true;
        }
        for _ in 0..POLLS {
            let Some((place, outcome)) = self.answers.poll_next(|answer, cx| answer.work.poll(cx)) else {
                break;
            };
            if let Poll::Ready(outcome) = outcome {
                self.answered(place, outcome);
            }
            any = true;
        }
        any
    }

    fn take_on(&mut self, demand: Demand) {
        match demand {
            Demand::Asked(request) => self.request(request),
            Demand::TakenBack(request) => {
                if let Some(place) = self.requests.remove(&request) {
                    self.end(place);
                }
            }
            Demand::Gather(call, requests) => self.gather(call, requests),
            Demand::Dropped(call) => self.drop_round(call),
            Demand::Completed(params) => self.completed(&params),
        }
    }

    fn request(&mut self, asked: ServerRequest) {
        let ServerRequest { key, request, related } = asked;
        let (method, params) = (request.method, request.params);
        if self.answers.len() >= self.most {
            let error = ErrorObject::internal("too many requests are in progress");
            return self.shared.with(|state| state.respond(key, Err(error)));
        }
        let place = self.begin(Of::Request(key), method, params, related);
        self.requests.insert(key, place);
    }

    /// Asks for all inputs of a call at a time.
    fn gather(&mut self, call: CallId, requests: Map<InputRequest>) {
        if self.answers.len().saturating_add(requests.len()) > self.most {
            let (key, request) = requests.iter().next().unzip();
            let method = request.map(|request| request.method.as_str());
            let error = ErrorObject::internal("too many requests are in progress");
            let failure = InputFailure::new(key.unwrap_or_default(), method.unwrap_or_default(), error);
            return self.shared.with(|state| state.give_up(call, failure));
        }
        let missing = requests.len();
        let mut places = Vec::with_capacity(missing);
        for (key, request) in requests {
            let of = Of::Input(call, key, request.method.as_str().into());
            let params = request.params.as_ref().map(RawJson::from_serialize);
            let params = params.and_then(Result::ok);
            places.push(self.begin(of, MethodName::from(&*request.method), params, Some(call)));
        }
        let inputs = Map::new();
        self.rounds.insert(
            call,
            Gathering {
                places,
                missing,
                inputs,
            },
        );
    }

    fn begin(&mut self, of: Of, method: MethodName, params: Option<RawJson>, related: Option<CallId>) -> usize {
        let (revision, roots) = self.shared.look(|state| (state.revision(), state.roots().to_vec()));
        let life = Arc::default();
        let revision = revision.unwrap_or(Revision::LATEST);
        // An input of a call has no progress of its own (2026-07-28: servers make no requests).
        let is_request = matches!(of, Of::Request(_));
        let reports = params.as_ref().filter(|_| is_request).and_then(Reports::wanted_by);
        let context = AnswerContext::new(&self.shared, &self.handles, related, revision, reports, &life);
        let (respondents, capabilities) = (&self.respondents, &self.capabilities);
        let unfit = self.unfit();
        let asked = Asked { method, params, roots };
        let work = Contained::start(|| respondents.answer(asked, capabilities, context, unfit));
        self.answers.insert(Answer { of, work, life })
    }

    /// Tells the application that its own answer was not sent.
    fn unfit(&self) -> Unfit {
        let shared = self.shared.clone();
        Box::new(move |reason| {
            shared.with(|state| {
                let method = Method::Elicit.into();
                state.happened(Incident::UnfitAnswer { method, reason });
            });
        })
    }

    fn answered(&mut self, place: usize, outcome: Result<RawJson, ErrorObject>) {
        let Some(of) = self.answers.get_mut(place).map(|answer| answer.of.clone()) else {
            return;
        };
        self.end(place);
        match of {
            Of::Request(key) => {
                self.requests.remove(&key);
                self.shared.with(|state| state.respond(key, outcome));
            }
            Of::Input(call, key, method) => match outcome {
                Ok(input) => self.input(call, key, &input),
                Err(error) => {
                    self.drop_round(call);
                    let failure = InputFailure::new(&*key, &*method, error);
                    self.shared.with(|state| state.give_up(call, failure));
                }
            },
        }
    }

    fn input(&mut self, call: CallId, key: Box<str>, input: &RawJson) {
        let Some(gathering) = self.rounds.get_mut(&call) else {
            return;
        };
        gathering
            .inputs
            .insert(key, input.decode().unwrap_or_else(|_| Json::null()));
        gathering.missing -= 1;
        if gathering.missing == 0
            && let Some(gathering) = self.rounds.remove(&call)
        {
            self.shared.with(|state| state.resume(call, gathering.inputs));
        }
    }

    fn drop_round(&mut self, call: CallId) {
        let Some(gathering) = self.rounds.remove(&call) else {
            return;
        };
        for place in gathering.places {
            // A place serves again: it may be another's by now.
            let is_its = self
                .answers
                .get_mut(place)
                .is_some_and(|answer| matches!(answer.of, Of::Input(of, ..) if of == call));
            if is_its {
                self.end(place);
            }
        }
    }

    fn completed(&self, params: &RawJson) {
        let params = params.decode::<ElicitationCompleteParams>();
        if let (Some(on_complete), Ok(params)) = (&self.respondents.on_complete, params) {
            contain(|| on_complete(&params.elicitation_id));
        }
    }

    fn end(&mut self, place: usize) {
        self.answers.remove(place);
    }
}

impl Drop for Answer {
    /// Who waits for the end of the request learns of it, however it ended.
    fn drop(&mut self) {
        self.life.end();
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("answers", &self.answers.len())
            .finish_non_exhaustive()
    }
}
