//! Any record comes out as it went in, and the fast path gives what the strict one does.

use proptest::prelude::*;

use super::*;

fn json_text(depth: u32) -> impl Strategy<Value = String> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,4})?",
        Just("1e999".to_owned()),
        Just("0.0".to_owned())
    ];
    let string = any::<String>().prop_map(|text| extra::quote(&text));
    let leaf = prop_oneof![
        number,
        string,
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned())
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec(("[a-zA-Z\\u{e9}\"]{0,6}", inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, raw)| format!("{}: {raw}", extra::quote(key)))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// Objects in objects whose members have these names, some more than once.
fn object_of(names: Vec<&'static str>) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null"),
        Just("\"x\""),
        Just("1.0"),
        Just("true"),
        Just("\"true\""),
        Just("{}")
    ];
    leaf.prop_map(str::to_owned).prop_recursive(3, 24, 6, move |inner| {
        let member = (prop::sample::select(names.clone()), inner);
        prop::collection::vec(member, 0..6).prop_map(|members| {
            let members: Vec<String> = members.iter().map(|(name, raw)| format!("\"{name}\":{raw}")).collect();
            format!("{{{}}}", members.join(","))
        })
    })
}

fn record_text() -> impl Strategy<Value = String> {
    let known = fields::FIELDS.map(|spec| spec.json_name.to_owned()).to_vec();
    let key = prop_oneof![8 => prop::sample::select(known), 1 => "[a-zA-Z]{1,8}"];
    let time = Just("\"2026-09-01T10:00:00Z\"".to_owned());
    let identity = Just(
        RECORD
            .split_once("\"userIdentity\":")
            .unwrap()
            .1
            .split_once(",\"eventTime\"")
            .unwrap()
            .0
            .to_owned(),
    );
    let value = prop_oneof![6 => json_text(3), 1 => time, 1 => identity];
    let names = leaves::LEAVES.iter().map(|leaf| leaf.json_name);
    let names = names.chain(leaves::NESTED_CONTAINERS.iter().map(|(_, name, _)| *name));
    let identity = object_of(names.chain(["inScopeOf"]).collect());
    let tls = object_of(tls::TLS_MEMBERS.iter().map(|(name, _)| *name).collect());
    let member = prop_oneof![
        14 => (key, value),
        1 => (Just("userIdentity".to_owned()), identity),
        1 => (Just("tlsDetails".to_owned()), tls),
    ];
    prop::collection::vec(member, 0..16).prop_map(|members| {
        let mut text = "{\"eventName\":\"Planted\",\"eventType\":\"AwsApiCall\"".to_owned();
        for (key, raw) in members {
            text.push_str(&format!(",{}:{raw}", extra::quote(&key)));
        }
        text + "}"
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_record_round_trips(record in record_text()) {
        let (outcome, batch) = decode(format!("{{\"Records\":[{RECORD},{record}]}}").as_bytes());
        if outcome.rejects.is_empty() {
            let back = rendered(&batch);
            prop_assert_eq!(canonical(&back[1]), canonical(&record), "\n{}\n{}", back[1], record);
        } else {
            // The last `eventName` counts; a record that has lost its name, or is an aggregate, is no record.
            prop_assert_eq!(outcome.rejects[0].reason.as_str(), "not a CloudTrail record");
        }
    }

    #[test]
    fn any_bytes_balance(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..RECORD.len()) {
        let mut object = format!("{{\"Records\":[{RECORD},{}", &RECORD[..cut]).into_bytes();
        object.extend(&bytes);
        let (outcome, _) = decode(&object);
        prop_assert!(outcome.rows >= 1);
    }

    #[test]
    fn any_damage_to_a_line_costs_that_line_alone(
        place in 0_usize..3,
        from in 0..RECORD.len(),
        length in 0_usize..400,
        inserted in "[ -~]{0,6}",
    ) {
        let mut lines = numbered_lines(3);
        let line = &mut lines[place];
        let end = line.len().min(from + length);
        line.replace_range(from..end, &inserted);
        let (_, batch) = decode(lines.join("\n").as_bytes());
        let found = request_ids(&batch);
        for other in (0..3).filter(|other| *other != place) {
            let id = format!("R{other}");
            prop_assert_eq!(found.iter().filter(|found| **found == id).count(), 1, "{}", lines[place]);
        }
    }

    #[test]
    fn fast_and_strict_readers_agree(record in record_text()) {
        let fast = decode(format!("[{record}]").as_bytes());
        // A malformed neighbour sends the same record through the strict reader.
        let strict = decode(format!("[{record},{{\"eventVersion\":tru}}]").as_bytes());
        prop_assert_eq!(fast.0.rows, strict.0.rows);
        prop_assert_eq!(fast.1, strict.1);
    }
}
