//! Finding accounts, kinds and regions by listing folders only.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::TryStreamExt;
use futures::stream;

use super::bucket::Bucket;
use super::fault::Fault;
use super::layout::Level;
use super::layout::is_expected;
use super::layout::is_wanted;
use super::layout::level_of;
use super::page::PageRequest;
use crate::source::Selection;

/// Folders listed at a time; the bucket's own limit of requests applies below.
const LISTED_AT_A_TIME: usize = 64;
/// Folders above `AWSLogs` that are searched for it, and folders of one of them that are looked at.
const MOST_OUTSIDE: usize = 20_000;
const TOO_MANY: &str = "it has more folders than are searched for `AWSLogs`; name the prefixes of the logs as sources";
/// Levels of them: a trail's prefix may hold slashes.
const DEEPEST_OUTSIDE: usize = 4;

/// What stands below a prefix.
#[derive(Debug, Default)]
pub(in crate::source) struct Layout {
    /// Folders whose keys sort by time of delivery, each of one account, kind and region.
    pub(super) regions: Vec<String>,
    /// Folders of other services and of other people.
    pub(super) passed_over: Vec<String>,
    /// Where logs may lie that were not searched for, and why.
    pub(super) unlisted: Vec<(String, String)>,
    /// Whether the prefix follows the grammar at all; else everything below it is to be listed.
    pub(super) is_known: bool,
}

/// Folders and whether there are objects beside them.
struct Children {
    folder: String,
    folders: Vec<String>,
    has_objects: bool,
    /// Whether there are more folders than are looked at.
    has_more: bool,
}

impl Children {
    fn of(folder: String) -> Self {
        Self {
            folder,
            folders: Vec::new(),
            has_objects: false,
            has_more: false,
        }
    }
}

/// Finds the regions below a folder, which is empty or ends in a slash.
pub(in crate::source) async fn discover(
    bucket: &Arc<Bucket>,
    folder: &str,
    selection: &Selection,
) -> Result<Layout, Fault> {
    let mut layout = Layout::default();
    let mut frontier = match level_of(folder) {
        Level::Outside => search(bucket, folder, &mut layout).await?,
        Level::Foreign | Level::Below => Vec::new(),
        Level::Days => {
            layout.is_known = true;
            layout.regions.push(folder.to_owned());
            Vec::new()
        }
        Level::Accounts | Level::Kinds | Level::Regions => vec![folder.to_owned()],
    };
    layout.is_known |= !frontier.is_empty();
    while !frontier.is_empty() {
        let listed = children_of(bucket, &frontier).await?;
        frontier.clear();
        for children in listed {
            enter(bucket, children, selection, &mut layout, &mut frontier);
        }
    }
    layout.regions.sort();
    Ok(layout)
}

/// Sorts the children of one folder into those to enter, regions, and others.
fn enter(bucket: &Bucket, children: Children, selection: &Selection, layout: &mut Layout, frontier: &mut Vec<String>) {
    let level = level_of(&children.folder);
    for child in children.folders {
        let name = child
            .strip_prefix(&children.folder)
            .unwrap_or(&child)
            .trim_end_matches('/');
        if !is_expected(level, name) {
            layout.passed_over.push(bucket.uri(&child));
        } else if is_wanted(level, name, selection) {
            match level_of(&child) {
                Level::Days => layout.regions.push(child),
                _ => frontier.push(child),
            }
        }
    }
    if children.has_objects {
        layout.passed_over.push(beside_folders(bucket, &children.folder));
    }
}

/// The objects of a folder without those of its folders, for people.
fn beside_folders(bucket: &Bucket, folder: &str) -> String {
    format!("{}*", bucket.uri(folder))
}

/// Finds every `AWSLogs` at or below a folder outside of the grammar.
async fn search(bucket: &Arc<Bucket>, folder: &str, layout: &mut Layout) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    let mut beside: BTreeSet<String> = BTreeSet::new();
    let mut frontier = vec![folder.to_owned()];
    let mut unlisted = Vec::new();
    let mut left = MOST_OUTSIDE;
    for _ in 0..DEEPEST_OUTSIDE {
        let searched = std::mem::take(&mut frontier);
        left = left.saturating_sub(searched.len());
        let mut listed = stream::iter(searched)
            .map(|folder| children(bucket, folder))
            .buffered(LISTED_AT_A_TIME);
        while let Some(children) = listed.try_next().await? {
            let is_leaf = children.folders.is_empty();
            let mut is_cut = children.has_more;
            for child in children.folders {
                if level_of(&child) == Level::Accounts {
                    found.push(child);
                } else if frontier.len() < left {
                    frontier.push(child);
                } else {
                    is_cut = true;
                }
            }
            if is_cut {
                unlisted.push((bucket.uri(&children.folder), TOO_MANY.to_owned()));
            }
            if children.has_objects || is_leaf {
                beside.insert(children.folder);
            }
        }
    }
    beside.extend(frontier);
    if found.is_empty() {
        return Ok(found);
    }
    layout.unlisted = unlisted;
    let is_on_the_way = |folder: &String| found.iter().any(|root| root.starts_with(folder.as_str()));
    let is_inside = |folder: &String| {
        beside
            .iter()
            .any(|other| other != folder && folder.starts_with(other.as_str()) && !is_on_the_way(other))
    };
    for folder in beside.iter().filter(|folder| !is_inside(folder)) {
        layout.passed_over.push(if is_on_the_way(folder) {
            beside_folders(bucket, folder)
        } else {
            bucket.uri(folder)
        });
    }
    Ok(found)
}

async fn children_of(bucket: &Arc<Bucket>, folders: &[String]) -> Result<Vec<Children>, Fault> {
    stream::iter(folders.to_vec())
        .map(|folder| children(bucket, folder))
        .buffered(LISTED_AT_A_TIME)
        .try_collect()
        .await
}

async fn children(bucket: &Arc<Bucket>, folder: String) -> Result<Children, Fault> {
    let mut request = PageRequest {
        prefix: folder.clone(),
        is_flat: true,
        ..PageRequest::default()
    };
    let mut children = Children::of(folder);
    loop {
        let page = bucket.page(&request).await?;
        children.folders.extend(page.folders);
        children.has_objects |= !page.objects.is_empty();
        let is_large_and_foreign =
            children.folders.len() >= MOST_OUTSIDE && level_of(&children.folder) == Level::Outside;
        if page.next.is_none() || is_large_and_foreign {
            children.has_more = page.next.is_some();
            return Ok(children);
        }
        request.token = page.next;
    }
}
