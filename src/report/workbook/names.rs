//! Names of sheets: short, without the characters that spreadsheets forbid, and each once.

use std::collections::BTreeSet;

/// Most characters of a name.
const MOST_CHARACTERS: usize = 31;
const FORBIDDEN: [char; 7] = ['[', ']', ':', '*', '?', '/', '\\'];

/// Gives names to the sheets of one workbook.
#[derive(Debug, Clone, Default)]
pub struct SheetNames {
    /// In small letters: spreadsheets do not tell them apart.
    taken: BTreeSet<String>,
}

impl SheetNames {
    /// No name is taken.
    pub fn new() -> Self {
        Self::default()
    }

    /// The wanted name, or the nearest one that a sheet may have and no other has.
    pub fn take(&mut self, wanted: &str) -> String {
        let plain: String = wanted
            .chars()
            .map(|character| if is_forbidden(character) { '-' } else { character })
            .collect();
        let plain = match plain.trim_matches(['\'', ' ']) {
            // A name that spreadsheets keep for themselves.
            "" => "Sheet",
            reserved if reserved.eq_ignore_ascii_case("history") => "History-",
            other => other,
        };
        let candidates = (1_u32..).map(|number| match number {
            1 => shortened(plain, ""),
            number => shortened(plain, &format!("~{number}")),
        });
        let mut free = candidates.filter(|name| self.taken.insert(name.to_lowercase()));
        free.next().unwrap_or_default()
    }
}

fn is_forbidden(character: char) -> bool {
    FORBIDDEN.contains(&character) || crate::report::escape::is_hidden(character)
}

/// The start of a name with an ending, both together not too long.
fn shortened(name: &str, ending: &str) -> String {
    let mut room = MOST_CHARACTERS.saturating_sub(ending.len());
    let fits = |character: &char| {
        // Spreadsheets count in UTF-16.
        let units = character.len_utf16();
        let has_room = units <= room;
        room = room.saturating_sub(units);
        has_room
    };
    let start: String = name.chars().take_while(fits).collect();
    format!("{}{ending}", start.trim_end_matches(['\'', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_told_apart_and_without_forbidden_characters() {
        let mut names = SheetNames::new();
        for (wanted, given) in [
            ("root-use", "root-use"),
            ("Root-Use", "Root-Use~2"),
            ("a/b:c", "a-b-c"),
            ("'quoted'", "quoted"),
            ("", "Sheet"),
            ("HISTORY", "History-"),
            ("\u{202e}x", "-x"),
            (
                "abcdefghijklmnopqrstuvwxyz0123456789",
                "abcdefghijklmnopqrstuvwxyz01234",
            ),
            (
                "abcdefghijklmnopqrstuvwxyz0123456789!",
                "abcdefghijklmnopqrstuvwxyz012~2",
            ),
            ("😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"),
        ] {
            assert_eq!(names.take(wanted), given);
        }
    }
}
