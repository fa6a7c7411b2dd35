//! What a bundle holds for other programs: the workbook, OSCAL assessment results and OCSF findings.

use super::*;

/// How each control stands, by framework and id.
fn standings(bundled: &Bundled) -> BTreeMap<(String, String), String> {
    let record = bundled.json("bundle.json");
    let controls = record["controls"].as_array().unwrap().iter();
    controls
        .map(|control| {
            let name = (text(control, "framework"), text(control, "id"));
            (name, text(&control["judgement"], "standing"))
        })
        .collect()
}

#[test]
fn controls_stand_as_the_sample_was_planted() {
    let standings = standings(Bundled::get());
    let of = |framework: &str, id: &str| standings[&(framework.to_owned(), id.to_owned())].as_str();
    // Root users were used, and the sample lacks an object and a record.
    assert_eq!(of("nist-800-53", "AC-6(2)"), "findings");
    assert_eq!(of("nist-800-53", "AU-12"), "findings");
    assert!(!standings.values().any(|standing| standing == "clear"), "{standings:?}");
}

#[test]
fn workbook_has_a_sheet_for_every_table_and_indexes_that_link_to_it() {
    let bundled = Bundled::get();
    let parts = workbook_parts(&fs::read(bundled.path("whole/workbook.xlsx")).unwrap());
    let book = &parts["xl/workbook.xml"];
    let record = bundled.json("bundle.json");
    let exhibits: Vec<String> = record["exhibits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|exhibit| text(exhibit, "id"))
        .collect();
    let first = ["About", "Controls", "Tables", "coverage", "integrity"].map(str::to_owned);
    let names = first.iter().chain(exhibits.iter().filter(|id| !first.contains(id)));
    let positions: Vec<usize> = names
        .map(|name| {
            book.find(&format!("<sheet name=\"{name}\""))
                .unwrap_or_else(|| panic!("{name}: {book}"))
        })
        .collect();
    assert!(positions.is_sorted() && positions.len() == exhibits.len() + 3, "{book}");
    let index = &parts["xl/worksheets/sheet3.xml"];
    for name in &exhibits {
        assert!(index.contains(&format!("location=\"'{name}'!A1\"")), "{name}");
    }
    let all: Vec<&str> = parts.values().map(String::as_str).collect();
    assert!(!all.join("").contains("<f>"), "no formula anywhere");
    assert!(
        parts["docProps/core.xml"].contains("20"),
        "{}",
        parts["docProps/core.xml"]
    );
}

#[test]
fn assessment_results_name_every_file_with_its_hash_and_every_control() {
    let bundled = Bundled::get();
    let document = bundled.json("oscal-assessment-results.json");
    let results = &document["assessment-results"];
    let sums = fs::read_to_string(bundled.path("whole/SHA256SUMS")).unwrap();
    let resources = results["back-matter"]["resources"].as_array().unwrap();
    for resource in resources {
        let link = &resource["rlinks"][0];
        let line = format!("{}  {}\n", text(&link["hashes"][0], "value"), text(link, "href"));
        assert!(sums.contains(&line), "{line}");
    }
    // All but itself and what binds it.
    assert_eq!(resources.len() + 2, sums.lines().count());
    let plan = text(&results["import-ap"], "href");
    let is_plan = |resource: &&Value| format!("#{}", text(resource, "uuid")) == plan;
    assert_eq!(resources.iter().find(is_plan).unwrap()["title"], "bundle.json");
    let result = &results["results"][0];
    let observations: BTreeSet<String> = result["observations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|observation| text(observation, "uuid"))
        .collect();
    let standings = standings(bundled);
    let judged = standings.values().filter(|standing| *standing != "described").count();
    let findings = result["findings"].as_array().unwrap();
    assert_eq!(findings.len(), judged);
    for finding in findings {
        for related in finding["related-observations"].as_array().unwrap() {
            assert!(observations.contains(&text(related, "observation-uuid")), "{finding}");
        }
    }
    let reviewed = result["reviewed-controls"]["control-selections"].as_array().unwrap();
    let reviewed: usize = reviewed
        .iter()
        .map(|selection| selection["include-controls"].as_array().unwrap().len())
        .sum();
    assert_eq!(reviewed, standings.len());
}

#[test]
fn findings_for_machines_are_of_all_three_classes_and_every_control_has_one() {
    let bundled = Bundled::get();
    let lines = fs::read_to_string(bundled.path("whole/findings.ocsf.ndjson")).unwrap();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_class = |class: u64| events.iter().filter(move |event| event["class_uid"] == class);
    assert_eq!(of_class(2003).count(), standings(bundled).len());
    let root = of_class(2004).filter(|event| event["finding_info"]["types"][0] == "root-use");
    assert!(root.count() > 0);
    let unused = of_class(2008).map(|event| &event["permission_analysis_results"][0]["unused_privileges_count"]);
    let unused: Vec<i64> = unused.filter_map(Value::as_i64).collect();
    assert!(
        !unused.is_empty() && unused.iter().all(|count| *count > 0),
        "{unused:?}"
    );
    let uids: BTreeSet<(i64, String)> = events
        .iter()
        .map(|event| (number(event, "class_uid"), text(&event["finding_info"], "uid")))
        .collect();
    assert_eq!(uids.len(), events.len(), "each finding has a name of its own");
}
