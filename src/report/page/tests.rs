use super::*;

#[test]
fn parts_of_a_bar_fill_it_without_overlap() {
    let parts = shares([1, 1, 1], 4, 3);
    let ends: Vec<(usize, usize)> = parts.iter().map(|part| (part.start, part.width)).collect();
    assert_eq!(ends, [(0, 142), (142, 143), (285, 143), (428, 143), (571, 429)]);
    assert!(shares([0, 0, 0], 0, 0).iter().all(|part| part.width == 0));
    assert_eq!(
        (format_count(0_u64), format_count(1_234_567_u64)),
        ("0".to_owned(), "1,234,567".to_owned())
    );
}
