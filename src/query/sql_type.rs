//! Names of column types as SQL has them.

use arrow::datatypes::DataType;
use arrow::datatypes::Field;

/// The name that `cast(… as …)` takes for a type; of a structure, which no cast takes, its members.
pub fn sql_type(kind: &DataType) -> String {
    let name = match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "varchar",
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => "bytea",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "integer",
        DataType::Int64 => "bigint",
        DataType::UInt8 => "tinyint unsigned",
        DataType::UInt16 => "smallint unsigned",
        DataType::UInt32 => "integer unsigned",
        DataType::UInt64 => "bigint unsigned",
        DataType::Float32 => "real",
        DataType::Float64 => "double",
        DataType::Date32 => "date",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Dictionary(_, values) => return sql_type(values),
        DataType::List(element) | DataType::LargeList(element) => {
            return format!("{}[]", sql_type(element.data_type()));
        }
        DataType::Struct(members) => {
            let members: Vec<String> = members.iter().map(|member| member_text(member)).collect();
            return format!("struct({})", members.join(", "));
        }
        other => return other.to_string(),
    };
    name.to_owned()
}

fn member_text(member: &Field) -> String {
    format!("{} {}", member.name(), sql_type(member.data_type()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::TimeUnit;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn name_of_a_type_can_be_cast_to() {
        let list = |kind| DataType::List(Arc::new(Field::new("element", kind, true)));
        for kind in [
            DataType::Utf8View,
            DataType::Binary,
            DataType::Boolean,
            DataType::Int32,
            DataType::Int64,
            DataType::UInt64,
            DataType::Float64,
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            list(DataType::Utf8),
            list(DataType::Int64),
        ] {
            let name = sql_type(&kind);
            let frame = SessionContext::new()
                .sql(&format!("select cast(null as {name}) as value"))
                .await;
            let cast = frame.unwrap().schema().field(0).data_type().clone();
            let without_zone = name.trim_end_matches(" with time zone");
            assert_eq!(sql_type(&cast).trim_end_matches(" with time zone"), without_zone);
        }
    }

    #[test]
    fn structure_in_a_list_shows_its_members() {
        let members = vec![
            Field::new("arn", DataType::Utf8, true),
            Field::new("calls", DataType::Int64, true),
        ];
        let structure = DataType::Struct(members.into());
        let list = DataType::List(Arc::new(Field::new("element", structure, true)));
        assert_eq!(sql_type(&list), "struct(arn varchar, calls bigint)[]");
    }
}
