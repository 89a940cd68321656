//! Requests exact to the byte: a document, the arguments of a call, and what the API behind the document then sees on the wire.
//!
//! Each fixture beside this file is a fragment of a document with calls. A call goes in through `POST /api/call`; what it `sends` is
//! compared with what a recording API got: method, target, every header field once, body. What is `refused` reaches no API at all.

mod bad_arguments;
pub mod compare;
mod fixture;
mod names;
mod servers;

use std::{fs, path::Path};

macro_rules! fixtures {
    ($($name:ident)+) => {
        $(#[tokio::test]
        async fn $name() {
            fixture::Fixture::read(stringify!($name)).prove().await;
        })+

        const FIXTURES: &[&str] = &[$(stringify!($name)),+];
    };
}

fixtures! {
    n01_path_item_parameters
    n02_one_name_in_five_places
    n03_path_styles
    n04_deep_object
    n05_delimited_lists
    n06_reserved_characters
    n07_json_in_a_query
    n08_cookies
    n09_headers
    n10_nothing_is_lost
    n11_a_value_stays_in_its_segment
    n12_base_path
    n14_form
    n15_multipart
    n16_json_media_types
    n17_bodies_that_are_no_objects
    n18_bytes_xml_and_delete
    n19_recursion
    n20_parts_and_read_only
    n21_three_one
    n21_webhooks_only
    n22_swagger_2
    n23_names
    n24_references
    n25_templates
    n26_text_of_any_script
    n27_numbers
    problems_all_at_once
    styles
}

#[test]
fn every_fixture_is_proven() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exact");
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = files.filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned)).collect();
    names.sort();
    names.retain(|name| name != bad_arguments::TABLE);
    assert_eq!(names, FIXTURES);
}
