//! The table of attacks: what is sent, what must come of it, and the tests that show it. Each of these tests asserts what is answered and what
//! came of it (requests to the API, what is stored). [`every_test_of_the_table_is_there`] holds the table to the sources.
//!
//! `a::b::test` is a test of this program; `directory/file.rs::test` one beside what it tests; `directory/file` a runner of its own.
//!
//! | row | what is sent | what comes of it | shown by |
//! |---|---|---|---|
//! | 1 | no token, garbage, an expired one | 401 and a challenge, nothing stored | `identity::attacks::row_01_no_token_garbage_and_an_expired_token` |
//! | 2 | `alg` none, another algorithm, RS256 as HS256 | 401 | `identity::attacks::row_02_no_algorithm_another_and_the_public_key_for_a_secret` |
//! | 3 | claims and headers that no token of ours has | 401, nothing is fetched | `identity::attacks::row_03_claims_and_headers_that_no_token_of_ours_has`, `identity::forged::no_forged_token_lets_anybody_in` |
//! | 4 | `kid` as a path, as SQL, huge | 401 | `identity::attacks::row_04_a_key_id_that_is_a_path_or_sql_or_huge` |
//! | 5 | a claim twice, padding, white space | 401 | `identity::attacks::row_05_claims_twice_padding_and_white_space` |
//! | 6 | a refresh token for access, and the other way | 401 | `identity::attacks::row_06_a_refresh_token_for_access_and_an_access_token_for_refresh` |
//! | 7 | a refresh token that was used | 401, the login ends, told in the log | `identity::attacks::row_07_a_refresh_token_that_was_used_before`, `identity::attacks::row_07_is_told_in_the_log` |
//! | 8 | the session of another | as one that is not there | `identity::access::row_08_another_users_session_is_as_one_that_is_not_there`, `turns::isolation::s20_no_id_leads_to_a_key_that_is_not_the_callers` |
//! | 9 | a user on administrators' ways | 403 | `identity::access::row_09_a_users_token_on_administrators_ways` |
//! | 10 | a session id that the client chose | another one | `identity::access::row_10_a_session_id_that_the_client_chose` |
//! | 11 | wrong passwords, for one name and for many, from addresses that are made up | 401, then 429 | `identity::access::row_11_too_many_wrong_passwords`, `identity::access::row_11_who_is_believed_where_a_login_comes_from`, `identity::access::row_11_an_address_that_tries_many_names`, `identity::access::row_11_one_name_that_is_refused_uses_up_nothing_of_an_address` |
//! | 12 | a user who is not there | the same bytes as a wrong password | `identity::access::row_12_a_user_who_is_not_there_and_a_wrong_password` |
//! | 13 | a password that is huge or no text | 413, 401, 400 | `identity::access::row_13_a_password_that_is_huge_or_no_text` |
//! | 14 | a body, a head or a target beyond its bound | 413, 431, 414, closed | `attacks::http::rows_14_and_15_what_is_malformed_is_refused_closed_and_not_done`, `bad_input::bodies::a_body_beyond_the_bound_is_refused_however_it_comes`, `bad_input::connections::too_many_headers_or_too_long_ones_are_refused` |
//! | 15 | two lengths, no Host, bare LF, folded lines, chunks that lie | 400, closed, nothing behind is done | `attacks::http::rows_14_and_15_what_is_malformed_is_refused_closed_and_not_done`, `attacks::http::row_15_proper_requests_of_every_length_are_done_one_behind_the_other`, `bad_input::connections::what_is_no_http_is_refused` |
//! | 16 | JSON that is deep, vast, broken, NaN, a lone surrogate, a BOM, a name twice | 400, soon | `bad_input::bodies::a_body_that_is_no_json_object_is_refused`, `bad_input::bodies::a_name_that_stands_twice_is_refused_wherever_it_stands`, `bad_input::bodies::row_16_a_body_of_a_hundred_thousand_levels_or_a_million_names_is_refused_in_time` |
//! | 17 | another media type, a packed body | 415 | `bad_input::bodies::another_content_type_than_json_is_refused`, `attacks::clients::row_17_a_packed_body_is_refused_before_it_is_read` |
//! | 18 | a slow head, a slow body, a slow reader, nobody | closed, others are served | `bad_input::connections::a_head_that_dribbles_is_cut_off_in_time`, `bad_input::connections::a_body_that_does_not_come_is_not_waited_for`, `bad_input::connections::an_idle_connection_is_closed_and_one_that_is_answered_is_not`, `attacks::clients::row_18_a_client_that_does_not_take_its_answers_is_given_up` |
//! | 19 | more connections than places | they wait their turn | `attacks::clients::row_19_more_connections_than_places_wait_their_turn`, `attacks::clients::row_19_connections_that_hold_on_take_no_more_memory_than_their_places` |
//! | 20 | HTTP/2 with its storms | not spoken: 400 or closed | `attacks::http::row_20_http_2_is_not_spoken` |
//! | 21 | a malformed idempotency key | 400; no key is needed | `contract::idempotency::a_malformed_key_is_refused` |
//! | 22 | one key twice at once, for another body, by another user | 409, 422, a turn of its own; one effect | `contract::idempotency::a_request_that_runs_is_not_begun_again`, `contract::idempotency::a_key_belongs_to_one_request`, `contract::idempotency::a_key_belongs_to_one_user` |
//! | 23 | a yes 64 times at once, of another, too late, to something else | one effect; none | `attacks::consent::row_23_of_sixty_four_yeses_at_once_one_sends`, `turns::confirmation::somebody_elses_yes_does_nothing`, `turns::confirmation::a_yes_that_comes_too_late_sends_nothing`, `turns::confirmation::a_yes_to_what_would_be_another_request_now_sends_nothing`, `turns::decisions::row_23_of_many_clicks_at_once_one_counts`, `turns::decisions::row_23_somebody_elses_and_an_unknown_one`, `turns::decisions::row_23_a_request_that_is_another_now`, `turns::decisions::row_23_an_approval_that_comes_too_late`, `turns::asking::row_23_always_of_many_approvals_of_a_reading_call_one_sends`, `turns::asking::n30_by_default_a_delete_is_sent_once_after_the_yes_at_whichever_instance` |
//! | 24 | two turns at once | 409 | `turns::queue::s01_a_second_turn_is_refused_at_once_and_told_who_is_there`, `turns::queue::s27_of_many_requests_at_once_one_holds_the_session` |
//! | 25 | a replica is killed at any point | the same key works, nothing is repeated | `turns::crashes::s04_a_change_that_may_have_been_sent_is_told_as_unknown_and_not_sent_again`, `turns::crashes::s11_a_retry_under_the_key_gets_the_turn_of_the_same_run`, `tests/lab/run` |
//! | 26 | a replica sleeps longer than its lease | it writes nothing | `turns::zombies::s07_a_replica_that_slept_too_long_writes_nothing_and_sends_nothing` |
//! | 27 | Redis is killed, stopped, full, demoted, moved | 503 and `Retry-After`, nothing is sent | `outage::while_redis_refuses_everybody_is_told_soon_and_it_comes_back_by_itself`, `outage::while_redis_is_silent_everybody_is_told_soon_and_it_comes_back_by_itself`, `attacks::stores::row_27_a_full_redis_sends_nothing_and_is_told_soon`, `topologies::sentinels::a_primary_that_is_demoted_without_closing_a_connection_is_left_by_every_replica`, `topologies::cluster::a_busy_bucket_moves_from_node_to_node_and_no_turn_is_lost_or_doubled` |
//! | 28 | Redis' replies come to the wrong request | 409 for both, nothing of the other is told (where conversations are sealed) | `attacks::stores::row_28_replies_that_come_to_the_wrong_request_tell_nobody_anything` |
//! | 29 | a sealed record in another place, an older one, a flipped bit | 409 | `records::places::a_turn_of_another_user_is_not_told`, `records::places::an_older_turn_in_the_place_of_a_newer_is_not_told`, `records::places::a_flipped_bit_is_noticed` |
//! | 30 | the store is emptied in the middle of a turn | what was done is told once; then 401 | `attacks::stores::row_30_a_store_that_is_emptied_in_the_middle_repeats_nothing`, `turns::revisions::s14_a_store_that_lost_a_turn_says_so` |
//! | 31 | a replica's clock is wrong | nothing depends on it | `turns::zombies::s30_clocks_of_replicas_decide_nothing` |
//! | 32 | a reply that tells the model to delete | the user is asked | `untrusted::after_reply::an_injected_reply_deletes_nothing_before_the_user_agrees`, `turns::asking::rows_32_to_34_always_nothing_is_sent_that_nobody_saw` |
//! | 33 | a reply that forges results and roles | one JSON text in one message; a yes is a person's next message, and has no id | `untrusted::injections::what_an_api_returns_is_one_json_text_in_one_message`, `turns::confirmation::a_yes_with_nothing_asked_is_a_message_like_any_other`, `turns::asking::rows_32_to_34_always_nothing_is_sent_that_nobody_saw` |
//! | 34 | a model that calls what there is not, with what may not be | it is told so; nothing is sent | `turns::rounds::unknown_functions_and_broken_arguments_go_back_to_the_model`, `exact::bad_arguments::a_name_that_is_no_argument_is_refused_and_sent_nowhere`, `generated::hostile::a_hostile_model_gets_nothing_sent_that_may_not_be`, `turns::asking::rows_32_to_34_always_nothing_is_sent_that_nobody_saw` |
//! | 35 | arguments that would be another path, host or header | one segment, or refused | `attacks::ssrf::row_35_no_argument_leads_anywhere_else`, `exact::bad_arguments::a_bad_text_stays_the_value_it_is_or_is_refused` |
//! | 36 | a document that leads inside, circles, bombs, files elsewhere | no start, or not called | `attacks::ssrf::row_36_servers_of_a_document_lead_nowhere_else`, `attacks::ssrf::row_36_a_document_that_leads_to_what_clouds_tell_their_machines_is_no_start`, `attacks::ssrf::row_36_the_loopback_is_called_where_the_operator_names_it`, `attacks::ssrf::row_36_what_a_document_refers_to_elsewhere_is_not_fetched_and_circles_end`, `attacks::ssrf::row_36_a_document_without_an_end_is_given_up`, `src/upstream/tests.rs::a_document_from_elsewhere_does_not_lead_inside`, `src/openapi/load.rs::an_alias_bomb_and_endless_nesting_are_refused`, `src/openapi/files.rs::only_paths_below_the_directory_are_asked_for`, `generated::text::any_text_is_a_document_or_a_sentence`, `tests/ssrf/run` |
//! | 37 | a redirect to anywhere | told, not followed | `attacks::ssrf::row_37_a_redirect_is_told_and_not_followed`, `credentials::leaks::a_redirect_takes_no_credential_to_another_origin`, `tests/ssrf/run` |
//! | 38 | a name that means the loopback at the second look | not called | `src/outbound/guard.rs::a_name_that_turns_to_the_loopback_is_not_followed`, `src/outbound/guard.rs::every_way_to_write_an_address_is_that_address`, `tests/ssrf/run` |
//! | 39 | a bomb, an endless body, a hanging API | told as too large or too late | `results::replies::a_bomb_does_not_go_off`, `results::replies::an_endless_list_is_stopped_at_the_cap_and_says_how_to_ask_for_less`, `results::replies::a_hanging_api_is_given_up`, `src/outbound/tests.rs::a_promised_body_over_the_cap_is_not_read` |
//! | 40 | replies with scripts and control characters | inert text | `results::replies::every_kind_of_answer_is_told_for_what_it_is`, `src/markdown/mod.rs::hostile_text_stays_in_its_cell`, `src/markdown/escape_tests.rs::markup_is_shown_as_text`, `src/markdown/escape_tests.rs::whatever_is_said_becomes_no_markup_anywhere_and_all_of_it_is_shown`, `tests/console/run` |
//! | 41 | answers of a model with pictures, links and scripts | inert text | `tests/console/run` |
//! | 42 | a model that loops, hangs, floods, lies about its cost | the turn ends with the reason | `turns::rounds::a_model_that_never_ends_is_stopped_after_its_rounds`, `turns::ends::a_turn_ends_at_its_deadline_with_what_it_has`, `turns::budgets::a_turn_may_use_so_many_tokens_and_no_more`, `src/llm/endpoint_tests.rs::ten_megabytes_are_nonsense`, `src/llm/wire/answer_tests.rs::half_a_call_of_a_cut_answer_is_not_believed`, `src/llm/wire/answer_tests.rs::usage_is_believed_as_far_as_it_can_be_and_estimated_beyond` |
//! | 43 | a user who asks for secrets and for others' data | there is none where the model looks | `untrusted::secrets::what_the_model_says_of_them_is_taken_out`, `credentials::leaks::a_secret_is_sent_to_the_api_and_told_to_nobody`, `contract::session::the_history_of_one_is_not_that_of_another` |
//! | 44 | a conversation that was poisoned turns ago | with `agent.confirm` it asks all the same | `attacks::consent::row_44_what_was_planted_four_turns_ago_still_asks`, `untrusted::injections::a_later_turn_hears_it_as_data_as_well` |
//! | 45 | an administrator ends a session with a change out | no later call | `turns::zombies::s09_an_administrator_ends_a_session_with_all_that_runs_in_it` |
//! | 46 | what is ended twice | nothing more | `attacks::edges::row_46_what_is_ended_twice_is_ended_once` |
//! | 47 | requests that another site has a browser send | 401: a token is in no cookie | `attacks::edges::row_47_what_another_site_has_a_browser_send_is_nobodys_request` |
//! | 48 | the console in a frame, redirects to elsewhere | forbidden; there are none | `attacks::edges::row_48_the_console_is_in_nobodys_frame_and_nobody_is_led_away`, `src/api/console.rs::every_answer_carries_the_guards_and_a_tag` |
//! | 49 | lines for the log | escaped, cut | `attacks::edges::row_49_nobody_writes_lines_into_the_log` |
//! | 50 | many paths and names, to make many series | no series of their own | `metrics::ten_thousand_paths_users_and_methods_make_no_more_series_than_a_few` |
//! | 51 | secrets in replies and errors | taken out | `untrusted::secrets::what_an_api_says_of_them_is_taken_out_in_every_form`, `untrusted::secrets::an_error_does_not_quote_them` |
//! | 52 | half a body while the replica is to stop | it stops in time, runs are handed over | `outage::a_client_that_never_finishes_its_request_does_not_keep_a_replica_from_stopping`, `turns::zombies::s24_a_replica_that_goes_down_hands_its_turn_over_and_its_client_is_answered` |

mod clients;
mod consent;
mod edges;
mod http;
mod ssrf;
mod stores;

use std::path::Path;

/// The rows that there are.
const ROWS: usize = 52;

/// The file that a test is in and the test's name; no name for a runner.
fn place(named: &str) -> (String, Option<&str>) {
    if named.contains('/') {
        return named.split_once("::").map_or_else(|| (named.to_owned(), None), |(file, test)| (file.to_owned(), Some(test)));
    }
    let (module, test) = named.rsplit_once("::").unwrap_or_else(|| panic!("{named} is no path of a test"));
    let path = format!("tests/it/{}", module.replace("::", "/"));
    let file = ["/mod.rs", ".rs"].map(|end| format!("{path}{end}")).into_iter().find(|file| root().join(file).is_file());
    (file.unwrap_or(path), Some(test))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What is wrong with a place that the table names.
fn wrong_with(named: &str) -> Option<String> {
    let (file, test) = place(named);
    let Ok(text) = std::fs::read_to_string(root().join(&file)) else { return Some(format!("{named}: there is no {file}")) };
    let test = test?;
    let there = text.lines().any(|line| line.trim_start().trim_start_matches("async ").starts_with(&format!("fn {test}(")));
    (!there).then(|| format!("{named}: {file} has no such test"))
}

#[test]
fn every_test_of_the_table_is_there() {
    let rows: Vec<Vec<&str>> =
        include_str!("attacks.rs").lines().filter_map(|line| line.strip_prefix("//! | ")).map(|line| line.split(" | ").collect()).collect();
    let numbers: Vec<usize> = rows.iter().filter_map(|row| row[0].parse().ok()).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row[0].parse::<usize>().is_ok()) {
        let [number, .., tests] = row.as_slice() else { panic!("{row:?}") };
        let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            wrong.push(format!("row {number} names no test"));
        }
        wrong.extend(tests.into_iter().filter_map(wrong_with));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(wrong_with("attacks::http::no_such_test").is_some() && wrong_with("attacks::nowhere::x").is_some());
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let mut wrong = Vec::new();
    for document in ["docs/SECURITY.md", "docs/SECURITY.zh-CN.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let named: Vec<&str> = text.split('`').skip(1).step_by(2).filter(|named| named.contains("::")).collect();
        assert!(named.len() > 20, "{document} names {named:?}");
        for named in named {
            // A module of tests, or one test.
            let (module, _) = place(&format!("{named}::any"));
            if !root().join(module).is_file() {
                wrong.extend(wrong_with(named).map(|problem| format!("{document}: {problem}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
