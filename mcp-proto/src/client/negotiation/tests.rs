use super::*;
use alloc::format;
use alloc::string::String;

const STREAM: Channel = Channel::Stream;
const OK: Channel = Channel::Http(200);
const LEGACY: Revision = Revision::LATEST_LEGACY;

fn negotiation(mode: Mode, prior: Option<Revision>) -> Negotiation {
    Negotiation::new(Link::Http, mode, prior.map(Prior::new), true)
}

fn json(text: String) -> RawJson {
    RawJson::parse(text).unwrap()
}

fn discovery(versions: &str) -> Result<RawJson, CallError> {
    Ok(json(format!(
        r#"{{"supportedVersions":{versions},"capabilities":{{}},"_meta":{{}}}}"#
    )))
}

fn initialization(version: &str) -> Result<RawJson, CallError> {
    Ok(json(format!(
        r#"{{"protocolVersion":"{version}","capabilities":{{}},"serverInfo":{{"name":"a","version":"1"}}}}"#
    )))
}

fn error(code: i64, data: Option<&str>) -> ErrorObject {
    let mut error = ErrorObject::new(ErrorCode(code), "");
    error.data = data.map(|text| json(text.into()));
    error
}

fn status(status: u16) -> Failure {
    Failure::Status {
        status,
        www_authenticate: None,
        reason: "".into(),
    }
}

/// One whose `initialize` is out.
fn initializing() -> Negotiation {
    let mut it = negotiation(Mode::Legacy(LEGACY), None);
    assert_eq!(it.begin().next, Next::Initialize(LEGACY));
    it
}

/// One that is ready, in the legacy era.
fn operating() -> Negotiation {
    let mut it = initializing();
    assert_eq!(it.initialized(initialization("2025-11-25"), OK).next, Next::Announce);
    assert_eq!(it.announced(Ok(())).next, Next::Release);
    it
}

#[test]
fn where_each_mode_starts() {
    let modern = Some(Revision::LATEST);
    for (mode, prior, is_ready, next) in [
        (Mode::Auto, None, false, Next::Discover),
        (Mode::Auto, modern, true, Next::Nothing),
        (Mode::Auto, Some(LEGACY), false, Next::Initialize(LEGACY)),
        (Mode::Modern, Some(LEGACY), true, Next::Nothing),
        (Mode::Legacy(LEGACY), modern, false, Next::Initialize(LEGACY)),
        // It has no handshake to propose it in.
        (Mode::Legacy(Revision::LATEST), None, false, Next::Initialize(LEGACY)),
    ] {
        let mut it = negotiation(mode, prior);
        assert_eq!((it.is_ready(), it.facts().is_some()), (is_ready, is_ready), "{mode:?}");
        assert_eq!(it.begin(), Step::to(next), "{mode:?}");
        assert_eq!(it.begin(), Step::NOTHING, "{mode:?}: it has begun");
    }
}

#[test]
fn what_follows_from_each_answer_to_the_question_of_the_era() {
    let not_found = CallError::Rpc(error(-32601, None));
    for (outcome, channel, expected) in [
        (discovery(r#"["2026-07-28"]"#), STREAM, Next::Release),
        (discovery(r#"["2025-11-25"]"#), OK, Next::Initialize(LEGACY)),
        (Ok(json("{}".into())), OK, Next::Initialize(LEGACY)),
        (Err(not_found.clone()), STREAM, Next::Initialize(LEGACY)),
        (Err(not_found.clone()), Channel::Http(404), Next::Initialize(LEGACY)),
        (Err(not_found.clone()), Channel::Http(503), Next::Fail(not_found)),
        (Err(CallError::Rpc(error(-32020, None))), OK, Next::Release),
    ] {
        let mut it = negotiation(Mode::Auto, None);
        let _ = it.begin();
        let step = it.discovered(&outcome, channel);
        let is_void = matches!(step.next, Next::Initialize(_));
        assert_eq!(
            step,
            Step {
                is_void,
                next: expected
            },
            "{outcome:?} {channel:?}"
        );
    }
}

#[test]
fn a_question_that_finds_no_answer() {
    let second = Duration::from_secs(1);
    let asked = |link| {
        let mut it = Negotiation::new(link, Mode::Auto, None, true);
        let _ = it.begin();
        it
    };
    assert_eq!(asked(Link::Stream).undiscovered(second).next, Next::Initialize(LEGACY));
    let timeout = CallError::Timeout {
        phase: Phase::Probe,
        after: second,
    };
    assert_eq!(asked(Link::Http).undiscovered(second).next, Next::Fail(timeout));
    for (failure, is_legacy) in [
        (status(404), true),
        (status(405), true),
        (Failure::SessionLost, true),
        (status(401), false),
        (status(500), false),
        (Failure::Disconnected, false),
        (Failure::Unreadable("".into()), false),
        (Failure::TooManyConnections, false),
    ] {
        let step = asked(Link::Http).discover_failed(failure.clone());
        assert_eq!(step.next == Next::Initialize(LEGACY), is_legacy, "{failure:?}");
    }
}

#[test]
fn the_server_chooses_the_revision_and_has_to_take_the_announcement() {
    let mut it = initializing();
    let _ = it.initialized(initialization("2025-03-26"), OK);
    assert_eq!((it.revision(), it.is_ready()), (Some(Revision::V2025_03_26), false));
    assert_eq!(it.announcing(Time::ORIGIN), Step::NOTHING);
    assert!(it.is_unannounced(Time::ORIGIN));
    let step = it.announced(Err(status(500)));
    assert!(matches!(step.next, Next::Fail(CallError::Http(_))));
    assert!(!it.is_unannounced(Time::ORIGIN) && it.poll_timeout().is_none());
}

#[test]
fn an_initialize_that_comes_to_nothing_is_tried_again() {
    for outcome in [
        initialization("2030-01-01"),
        initialization("2026-07-28"),
        Ok(json("[]".into())),
    ] {
        let mut it = initializing();
        assert!(matches!(it.initialized(outcome, OK).next, Next::Fail(_)));
        assert_eq!(it.begin().next, Next::Initialize(LEGACY));
    }
}

#[test]
fn a_slow_server_may_be_modern_after_all() {
    let mut it = Negotiation::new(Link::Stream, Mode::Auto, None, true);
    let _ = it.begin();
    let _ = it.undiscovered(Duration::ZERO);
    let unsupported = error(-32022, Some(r#"{"supported":["2026-07-28"]}"#));
    let step = it.initialized(Err(CallError::Rpc(unsupported)), STREAM);
    assert_eq!((step.next, it.is_modern()), (Next::Release, true));
}

#[test]
fn a_session_that_is_lost_begins_again_in_another_epoch() {
    let mut it = operating();
    let epoch = it.epoch();
    assert_eq!(it.lose(), Step::to(Next::Lose).void());
    assert!(!it.is_ready());
    assert_eq!(it.begin().next, Next::Initialize(LEGACY));
    assert_eq!(it.epoch(), epoch + 1);
}

#[test]
fn belief_is_given_up_once() {
    for error in [error(-32601, None), error(-32600, None)] {
        let mut it = negotiation(Mode::Auto, Some(Revision::LATEST));
        let not_found = Channel::Http(404);
        let first = it.doubt(0, &error, not_found);
        assert_eq!(first, Renegotiation::Again(Step::to(Next::Discover).void()));
        // Others that were sent on the same belief are made again; what is sent from now on is not.
        assert_eq!(it.doubt(0, &error, not_found), Renegotiation::Again(Step::NOTHING));
        assert_eq!(it.doubt(it.epoch(), &error, not_found), Renegotiation::None);
    }
}

#[test]
fn what_is_confirmed_is_not_doubted() {
    let mut it = negotiation(Mode::Auto, Some(Revision::LATEST));
    it.confirm();
    let error = error(-32601, None);
    assert_eq!(it.doubt(0, &error, Channel::Http(404)), Renegotiation::None);
    assert_eq!(it.doubt_failure(0, &status(404)), Renegotiation::None);
    assert_eq!(
        negotiation(Mode::Modern, None).doubt(0, &error, STREAM),
        Renegotiation::None
    );
}

#[test]
fn a_call_is_made_in_a_revision_that_both_speak() {
    let unsupported = |list: &str| error(-32022, Some(&format!(r#"{{"supported":[{list}]}}"#)));
    let auto = || negotiation(Mode::Auto, Some(Revision::LATEST));
    let legacy = Renegotiation::Again(Step::to(Next::Initialize(Revision::V2025_06_18)).void());
    assert_eq!(auto().doubt(0, &unsupported(r#""2025-06-18""#), OK), legacy);
    let again = Renegotiation::Again(Step::NOTHING);
    assert_eq!(auto().doubt(0, &unsupported(r#""2026-07-28""#), OK), again);
    for list in [r#""2025-06-18""#, r#""2030-01-01""#] {
        let never = negotiation(Mode::Modern, None).doubt(0, &unsupported(list), OK);
        assert!(matches!(never, Renegotiation::Never(_)), "{list}");
    }
    let mut it = operating();
    let epoch = it.epoch();
    let error = unsupported(r#""2025-06-18""#);
    assert_eq!(it.doubt(epoch, &error, OK), Renegotiation::None, "no modern request");
}

#[test]
fn who_is_served_before_anything_is_known() {
    let mut it = negotiation(Mode::Auto, None);
    for _ in 0..2 {
        assert_eq!((it.serves(true), it.serves(false)), (Some(LEGACY), None));
        let _ = it.begin();
    }
    let _ = it.discovered(&discovery(r#"["2026-07-28"]"#), OK);
    assert_eq!((it.serves(true), it.serves(false)), (None, None));
    assert_eq!(operating().serves(false), Some(LEGACY));
}

#[test]
fn nothing_is_asked_of_a_server_that_it_did_not_offer() {
    use crate::method::Method;
    let tools = Method::ListTools.into();
    assert_eq!(negotiation(Mode::Auto, None).check(&tools, Kind::Request), Ok(()));
    let not_offered = operating().check(&tools, Kind::Request);
    assert!(matches!(not_offered, Err(SendError::NotSupported { .. })));
    let mut lenient = operating();
    lenient.is_strict = false;
    assert_eq!(lenient.check(&tools, Kind::Request), Ok(()));
    let discover = Method::Discover.into();
    assert!(matches!(
        operating().check(&discover, Kind::Request),
        Err(SendError::OutOfEra { .. })
    ));
}

#[test]
fn nothing_begins_after_the_end() {
    for mut it in [operating(), negotiation(Mode::Modern, None), initializing()] {
        it.close();
        assert!(!it.is_ready() && it.facts().is_none());
        assert_eq!(it.begin(), Step::NOTHING);
    }
}
