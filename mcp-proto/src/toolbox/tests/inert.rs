//! E2: what is made, shown, cloned, kept or dropped does no IO.

use super::*;
use crate::client::ClientConfig;
use crate::handle::count::Count;
use crate::toolbox::{RemoteTool, ServerTools, Signature, ToolOverrides, ToolSelection, Toolbox};

#[test]
fn e2_constructors_drop_debug_and_serde_do_no_io() {
    for mode in ERAS {
        let (client, pump) = Client::over_stream(ClientConfig::named("test", "1").with_mode(mode));
        let woken = Arc::new(Count::default());
        let waker = Waker::from(woken.clone());
        let idle = |what: &str| {
            let wrote = pump.poll_transmit(&mut Context::from_waker(&waker), Time::ORIGIN);
            assert!(wrote.is_pending(), "{what} wrote {wrote:?}");
            assert_eq!(woken.get(), 0, "{what} woke the driver");
            assert_eq!(pump.deadline(), None, "{what} wants to be timed");
        };
        idle("nothing");

        let selection = ToolSelection {
            prefix: Some("x_".into()),
            overrides: [("a".into(), ToolOverrides::description("d"))].into(),
            signatures: [("a".into(), Signature::inputs(["b"]))].into(),
            ..ToolSelection::default()
        };
        let text = serde_json::to_string(&selection).unwrap();
        let selection: ToolSelection = serde_json::from_str(&text).unwrap();
        let tools = ServerTools::new(client.clone()).selection(selection).filter(|_| true);
        let shown = format!("{tools:?}");
        let toolbox = Toolbox::builder()
            .server("s", tools)
            .server("t", client.clone())
            .build();
        idle("a box");

        let tool = RemoteTool::new(client.clone(), "a").expects(Signature::inputs(["b"]));
        let boxed = toolbox.tool("x_a");
        let (call, other) = (tool.call(json!({"b": 1})), toolbox.call("a", ()));
        let (events, list) = (boxed.call(()).events(None), toolbox.list());
        let (changes, listing) = (toolbox.changes(), client.list_tools());
        let validation = boxed.validate();
        toolbox.forget_tools();
        idle("what is not polled");

        let shown =
            format!("{shown}{toolbox:?}{tool:?}{boxed:?}{call:?}{other:?}{events:?}{list:?}{changes:?}{listing:?}");
        assert!(!shown.is_empty());
        idle("showing");

        drop((validation, call, other, events, list, changes, listing));
        drop((tool.clone(), boxed.clone(), toolbox.clone()));
        drop((boxed, tool, toolbox));
        idle("dropping");

        drop(client);
        assert_eq!(woken.get(), 1, "the last handle closes");
    }
}

/// Whatever is awaited can be spawned on an executor of many threads.
#[test]
fn everything_goes_from_thread_to_thread() {
    fn is_send<T: Send>(_: T) {}
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}

    let (client, _pump) = Client::over_stream(ClientConfig::named("test", "1"));
    let toolbox = Toolbox::builder().server("s", client.clone()).build();
    let tool = RemoteTool::new(client.clone(), "a");
    is_shared(&toolbox);
    is_shared(&tool);
    is_shared(&ServerTools::new(client.clone()));
    is_send(tool.validate());
    is_send(toolbox.call("a", ()).on_progress(|_| {}));
    is_send(toolbox.call("a", ()).events(None));
    is_send(toolbox.list());
    is_send(toolbox.changes());
    is_send(client.list_tools());
}
