//! Listing the objects of one bucket, part by part and in the order of their days.
//!
//! A part holds all regions up to one day, so that memory does not grow with the bucket and objects are read in the order in
//! which they were delivered. Where a service lists in no order, parts are as large, and objects come as they are listed.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use jiff::ToSpan;
use jiff::civil::Date;

use super::bucket::Bucket;
use super::discover::Layout;
use super::fault::Fault;
use super::hindered::named_or_stopped;
use super::layout::day_path;
use super::page::PageRequest;
use super::region::Region;
use super::region::list_days;
use super::region::probe;
use super::retried::gone_below;
use super::retried::retried_below;
use super::retried::returned;
use super::unsorted::Unsorted;
use crate::source::History;
use crate::source::Listing;
use crate::source::ObjectRef;
use crate::source::OwnKeys;
use crate::source::Selection;
use crate::source::history::FIRST_DAY;

/// Regions listed at a time; the bucket's own limit of requests applies below.
const LISTED_AT_A_TIME: usize = 64;
/// Objects that a part should hold.
const WANTED_OBJECTS: usize = 100_000;
const NO_REGIONS: &str = "there are no CloudTrail logs of the wanted accounts and regions below it; check the prefix";
const NO_OBJECTS: &str = "there are no objects below it; check the prefix";
const ONLY_THE_STORE: &str = "it holds nothing but the store; name the logs";
const FIRST_SPAN: i32 = 2;
const LONGEST_SPAN: i32 = 366;

/// Lists a bucket below one prefix.
#[derive(Debug)]
pub(in crate::source) struct BucketLister {
    bucket: Arc<Bucket>,
    prefix: String,
    regions: Vec<Region>,
    /// Folders whose keys come in no order.
    unsorted: Unsorted,
    /// A prefix outside of the grammar, listed from beginning to end.
    plain: Option<PageRequest>,
    /// What is left out of it.
    own_keys: OwnKeys,
    /// Whether something was left out, and whether there was something else.
    has_own: bool,
    has_others: bool,
    last_day: Option<Date>,
    /// Days that the next part covers.
    span: i32,
    /// Objects that the last part has.
    told: BTreeSet<Box<str>>,
    /// What there is to say at the beginning.
    first: Option<Listing>,
    /// What earlier runs could not read.
    retried: Listing,
    /// What was gone when earlier runs came to it.
    gone: Vec<ObjectRef>,
}

impl BucketLister {
    /// A lister of what was discovered below `prefix`.
    pub(in crate::source) fn new(
        bucket: &Arc<Bucket>,
        prefix: &str,
        layout: Layout,
        selection: &Selection,
        (history, look_back): (&History, u16),
    ) -> Self {
        let first_day = selection
            .first_day
            .map_or(FIRST_DAY, |day| day.checked_sub(1.day()).unwrap_or(day));
        let last_day = selection.last_delivery_day();
        let as_region = |folder: String| {
            let from = history.resume((bucket.endpoint(), &bucket.uri(&folder)), first_day, look_back);
            Region {
                start_after: (from > FIRST_DAY).then(|| format!("{folder}{}", day_path(from))),
                next_day: (from > FIRST_DAY).then_some(from),
                from,
                folder,
            }
        };
        let has_no_regions = layout.is_known && layout.regions.is_empty();
        let retried = retried_below(bucket, prefix, history);
        let gone = gone_below(bucket, prefix, history);
        let mut first = Listing {
            passed_over: layout.passed_over,
            unlisted: layout.unlisted,
            ..Listing::default()
        };
        if has_no_regions && first.unlisted.is_empty() {
            first.unlisted.push((bucket.uri(prefix), NO_REGIONS.to_owned()));
        }
        Self {
            bucket: Arc::clone(bucket),
            prefix: prefix.to_owned(),
            regions: layout.regions.into_iter().map(as_region).collect(),
            unsorted: Unsorted::default(),
            plain: (!layout.is_known).then(|| PageRequest {
                prefix: prefix.to_owned(),
                ..PageRequest::default()
            }),
            own_keys: OwnKeys::default(),
            has_own: false,
            has_others: false,
            last_day,
            span: FIRST_SPAN,
            told: retried
                .objects
                .iter()
                .chain(&gone)
                .map(|object| object.uri.clone())
                .collect(),
            first: Some(first),
            retried,
            gone,
        }
    }

    /// The same without the keys of a store.
    pub(in crate::source) fn without(self, own_keys: OwnKeys) -> Self {
        Self { own_keys, ..self }
    }

    /// The next objects; `None` at the end.
    pub(in crate::source) async fn next(&mut self) -> Result<Option<Listing>, (String, Fault)> {
        if let Some(first) = self.first.take()
            && !(first.passed_over.is_empty() && first.unlisted.is_empty())
        {
            return Ok(Some(first));
        }
        if let Some(request) = self.plain.take() {
            return self.next_plain(request).await.map(Some);
        }
        if self.regions.iter().any(|region| region.next_day.is_none()) {
            let unlisted = self.probe().await?;
            if !unlisted.is_empty() {
                return Ok(Some(Listing {
                    unlisted,
                    ..Listing::default()
                }));
            }
        }
        self.regions.retain(|region| {
            self.last_day
                .is_none_or(|last| region.next_day.is_none_or(|day| day <= last))
        });
        loop {
            let first = self.regions.iter().filter_map(|region| region.next_day).min();
            let part = match first {
                _ if !self.unsorted.is_empty() => self.next_unsorted().await?,
                Some(first) => self.next_days(first).await?,
                None => return Ok(None),
            };
            if !part.objects.is_empty() || !part.unlisted.is_empty() {
                return Ok(Some(part));
            }
        }
    }

    /// What earlier runs could not read, and what was gone and is there again. It comes behind the listings of all sources, as
    /// what still cannot be read must not keep a run from what can.
    pub(in crate::source) async fn waiting(mut self) -> Listing {
        let returned = returned(&self.bucket, self.gone).await;
        self.retried.objects.extend(returned);
        self.retried
    }

    /// Whether there is something left to list, and all of it lies in hopeless folders. Of what is listed key by key nobody knows
    /// which folders are still to come.
    pub(in crate::source) fn is_hopeless(&self, is_hopeless: impl Fn(&str) -> bool) -> bool {
        let mut folders = self.regions.iter().map(|region| self.bucket.uri(&region.folder));
        let has_folders = !self.regions.is_empty() && self.unsorted.is_empty() && self.plain.is_none();
        has_folders && folders.all(|folder| is_hopeless(&folder))
    }

    /// Name of the bucket.
    pub(in crate::source) fn bucket(&self) -> &str {
        self.bucket.name()
    }

    /// URI below which it is listed.
    pub(in crate::source) fn uri(&self) -> String {
        self.bucket.uri(&self.prefix)
    }

    /// Finds the first day of every region that is wanted from its beginning; drops empty ones, and those that cannot be
    /// listed, which are the answer.
    async fn probe(&mut self) -> Result<Vec<(String, String)>, (String, Fault)> {
        let (bucket, last_day) = (&self.bucket, self.last_day);
        let regions = std::mem::take(&mut self.regions);
        let probed: Vec<Result<Option<Region>, (String, Fault)>> = stream::iter(regions)
            .map(|region| probe(bucket, region, last_day))
            .buffered(LISTED_AT_A_TIME)
            .collect()
            .await;
        let has_answered = probed.iter().any(Result::is_ok);
        let mut hindered = Vec::new();
        for region in probed {
            match region {
                Ok(region) => self.regions.extend(region),
                Err(unlisted) => hindered.push(unlisted),
            }
        }
        named_or_stopped(hindered, has_answered)
    }

    /// Lists all regions for some days from `first` on.
    async fn next_days(&mut self, first: Date) -> Result<Listing, (String, Fault)> {
        let behind = |day: Date, days: i32| day.checked_add(days.days()).unwrap_or(Date::MAX);
        let end = behind(first, self.span);
        let end = self.last_day.map_or(end, |last| end.min(behind(last, 1)));
        let (due, later): (Vec<Region>, Vec<Region>) = std::mem::take(&mut self.regions)
            .into_iter()
            .partition(|region| region.next_day.is_some_and(|day| day < end));
        self.regions = later;
        let (bucket, last_day) = (&self.bucket, self.last_day);
        let mut parts = stream::iter(due)
            .map(|region| list_days(bucket, region, end, last_day))
            .buffered(LISTED_AT_A_TIME);
        let mut listing = Listing::default();
        let (mut hindered, mut has_answered) = (Vec::new(), false);
        while let Some(part) = parts.next().await {
            listing.objects.extend(part.objects);
            self.regions.extend(part.region);
            part.unsorted.into_iter().for_each(|folder| self.unsorted.add(folder));
            has_answered |= part.unlisted.is_none();
            hindered.extend(part.unlisted);
        }
        drop(parts);
        listing.unlisted = named_or_stopped(hindered, has_answered)?;
        self.adapt(listing.objects.len());
        self.finish(&mut listing);
        Ok(listing)
    }

    /// Lists folders whose keys come in no order, for one part.
    async fn next_unsorted(&mut self) -> Result<Listing, (String, Fault)> {
        let bucket = &self.bucket;
        let page = |request: PageRequest| async move { bucket.page(&request).await };
        let sizes = (WANTED_OBJECTS, LISTED_AT_A_TIME);
        let listed = self.unsorted.next(sizes, self.last_day, page).await;
        let told = |(folder, fault): (String, Fault)| (bucket.uri(&folder), fault);
        let (mut listing, hindered) = listed.map_err(told)?;
        let unlisted = hindered.into_iter().map(told);
        listing.unlisted = unlisted.map(|(uri, fault)| (uri, fault.to_string())).collect();
        self.finish(&mut listing);
        Ok(listing)
    }

    /// Makes the next part about as large as wanted.
    fn adapt(&mut self, objects: usize) {
        self.span = match objects {
            few if few < WANTED_OBJECTS / 8 => self.span.saturating_mul(4).min(LONGEST_SPAN),
            some if some < WANTED_OBJECTS / 2 => self.span.saturating_mul(2).min(LONGEST_SPAN),
            many if many > WANTED_OBJECTS => (self.span / 2).max(1),
            _ => self.span,
        };
    }

    async fn next_plain(&mut self, mut request: PageRequest) -> Result<Listing, (String, Fault)> {
        let mut listing = Listing::default();
        while listing.objects.len() < WANTED_OBJECTS {
            let page = self.bucket.page(&request).await;
            let page = page.map_err(|fault| (self.bucket.uri(&request.prefix), fault))?;
            let (own, others): (Vec<_>, Vec<_>) = page
                .objects
                .into_iter()
                .partition(|object| self.own_keys.holds(&object.uri));
            self.has_own |= !own.is_empty();
            self.has_others |= !others.is_empty();
            listing.objects.extend(others);
            if page.next.is_none() {
                if !self.has_others {
                    let uri = self.bucket.uri(&request.prefix);
                    let reason = if self.has_own { ONLY_THE_STORE } else { NO_OBJECTS };
                    listing.unlisted.push((uri, reason.to_owned()));
                }
                self.finish(&mut listing);
                return Ok(listing);
            }
            request.token = page.next;
        }
        self.plain = Some(request);
        self.finish(&mut listing);
        Ok(listing)
    }

    fn finish(&self, listing: &mut Listing) {
        listing.objects.retain(|object| !self.told.contains(&object.uri));
        listing.put_in_order();
    }
}
