use std::collections::BTreeMap;
use std::io::Cursor;
use std::io::Read;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::BooleanArray;
use arrow::array::Float64Array;
use arrow::array::Int64Array;
use arrow::array::RecordBatch;
use arrow::array::StringArray;
use arrow::array::TimestampMicrosecondArray;

use super::*;

/// The parts of a workbook, by name.
fn parts(workbook: Workbook) -> BTreeMap<String, String> {
    let mut bytes = Vec::new();
    workbook.write(&mut bytes).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut parts = BTreeMap::new();
    for name in names {
        let mut text = String::new();
        archive.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
        parts.insert(name, text);
    }
    parts
}

fn of_texts(values: &[&str]) -> Workbook {
    let mut sheet = Sheet::new("texts", &[("value", SheetKind::Text)]).unwrap();
    for value in values {
        sheet.push(&[CellValue::Text(value)]).unwrap();
    }
    let mut workbook = Workbook::new("Texts", 1_788_220_800);
    workbook.add(sheet);
    workbook
}

fn typed_batch() -> RecordBatch {
    let times = TimestampMicrosecondArray::from(vec![Some(1_788_220_800_000_000), Some(-3_000_000_000_000_000), None]);
    let columns: [(&str, ArrayRef); 5] = [
        ("text", Arc::new(StringArray::from(vec![Some("12"), None, Some("x")]))),
        ("whole", Arc::new(Int64Array::from(vec![7, 1_234_567_890_123_456, -1]))),
        ("part", Arc::new(Float64Array::from(vec![0.1 + 0.2, f64::NAN, 2.0]))),
        ("at", Arc::new(times.with_timezone("UTC"))),
        ("is", Arc::new(BooleanArray::from(vec![true, false, true]))),
    ];
    let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(nullable).unwrap()
}

#[test]
fn text_is_never_a_formula_a_link_or_markup() {
    let hostile = [
        "=1+1",
        "@SUM(A1)",
        "+1",
        "-1",
        "https://example.com",
        "<r><t>x</t></r>",
        "a&<b>",
        "_x0041_",
        "\u{202e}\u{0}\n",
        "\u{ffff}",
    ];
    let parts = parts(of_texts(&hostile));
    let sheet = &parts["xl/worksheets/sheet1.xml"];
    assert!(!sheet.contains("<f") && !sheet.contains("hyperlink"), "{sheet}");
    let strings = &parts["xl/sharedStrings.xml"];
    for shown in [
        "<t>=1+1</t>",
        "<t>@SUM(A1)</t>",
        "<t>'&lt;r&gt;&lt;t&gt;x&lt;/t&gt;&lt;/r&gt;</t>",
        "<t>a&amp;&lt;b&gt;</t>",
        "<t>_x005F_x0041_</t>",
        "<t>\\u{202e}\\u{0}\\u{a}</t>",
        "<t>_xFFFF_</t>",
    ] {
        assert!(strings.contains(shown), "{shown}: {strings}");
    }
    assert!(
        parts["xl/styles.xml"].contains("numFmtId=\"49\""),
        "cells are of the type text"
    );
}

#[test]
fn value_that_is_too_long_is_cut_and_says_so() {
    let (fits, long) = ("é".repeat(32_767), "😀".repeat(20_000));
    let mut sheet = Sheet::new("long", &[("value", SheetKind::Text)]).unwrap();
    sheet.push(&[CellValue::Text(&fits)]).unwrap();
    sheet.push(&[CellValue::Text(&long)]).unwrap();
    assert_eq!(sheet.summary().cut_values, 1);
    let mut workbook = Workbook::new("Long", 0);
    workbook.add(sheet);
    let parts = parts(workbook);
    let strings = &parts["xl/sharedStrings.xml"];
    assert!(strings.contains(&format!("<t>{fits}</t>")));
    assert!(strings.contains("😀… [cut: 40000 characters]</t>"));
}

#[test]
fn columns_of_batches_keep_their_types_and_every_digit() {
    let batch = typed_batch();
    let mut sheet = Sheet::of_schema("typed", &batch.schema()).unwrap();
    sheet.write(&batch).unwrap();
    let mut workbook = Workbook::new("Typed", 0);
    workbook.add(sheet);
    let parts = parts(workbook);
    let sheet = &parts["xl/worksheets/sheet1.xml"];
    // 2026-09-01 in days since 1900, as spreadsheets count.
    for cell in ["<v>7</v>", "<v>46266</v>", "<v>0.30000000000000004</v>"] {
        assert!(sheet.contains(cell), "{cell}: {sheet}");
    }
    assert!(
        sheet.contains("t=\"b\"") && !sheet.contains("1234567890123456"),
        "{sheet}"
    );
    let strings = &parts["xl/sharedStrings.xml"];
    for text in ["12", "1234567890123456", "NaN", "1874-12-07T18:40:00Z"] {
        assert!(strings.contains(&format!("<t>{text}</t>")), "{text}: {strings}");
    }
}

#[test]
fn header_stays_in_view_with_filters_and_links_lead_to_sheets() {
    let mut index = Sheet::new("index", &[("sheet", SheetKind::Text), ("rows", SheetKind::Number)]).unwrap();
    index.push(&[CellValue::Sheet("texts"), CellValue::Whole(2)]).unwrap();
    let mut workbook = of_texts(&["a", "b"]);
    workbook.add_first(index);
    let parts = parts(workbook);
    let names = &parts["xl/workbook.xml"];
    assert!(names.find("name=\"index\"") < names.find("name=\"texts\""), "{names}");
    let sheet = &parts["xl/worksheets/sheet1.xml"];
    for part in [
        "<pane ySplit=\"1\"",
        "<autoFilter ref=\"A1:B2\"/>",
        "location=\"'texts'!A1\"",
    ] {
        assert!(sheet.contains(part), "{part}: {sheet}");
    }
}

#[test]
fn rows_beyond_the_room_are_counted() {
    let batch = typed_batch();
    let room = SheetRoom {
        rows: 2,
        bytes: u64::MAX,
    };
    let mut sheet = Sheet::of_schema("typed", &batch.schema()).unwrap().with_room(room);
    sheet.write(&batch).unwrap();
    sheet.write(&batch).unwrap();
    assert_eq!(
        sheet.summary(),
        SheetSummary {
            rows: 2,
            left_out: 4,
            cut_values: 0
        }
    );
}

#[test]
fn same_sheets_give_the_same_bytes_and_the_time_of_the_caller() {
    let bytes = || {
        let mut bytes = Vec::new();
        let mut workbook = of_texts(&["a", "b", "a"]);
        workbook.add(Sheet::of_schema("typed", &typed_batch().schema()).unwrap());
        workbook.write(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(bytes(), bytes());
    let core = &parts(of_texts(&[]))["docProps/core.xml"];
    assert!(core.contains("2026-09-01T00:00:00Z"), "{core}");
    let early = &parts(Workbook::new("Early", i64::MIN))["docProps/core.xml"];
    assert!(early.contains("1980-01-01T00:00:00Z"), "{early}");
}
