//! Listing one folder whose keys sort by day.

use std::sync::Arc;

use jiff::civil::Date;

use super::bucket::Bucket;
use super::fault::Fault;
use super::layout::day_below;
use super::page::PageRequest;
use crate::source::ObjectRef;
use crate::source::history::FIRST_DAY;

/// One folder whose keys sort by day, and how far it is listed.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) folder: String,
    /// First wanted day.
    pub(super) from: Date,
    pub(super) start_after: Option<String>,
    /// Day of the next key, as far as it is known.
    pub(super) next_day: Option<Date>,
}

/// What one region adds to a part.
pub(super) struct Part {
    pub(super) region: Option<Region>,
    pub(super) objects: Vec<ObjectRef>,
    pub(super) unlisted: Option<(String, Fault)>,
    /// The folder, if its keys come in no order.
    pub(super) unsorted: Option<String>,
}

/// Finds the first day of a region that is wanted from its beginning; `None` if there is nothing.
pub(super) async fn probe(
    bucket: &Arc<Bucket>,
    mut region: Region,
    last_day: Option<Date>,
) -> Result<Option<Region>, (String, Fault)> {
    if region.next_day.is_some() {
        return Ok(Some(region));
    }
    let first = bucket.first_below(&region.folder).await;
    let first = first.map_err(|fault| (bucket.uri(&region.folder), fault))?;
    // A key without a day sorts somewhere: list from the start.
    let first = first.map(|object| day_below(&object.uri, &region.folder).unwrap_or(FIRST_DAY));
    // One key does not prove that the service sorts, and so not that there is nothing before it.
    region.next_day = first.map(|day| last_day.map_or(day, |last| day.min(last)));
    Ok(region.next_day.is_some().then_some(region))
}

/// Lists one region up to the day before `end`; nothing of it if the service does not sort: then no key says what lies behind it,
/// and the folder must be listed from its beginning to its end.
///
/// Amazon S3 lists in the order of UTF-8 bytes, except for directory buckets
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
pub(super) async fn list_days(bucket: &Arc<Bucket>, region: Region, end: Date, last_day: Option<Date>) -> Part {
    let folder = region.folder.clone();
    if !bucket.is_directory()
        && let Some(part) = list_sorted(bucket, region, end, last_day).await
    {
        return part;
    }
    tracing::warn!(folder, "keys do not come in order; the folder is listed whole");
    Part {
        region: None,
        objects: Vec::new(),
        unlisted: None,
        unsorted: Some(folder),
    }
}

/// `None` when a page is not in order, or not behind the one before.
async fn list_sorted(bucket: &Arc<Bucket>, mut region: Region, end: Date, last_day: Option<Date>) -> Option<Part> {
    let mut request = PageRequest {
        prefix: region.folder.clone(),
        start_after: region.start_after.clone(),
        ..PageRequest::default()
    };
    let mut objects: Vec<ObjectRef> = Vec::new();
    loop {
        let page = match bucket.page(&request).await {
            Ok(page) => page,
            Err(fault) => {
                return Some(Part {
                    region: None,
                    objects,
                    unlisted: Some((bucket.uri(&region.folder), fault)),
                    unsorted: None,
                });
            }
        };
        let before = region.start_after.as_deref().map(|key| bucket.uri(key));
        // The whole page: behind a key that is not wanted any more an earlier one may stand.
        if !is_in_order(before.as_deref(), &page.objects) {
            return None;
        }
        for mut object in page.objects {
            let day = day_below(&object.uri, &region.folder);
            if let Some(day) = day.filter(|day| *day >= end) {
                region.next_day = Some(day);
                let is_over = last_day.is_some_and(|last| day > last);
                return Some(Part {
                    region: (!is_over).then_some(region),
                    objects,
                    unlisted: None,
                    unsorted: None,
                });
            }
            object.listed_from = day.map(|_| region.from);
            region.start_after = object.bucket_key(bucket).map(str::to_owned);
            objects.push(object);
        }
        if page.next.is_none() {
            return Some(Part {
                region: None,
                objects,
                unlisted: None,
                unsorted: None,
            });
        }
        request.token = page.next;
    }
}

/// Whether keys come one behind the other, and behind the last one before them.
fn is_in_order(before: Option<&str>, objects: &[ObjectRef]) -> bool {
    let first = objects.first().map(|object| &*object.uri);
    let is_behind = before.zip(first).is_none_or(|(before, first)| before < first);
    is_behind && objects.is_sorted_by(|left, right| left.uri < right.uri)
}
