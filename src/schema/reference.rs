//! The reference of all columns, as Markdown.

use arrow::datatypes::DataType;
use arrow::datatypes::Field;

use super::Table;

/// The columns of every table, as `docs/store.md` shows them.
pub fn reference() -> String {
    Table::ALL.map(section).join("\n")
}

fn section(table: Table) -> String {
    let mut text = format!(
        "### {}\n\n| column | type | skips files | meaning |\n| --- | --- | --- | --- |\n",
        table.name()
    );
    let schema = table.schema();
    for (field, column) in schema.fields().iter().zip(table.columns()) {
        let skips_files =
            table.statistics_columns().contains(&column.name) || table.partition_columns().contains(&column.name);
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            column.name,
            type_name(field),
            if skips_files { "yes" } else { "" },
            column.meaning.replace('|', "\\|")
        ));
    }
    text
}

fn type_name(field: &Field) -> String {
    match field.data_type() {
        DataType::Utf8 => "text".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::List(element) => format!("list of {}", type_name(element)),
        DataType::Struct(members) => {
            let names = members.iter().map(|member| member.name().as_str());
            format!("struct ({})", names.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
