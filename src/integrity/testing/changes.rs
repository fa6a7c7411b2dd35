//! What happens to the bytes of a tree after they were made.

use std::collections::BTreeMap;

use serde_json::Value;

/// gzip without compression.
pub(in crate::integrity) fn stored_gzip(content: &[u8], mtime: u8) -> Vec<u8> {
    let mut stored = vec![0x1f, 0x8b, 8, 0, mtime, 0, 0, 0, 0, 0xff];
    let mut blocks: Vec<&[u8]> = content.chunks(65_535).collect();
    if blocks.is_empty() {
        blocks.push(&[]);
    }
    let last = blocks.len() - 1;
    for (number, block) in blocks.into_iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        stored.push(u8::from(number == last));
        stored.extend(length.to_le_bytes());
        stored.extend((!length).to_le_bytes());
        stored.extend(block);
    }
    let mut sum = flate2::Crc::new();
    sum.update(content);
    stored.extend(sum.sum().to_le_bytes());
    stored.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    stored
}

/// What happens to the content.
pub(super) fn changed_content(operation: &[Value], content: &[u8]) -> Option<Vec<u8>> {
    let word = |index: usize| operation.get(index).and_then(Value::as_str).unwrap_or_default();
    let number = operation.get(2).and_then(Value::as_u64).unwrap_or_default();
    let position = content.len() * usize::try_from(number).unwrap() / 1000;
    let mut content = content.to_vec();
    match word(0) {
        "edit" => content[position] = b'7',
        "shorten" => content.truncate(position),
        "replace" => {
            let text = String::from_utf8(content).unwrap();
            content = text.replacen(word(2), word(3), 1).into_bytes();
        }
        _ => return None,
    }
    Some(content)
}

/// What happens to the stored bytes or to the metadata alone.
pub(super) fn change_bytes(
    operation: &[Value],
    content: &[u8],
    stored: &mut Vec<u8>,
    metadata: &mut BTreeMap<String, String>,
) {
    let word = |index: usize| operation.get(index).and_then(Value::as_str).unwrap_or_default();
    let number = operation.get(2).and_then(Value::as_u64).unwrap_or_default();
    let number = usize::try_from(number).unwrap();
    match word(0) {
        "flip" => {
            let position = (stored.len() * number / 1000).min(stored.len() - 1);
            stored[position] ^= 1;
        }
        "truncate" => stored.truncate(stored.len() * number / 1000),
        "cut" => stored.truncate(stored.len().saturating_sub(number)),
        "append" => stored.extend(vec![b'x'; number]),
        "pad" => stored.extend(vec![0; number]),
        "member" => stored.extend(stored_gzip(br#"{"Records":[]}"#, 0)),
        "plain" => *stored = content.to_vec(),
        "recompress" => *stored = stored_gzip(content, 77),
        "meta_drop" => {
            metadata.remove(word(2));
        }
        "meta_set" => {
            metadata.insert(word(2).to_owned(), word(3).to_owned());
        }
        "meta_upper" => {
            if let Some(signature) = metadata.get_mut("signature") {
                *signature = signature.to_uppercase();
            }
        }
        other => panic!("{other}"),
    }
}
