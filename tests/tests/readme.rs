//! The README offers exactly the two commands that CI runs, and what it calls supported is tested.

use std::fs;

use mcp_tests::source::workspace;

#[test]
fn the_readme_names_the_main_job_and_the_tests() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    let commands = commands(&readme);
    for expected in [
        "cargo run --release -p mcp-tokio --example self_call",
        "cargo test --workspace",
    ] {
        let found = commands.iter().filter(|command| **command == expected).count();
        assert_eq!(
            found, 1,
            "`{expected}` stands once in a fenced `sh` block, among {commands:?}"
        );
    }
}

/// The tests behind each row of the README's table: how it begins, and what shows it, in every revision that has it.
const SHOWN: [(&str, &[(&str, &str)]); 22] = [
    (
        "types of the schema",
        &[(
            "tests/tests/golden/main.rs",
            "every_message_is_one_of_the_model_and_nothing_more",
        )],
    ),
    (
        "handshake or discovery",
        &[
            (
                "tests/tests/pair/calls.rs",
                "a_client_of_both_eras_follows_a_legacy_server",
            ),
            (
                "tests/tests/pair/calls.rs",
                "two_sides_without_a_common_revision_say_so",
            ),
        ],
    ),
    (
        "byte streams",
        &[
            (
                "tests/tests/methods/walk.rs",
                "every_method_is_said_by_each_side_that_may_say_it_and_no_other",
            ),
            ("tests/tests/pair/calls.rs", "a_conversation_goes_well"),
        ],
    ),
    (
        "Streamable HTTP, JSON and SSE replies",
        &[
            (
                "tests/tests/methods/walk.rs",
                "every_method_is_said_by_each_side_that_may_say_it_and_no_other",
            ),
            ("tests/tests/pair/calls.rs", "a_conversation_goes_well"),
        ],
    ),
    (
        "Streamable HTTP over Unix sockets",
        &[("tests/tests/http_unix.rs", "everything_works_as_over_tcp")],
    ),
    (
        "HTTP+SSE",
        &[
            (
                "tests/tests/http_server/http_sse.rs",
                "clients_of_every_dialect_find_their_place",
            ),
            (
                "tests/tests/http_client/http_sse.rs",
                "a_server_of_http_sse_is_found_and_called",
            ),
        ],
    ),
    (
        "children that end are started again",
        &[
            (
                "mcp-proto/tests/client/stream_restarts.rs",
                "what_does_no_harm_is_sent_once_more_and_the_rest_says_how_the_server_ended",
            ),
            (
                "tests/tests/stdio/restarts.rs",
                "the_next_call_has_another_server_and_the_last_says_how_its_own_ended",
            ),
        ],
    ),
    (
        "sessions, GET stream, DELETE",
        &[
            (
                "tests/tests/pair/http.rs",
                "what_belongs_to_no_request_comes_on_the_stream_of_the_session",
            ),
            (
                "tests/tests/pair/http_server.rs",
                "delete_ends_a_session_with_its_stream_and_what_is_in_progress",
            ),
        ],
    ),
    (
        "streams that are resumed",
        &[
            (
                "tests/tests/http_server/resume.rs",
                "a_tool_closes_its_stream_and_the_client_comes_back",
            ),
            (
                "tests/tests/pair/http.rs",
                "a_stream_cut_at_any_byte_goes_on_where_it_was",
            ),
        ],
    ),
    (
        "JSON-RPC batches",
        &[
            (
                "mcp-proto/tests/server_transcripts.rs",
                "batches_of_2025_03_26_are_answered_as_one_array",
            ),
            (
                "mcp-proto/tests/client/stream_calls.rs",
                "batches_belong_to_one_revision",
            ),
        ],
    ),
    (
        "proxies",
        &[
            (
                "tests/tests/streams/proxied.rs",
                "results_errors_and_progress_pass_as_they_come_in_every_combination_of_revisions",
            ),
            (
                "tests/tests/interop/proxied.rs",
                "a_legacy_client_sees_no_difference_over_stdio",
            ),
            ("tests/tests/interop/proxied.rs", "a_modern_client_uses_a_legacy_server"),
        ],
    ),
    (
        "headers against body",
        &[(
            "mcp-proto/tests/client/http_headers.rs",
            "every_request_of_the_modern_era",
        )],
    ),
    (
        "tools, resources, templates, prompts",
        &[
            (
                "mcp-proto/tests/server_application/tools.rs",
                "typed_tools_are_called_in_every_revision",
            ),
            (
                "mcp-proto/tests/server_application/features.rs",
                "resources_are_read_in_every_revision",
            ),
            (
                "mcp-proto/tests/server_application/features.rs",
                "prompts_have_the_arguments_of_their_types",
            ),
        ],
    ),
    (
        "completions",
        &[(
            "mcp-proto/tests/server_application/features.rs",
            "arguments_are_completed",
        )],
    ),
    (
        "requests of the server",
        &[(
            "mcp-proto/tests/server_application/life.rs",
            "a_handler_asks_the_client_in_the_legacy_era_alone",
        )],
    ),
    (
        "clients that answer: roots",
        &[
            (
                "tests/tests/e2e/answering.rs",
                "a_legacy_server_is_answered_over_every_transport",
            ),
            (
                "tests/tests/e2e/answering.rs",
                "a_modern_server_is_given_its_input_round_by_round",
            ),
        ],
    ),
    (
        "clients that answer: elicitation",
        &[
            (
                "tests/tests/e2e/answering.rs",
                "a_legacy_server_is_answered_over_every_transport",
            ),
            (
                "tests/tests/e2e/answering.rs",
                "a_modern_server_is_given_its_input_round_by_round",
            ),
        ],
    ),
    (
        "handlers that ask: roots",
        &[(
            "tests/tests/http_server/rounds.rs",
            "one_handler_asks_modern_clients_in_rounds_and_legacy_ones_by_requests",
        )],
    ),
    (
        "handlers that ask: elicitation",
        &[(
            "mcp-proto/src/handle/server/rounds/tests.rs",
            "one_handler_asks_in_both_eras",
        )],
    ),
    (
        "a request that is refused until",
        &[(
            "tests/tests/e2e/visits.rs",
            "a_client_of_2025_11_25_gets_the_list_and_makes_the_call_again_itself",
        )],
    ),
    (
        "multi round-trip requests",
        &[
            (
                "mcp-proto/src/handle/server/rounds/tests.rs",
                "a_handler_in_steps_serves_both_eras",
            ),
            (
                "tests/tests/e2e/answering.rs",
                "a_modern_server_is_given_its_input_round_by_round",
            ),
        ],
    ),
    (
        "changes are listened to",
        &[(
            "tests/tests/pair/listening.rs",
            "listeners_hear_what_the_server_grants_in_every_revision",
        )],
    ),
];

#[test]
fn what_is_called_supported_is_tested() {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README.md");
    let table = readme.split("## What is supported today").nth(1).expect("the table");
    let rows = table.lines().take_while(|line| !line.starts_with("## "));
    let rows: Vec<&str> = rows.filter_map(|line| line.strip_prefix("| ")).skip(1).collect();
    for row in &rows {
        let found = SHOWN.iter().filter(|(begins, _)| row.starts_with(begins)).count();
        assert_eq!(found, 1, "the row `{row}` has its tests");
    }
    for (begins, tests) in &SHOWN {
        assert!(
            rows.iter().any(|row| row.starts_with(begins)),
            "the row `{begins}` is there"
        );
        for (file, name) in *tests {
            let text = fs::read_to_string(workspace().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let test = format!("#[test]\nfn {name}(");
            assert!(
                text.replace("\n    fn", "\nfn").contains(&test),
                "{file} has the test {name}"
            );
        }
    }
}

/// The commands of the fenced `sh` blocks, one a line.
fn commands(readme: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() {
            found.push(line.trim());
        }
    }
    found
}

#[test]
fn only_lines_in_sh_blocks_are_commands() {
    let readme = "cargo a\n```sh\ncargo b\n\ncargo c\n```\n```rust\ncargo d\n```\ncargo e\n";
    assert_eq!(commands(readme), ["cargo b", "cargo c"]);
    assert!(commands("no block").is_empty());
}
