use super::{fault, round_trip};
use crate::model::{
    CallToolParams, CallToolResult, CancelTaskParams, CancelledParams, ClientCapabilities, CompleteParams,
    CompleteResult, CreateMessageParams, CreateMessageResult, DiscoverResult, ElicitParams, ElicitResult,
    ElicitationCompleteParams, EmptyResult, GetPromptParams, GetPromptResult, GetTaskParams, GetTaskPayloadParams,
    Implementation, InitializeParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListRootsResult, ListTasksResult, ListToolsResult, ListenParams, ListenResult,
    LoggingMessageParams, MissingRequiredClientCapability, NotificationParams, PaginatedParams, PrimitiveSchema,
    ProgressParams, ReadResourceParams, ReadResourceResult, RequestParams, ResourceUpdatedParams, ServerCapabilities,
    SetLevelParams, SubscribeParams, SubscriptionsAcknowledgedParams, Task, Tool, UnsubscribeParams,
    UnsupportedProtocolVersion, UpdateTaskParams, UrlElicitationRequired,
};

/// An unknown field, with an order of keys and a spelling of numbers that must survive.
const X: &str = r#""x-unknown":{"b":1.0,"a":[null,1E2]}"#;

/// Reads and writes each text, which has `@` for an unknown field and `#` for `_meta`.
macro_rules! survive {
    ($($name:ident: $ty:ty = [$($text:literal),+ $(,)?];)*) => {
        $(
            #[test]
            fn $name() {
                for text in [$($text),+] {
                    let text = text.replace('#', r#""_meta":{"k":{"z":1.0,"a":2}}"#).replace('@', X);
                    round_trip::<$ty>(&text);
                }
                for wrong in ["[]", "null", "5", r#""x""#] {
                    fault::<$ty>(wrong);
                }
            }
        )*
    };
}

survive! {
    initialize_params: InitializeParams = [
        r#"{"protocolVersion":"v","capabilities":{@},"clientInfo":{"name":"n","version":"1",@},#,@}"#,
    ];
    initialize_result: InitializeResult = [
        r#"{"protocolVersion":"v","capabilities":{},"serverInfo":{"name":"n","version":"1"},"instructions":"i",#,@}"#,
    ];
    implementation: Implementation = [
        r#"{"name":"n","version":"1","title":"t","description":"d","websiteUrl":"w","icons":[{"src":"s",@}],@}"#,
    ];
    client_capabilities: ClientCapabilities = [
        "{@}",
        r#"{"roots":{"listChanged":false,@},"sampling":{"context":{"k":1},"tools":{},@},"elicitation":{"form":{},"url":{},@}}"#,
        r#"{"tasks":{"list":{},"cancel":{},"requests":{"sampling":{"createMessage":{},@},"elicitation":{"create":{},@},@},@}}"#,
        r#"{"extensions":{"b/z":{"q":1.0},"a/y":{}},"experimental":{"z":{},"a":{"k":[]}}}"#,
    ];
    server_capabilities: ServerCapabilities = [
        r#"{"tools":{"listChanged":true,@},"prompts":{"listChanged":true,@},"resources":{"subscribe":true,"listChanged":false,@},@}"#,
        r#"{"completions":{"k":1.0},"logging":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{},@},@},@}}"#,
    ];
    discover_result: DiscoverResult = [
        r#"{"supportedVersions":["v"],"capabilities":{@},"instructions":"i","ttlMs":0,"cacheScope":"x-team","resultType":"complete",#,@}"#,
    ];
    parameters_without_fields: RequestParams = ["{#,@}", "{}"];
    notification_without_fields: NotificationParams = ["{#,@}", "{}"];
    empty_result: EmptyResult = [r#"{"resultType":"complete",#,@}"#, "{}"];
    paginated_params: PaginatedParams = [r#"{"cursor":"","_meta":{"progressToken":1},@}"#];
    list_tools_result: ListToolsResult = [
        r#"{"tools":[{"name":"n","inputSchema":{"type":"object"},@}],"nextCursor":"c","ttlMs":1,"cacheScope":"private","resultType":"complete",#,@}"#,
    ];
    tool: Tool = [
        r#"{"name":"n","inputSchema":{"type":"object"},"title":"t","description":"d","outputSchema":{"a":1.0},"execution":{"taskSupport":"optional",@},"icons":[],#,@}"#,
        r#"{"name":"n","inputSchema":true,"annotations":{"title":"t","readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":false,@}}"#,
    ];
    call_tool_params: CallToolParams = [
        r#"{"name":"n","arguments":{"z":1.0,"a":1},"inputResponses":{"z":{"action":"accept",@},"a":{}},"requestState":"s","task":{"ttl":1,@},#,@}"#,
    ];
    call_tool_result: CallToolResult = [
        r#"{"content":[],"structuredContent":[1.0],"isError":false,"resultType":"complete",#,@}"#,
    ];
    list_prompts_result: ListPromptsResult = [
        r#"{"prompts":[{"name":"n","title":"t","description":"d","arguments":[{"name":"n","title":"t","description":"d","required":true,@}],"icons":[],#,@}],"nextCursor":"c",@}"#,
    ];
    get_prompt_params: GetPromptParams = [
        r#"{"name":"n","arguments":{"z":"1","a":"2"},"inputResponses":{},"requestState":"s",#,@}"#,
    ];
    get_prompt_result: GetPromptResult = [
        r#"{"messages":[{"role":"user","content":{"type":"text","text":"t"},@}],"description":"d","resultType":"complete",#,@}"#,
    ];
    list_resources_result: ListResourcesResult = [
        r#"{"resources":[{"uri":"a:b","name":"n","title":"t","description":"d","mimeType":"m","size":1,"icons":[],"annotations":{@},#,@}],@}"#,
    ];
    list_resource_templates_result: ListResourceTemplatesResult = [
        r#"{"resourceTemplates":[{"uriTemplate":"a:{b}","name":"n","title":"t","description":"d","mimeType":"m","icons":[],"annotations":{"priority":1},#,@}],@}"#,
    ];
    read_resource_params: ReadResourceParams = [
        r#"{"uri":"a:b","inputResponses":{"k":null},"requestState":"s",#,@}"#,
    ];
    read_resource_result: ReadResourceResult = [
        r#"{"contents":[{"uri":"a:b","blob":"AA==","mimeType":"m",#,@}],"ttlMs":1,"cacheScope":"public",#,@}"#,
    ];
    subscribe_params: SubscribeParams = [r#"{"uri":"a:b",#,@}"#];
    unsubscribe_params: UnsubscribeParams = [r#"{"uri":"a:b",#,@}"#];
    resource_updated_params: ResourceUpdatedParams = [r#"{"uri":"a:b",#,@}"#];
    listen_params: ListenParams = [
        r#"{"notifications":{"toolsListChanged":true,"promptsListChanged":false,"resourcesListChanged":true,"resourceSubscriptions":["a:b"],"taskIds":["t"],@},#,@}"#,
    ];
    listen_result: ListenResult = [
        r#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"s"},@}"#,
    ];
    subscriptions_acknowledged_params: SubscriptionsAcknowledgedParams = [
        r#"{"notifications":{},"_meta":{"io.modelcontextprotocol/subscriptionId":1},@}"#,
    ];
    complete_params: CompleteParams = [
        r#"{"ref":{"type":"ref/prompt","name":"n","title":"t",@},"argument":{"name":"n","value":"v",@},"context":{"arguments":{"z":"1","a":"2"},@},#,@}"#,
        r#"{"ref":{"type":"ref/resource","uri":"a:{b}",@},"argument":{"name":"n","value":""}}"#,
        r#"{"ref":{"type":"ref/x",@},"argument":{"name":"n","value":""}}"#,
    ];
    complete_result: CompleteResult = [
        r#"{"completion":{"values":["v"],"total":1,"hasMore":false,@},"resultType":"complete",#,@}"#,
    ];
    set_level_params: SetLevelParams = [r#"{"level":"info",#,@}"#, r#"{"level":"x-loud"}"#];
    logging_message_params: LoggingMessageParams = [
        r#"{"level":"error","data":{"z":1.0,"a":null},"logger":"l",#,@}"#,
        r#"{"level":"error","data":null}"#,
    ];
    progress_params: ProgressParams = [
        r#"{"progressToken":"p","progress":0.5,"total":1,"message":"m",#,@}"#,
        r#"{"progressToken":-1,"progress":0}"#,
    ];
    cancelled_params: CancelledParams = [r#"{"requestId":"1","reason":"r",#,@}"#, r#"{"requestId":1}"#];
    create_message_params: CreateMessageParams = [
        r#"{"messages":[],"maxTokens":1,"modelPreferences":{"hints":[{"name":"n",@}],"costPriority":0,"speedPriority":0.5,"intelligencePriority":1,@},"systemPrompt":"s","includeContext":"thisServer","temperature":0.5,"stopSequences":["s"],"metadata":{"z":1.0,"a":2},"tools":[],"toolChoice":{"mode":"required",@},"task":{},#,@}"#,
    ];
    create_message_result: CreateMessageResult = [
        r#"{"role":"assistant","content":{"type":"text","text":"t",@},"model":"m","stopReason":"x-tired",#,@}"#,
    ];
    list_roots_result: ListRootsResult = [r#"{"roots":[{"uri":"file:///","name":"n",#,@}],#,@}"#];
    elicit_params: ElicitParams = [
        r#"{"message":"m","requestedSchema":{"type":"object","properties":{},"required":[],"$schema":"s",@},"mode":"form","task":{},#,@}"#,
        r#"{"mode":"url","message":"m","url":"u","elicitationId":"e","task":{"ttl":1},#,@}"#,
    ];
    elicit_result: ElicitResult = [
        r#"{"action":"accept","content":{"z":1.0,"a":["x"],"m":true},"resultType":"complete",#,@}"#,
        r#"{"action":"x-later"}"#,
    ];
    elicitation_complete_params: ElicitationCompleteParams = [r#"{"elicitationId":"e",#,@}"#];
    primitive_schemas: PrimitiveSchema = [
        r#"{"type":"string","title":"t","description":"d","minLength":1,"maxLength":2,"format":"x-color","default":"d",@}"#,
        r#"{"type":"number","title":"t","description":"d","minimum":0.5,"maximum":2,"default":1,@}"#,
        r#"{"type":"boolean","title":"t","description":"d","default":true,@}"#,
        r#"{"type":"string","title":"t","description":"d","enum":["a"],"enumNames":["A"],"default":"a",@}"#,
        r#"{"type":"string","oneOf":[{"const":"a","title":"A",@}],@}"#,
        r#"{"type":"array","items":{"type":"string","enum":["a"],@},"title":"t","description":"d","minItems":1,"maxItems":2,"default":["a"],@}"#,
        r#"{"type":"array","items":{"anyOf":[{"const":"a","title":"A"}],@}}"#,
        r#"{"type":"string","default":5}"#,
    ];
    task_params: GetTaskParams = [r#"{"taskId":"t",#,@}"#];
    cancel_task_params: CancelTaskParams = [r#"{"taskId":"t",#,@}"#];
    get_task_payload_params: GetTaskPayloadParams = [r#"{"taskId":"t",#,@}"#];
    update_task_params: UpdateTaskParams = [r#"{"taskId":"t","inputResponses":{"z":{"z":1.0,"a":1},"a":null},#,@}"#];
    list_tasks_result: ListTasksResult = [
        r#"{"tasks":[{"taskId":"t","status":"working","createdAt":"c","lastUpdatedAt":"u",@}],"nextCursor":"c",#,@}"#,
    ];
    task: Task = [
        r#"{"taskId":"t","status":"input_required","createdAt":"c","lastUpdatedAt":"u","statusMessage":"s","ttlMs":1,"pollIntervalMs":1,"inputRequests":{"k":{"method":"x","params":{"z":1.0},@}},@}"#,
    ];
    unsupported_protocol_version: UnsupportedProtocolVersion = [r#"{"supported":["v"],"requested":"w",@}"#];
    missing_required_client_capability: MissingRequiredClientCapability = [
        r#"{"requiredCapabilities":{"sampling":{},@},@}"#,
    ];
    url_elicitation_required: UrlElicitationRequired = [
        r#"{"elicitations":[{"mode":"url","message":"m","url":"u",@}],@}"#,
    ];
}
