//! Folders whose keys come in no order: listed from beginning to end, in parts as they come.
//!
//! No key says what lies behind it, so that such a listing proves nothing of the days of a folder, and every run begins anew.

use std::future::Future;

use futures::StreamExt;
use futures::stream;
use jiff::civil::Date;

use super::fault::Fault;
use super::layout::day_below;
use super::page::Page;
use super::page::PageRequest;
use crate::source::Listing;

/// What is still to be listed of folders without order.
#[derive(Debug, Default)]
pub(super) struct Unsorted {
    /// The next page of each folder.
    requests: Vec<PageRequest>,
}

impl Unsorted {
    /// Adds a folder, from its beginning.
    pub(super) fn add(&mut self, folder: String) {
        self.requests.push(PageRequest {
            prefix: folder,
            ..PageRequest::default()
        });
    }

    /// Whether nothing is left to list.
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Lists pages of several folders at a time, until there are as many objects as are wanted. What is of days behind the last
    /// one is dropped at once: who looks for a few days of many years holds these alone. A folder that cannot be listed any further
    /// is named.
    ///
    /// # Errors
    ///
    /// Prefix and fault, if it will hinder all others, too.
    pub(super) async fn next<F>(
        &mut self,
        (wanted, at_a_time): (usize, usize),
        last_day: Option<Date>,
        page: impl Fn(PageRequest) -> F,
    ) -> Result<(Listing, Vec<(String, Fault)>), (String, Fault)>
    where
        F: Future<Output = Result<Page, Fault>>,
    {
        let page = &page;
        let (mut listing, mut hindered) = (Listing::default(), Vec::new());
        while listing.objects.len() < wanted && !self.requests.is_empty() {
            let rest = self.requests.split_off(at_a_time.min(self.requests.len()));
            let now = std::mem::replace(&mut self.requests, rest);
            let mut pages = stream::iter(now)
                .map(|request| async move {
                    let answer = page(request.clone()).await;
                    (request, answer)
                })
                .buffered(at_a_time);
            while let Some((mut request, answer)) = pages.next().await {
                match answer {
                    Ok(page) => {
                        listing.extend(page.objects.into_iter().filter(|object| {
                            let day = day_below(&object.uri, &request.prefix);
                            last_day.zip(day).is_none_or(|(last, day)| day <= last)
                        }));
                        request.token = page.next;
                        self.requests.extend(request.token.is_some().then_some(request));
                    }
                    Err(fault) if fault.stops_the_run() => return Err((request.prefix, fault)),
                    Err(fault) => hindered.push((request.prefix, fault)),
                }
            }
        }
        Ok((listing, hindered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ObjectRef;
    use crate::source::object::Place;
    use crate::source::s3::fault::FaultKind;

    const FOLDER: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/";

    fn object(folder: &str, day: u8, name: usize) -> ObjectRef {
        let uri = format!("s3://b/{folder}2026/09/{day:02}/{name}.json.gz");
        ObjectRef {
            uri: uri.into(),
            etag: "e".into(),
            size: 1,
            last_modified: None,
            key: None,
            is_named: false,
            may_be_gone: false,
            listed_from: None,
            place: Place::File,
        }
    }

    /// Nine pages of two objects, of September 9 down to 1.
    async fn page(request: PageRequest) -> Result<Page, Fault> {
        let number: u8 = request.token.as_deref().unwrap_or("0").parse().unwrap();
        Ok(Page {
            objects: (0..2).map(|name| object(&request.prefix, 9 - number, name)).collect(),
            folders: Vec::new(),
            next: (number < 8).then(|| (number + 1).to_string()),
        })
    }

    #[tokio::test]
    async fn part_holds_no_more_than_is_wanted_and_some_pages_and_the_next_one_goes_on() {
        let mut unsorted = Unsorted::default();
        let folders = ["a/", "b/", "c/"].map(|prefix| format!("{prefix}{FOLDER}"));
        folders.into_iter().for_each(|folder| unsorted.add(folder));
        let (mut parts, mut uris) = (Vec::new(), Vec::new());
        while !unsorted.is_empty() {
            let (listing, hindered) = unsorted.next((5, 2), None, page).await.unwrap();
            assert_eq!(hindered, []);
            parts.push(listing.objects.len());
            uris.extend(listing.objects.into_iter().map(|object| object.uri));
        }
        assert!(parts.iter().all(|count| *count <= 5 - 1 + 2 * 2), "{parts:?}");
        uris.sort();
        uris.dedup();
        assert_eq!(uris.len(), 3 * 9 * 2);
    }

    #[tokio::test]
    async fn days_behind_the_last_one_take_no_room() {
        let mut unsorted = Unsorted::default();
        unsorted.add(FOLDER.to_owned());
        let last_day = Some(jiff::civil::date(2026, 9, 2));
        let (listing, _) = unsorted.next((3, 2), last_day, page).await.unwrap();
        assert!(unsorted.is_empty());
        let days: Vec<bool> = listing
            .objects
            .iter()
            .map(|object| object.uri.contains("/09/03/"))
            .collect();
        assert_eq!(days, [false; 4]);
    }

    #[tokio::test]
    async fn folder_that_may_not_be_listed_any_further_is_named_and_what_stops_the_run_is_an_error() {
        let fail = |kind: FaultKind| {
            move |request: PageRequest| async move {
                match request.token.is_some() && request.prefix.starts_with("a/") {
                    true => Err(Fault::new(kind, "no")),
                    false => page(request).await,
                }
            }
        };
        let mut unsorted = Unsorted::default();
        ["a/", "b/"]
            .into_iter()
            .for_each(|folder| unsorted.add(format!("{folder}{FOLDER}")));
        let denied = unsorted.next((100, 2), None, fail(FaultKind::Denied)).await.unwrap();
        assert_eq!((denied.0.objects.len(), denied.1.len()), (2 + 18, 1));
        unsorted.add(format!("a/{FOLDER}"));
        let stopped = unsorted.next((100, 2), None, fail(FaultKind::Credentials)).await;
        assert_eq!(stopped.unwrap_err().0, format!("a/{FOLDER}"));
    }
}
