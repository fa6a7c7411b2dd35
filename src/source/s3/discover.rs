//! Finding accounts, kinds and regions by listing folders only.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use super::bucket::Bucket;
use super::fault::Fault;
use super::layout::Level;
use super::layout::is_expected;
use super::layout::is_wanted;
use super::layout::level_of;
use super::layout::names_of;
use super::page::PageRequest;
use crate::source::OwnKeys;
use crate::source::Selection;

/// Folders listed at a time; the bucket's own limit of requests applies below.
const LISTED_AT_A_TIME: usize = 64;
/// Folders above `AWSLogs` that are searched for it, and folders of one of them that are looked at.
const MOST_OUTSIDE: usize = 20_000;
const TOO_MANY: &str = "it has more folders than are searched for `AWSLogs`; name the prefixes of the logs as sources";
/// Levels of them that are searched before every object is listed instead, where no `AWSLogs` was found.
const LEVELS_BEFORE_PLAIN: usize = 4;
/// Longest path of them: a trail's prefix has up to 200 characters
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html>), and a slash follows.
const LONGEST_OUTSIDE: usize = 201;
/// Levels of folders beside the accounts that are searched for another `AWSLogs`: a trail's prefix may begin with that name.
const LEVELS_BESIDE_ACCOUNTS: usize = 2;
const LOGS_BESIDE: &str = "there are log files outside of the folders that CloudTrail makes; name them with `--keys-from`, or move them into such folders";

/// What stands below a prefix.
#[derive(Debug, Default)]
pub(in crate::source) struct Layout {
    /// Folders whose keys sort by time of delivery, each of one account, kind and region.
    pub(super) regions: Vec<String>,
    /// Folders of other services and of other people.
    pub(super) passed_over: Vec<String>,
    /// Where logs lie, or may lie, that are not listed, and why.
    pub(super) unlisted: Vec<(String, String)>,
    /// Whether the prefix follows the grammar at all; else everything below it is to be listed.
    pub(super) is_known: bool,
    /// Names of the folders of accounts with logs, of their kinds and of regions.
    pub(in crate::source) names: BTreeSet<String>,
}

/// Folders and whether there are objects beside them.
struct Children {
    folder: String,
    folders: Vec<String>,
    has_objects: bool,
    /// Whether some of them are named as log files are.
    has_logs: bool,
    /// Whether there are more folders than are looked at.
    has_more: bool,
}

impl Children {
    fn of(folder: String) -> Self {
        Self {
            folder,
            folders: Vec::new(),
            has_objects: false,
            has_logs: false,
            has_more: false,
        }
    }
}

/// Where something could not be listed, and why.
type Unlisted = (String, Fault);

/// Finds the regions below a folder, which is empty or ends in a slash; the run's own store is left out.
///
/// # Errors
///
/// The folder itself cannot be listed, or what hinders will hinder all others, too. A folder below it that cannot be listed is told
/// in the answer.
pub(in crate::source) async fn discover(
    bucket: &Arc<Bucket>,
    folder: &str,
    selection: &Selection,
    own: &OwnKeys,
) -> Result<Layout, Unlisted> {
    let mut layout = Layout {
        names: names_of(folder).map(str::to_owned).collect(),
        ..Layout::default()
    };
    let mut frontier = match level_of(folder) {
        Level::Outside => search(bucket, folder, own, &mut layout).await?,
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
        let mut strangers = Vec::new();
        let mut listed = stream::iter(std::mem::take(&mut frontier))
            .map(|folder| children(bucket, folder))
            .buffered(LISTED_AT_A_TIME);
        while let Some(children) = listed.next().await {
            if let Some(children) = unless_hindered(children, &bucket.uri(folder), &mut layout.unlisted)? {
                enter(
                    bucket,
                    children,
                    selection,
                    &mut layout,
                    (&mut frontier, &mut strangers),
                );
            }
        }
        frontier.extend(roots_among(bucket, strangers, own, &mut layout).await?);
    }
    layout.regions.sort();
    Ok(layout)
}

/// Takes note of a folder that cannot be listed; an error if that ends the run.
fn unless_hindered(
    children: Result<Children, Unlisted>,
    root: &str,
    unlisted: &mut Vec<(String, String)>,
) -> Result<Option<Children>, Unlisted> {
    match children {
        Ok(children) => Ok(Some(children)),
        Err((uri, fault)) if uri == root || fault.stops_the_run() => Err((uri, fault)),
        Err((uri, fault)) => {
            unlisted.push((uri, fault.to_string()));
            Ok(None)
        }
    }
}

/// Sorts the children of one folder into those to enter, regions, others, and strangers among the accounts.
fn enter(
    bucket: &Bucket,
    children: Children,
    selection: &Selection,
    layout: &mut Layout,
    (frontier, strangers): (&mut Vec<String>, &mut Vec<String>),
) {
    let level = level_of(&children.folder);
    for child in children.folders {
        let name = child
            .strip_prefix(&children.folder)
            .unwrap_or(&child)
            .trim_end_matches('/');
        if !is_expected(level, name) && level == Level::Accounts {
            strangers.push(child);
        } else if !is_expected(level, name) {
            layout.passed_over.push(bucket.uri(&child));
        } else if is_wanted(level, name, selection) {
            let below = level_of(&child);
            if matches!(below, Level::Regions | Level::Days) {
                layout.names.extend(names_of(&child).map(str::to_owned));
            }
            match below {
                Level::Days => layout.regions.push(child),
                _ => frontier.push(child),
            }
        }
    }
    if children.has_logs {
        let beside = beside_folders(bucket, &children.folder);
        layout.unlisted.push((beside, LOGS_BESIDE.to_owned()));
    } else if children.has_objects {
        layout.passed_over.push(beside_folders(bucket, &children.folder));
    }
}

/// The objects of a folder without those of its folders, for people.
fn beside_folders(bucket: &Bucket, folder: &str) -> String {
    format!("{}*", bucket.uri(folder))
}

/// Finds every `AWSLogs` at or below a folder outside of the grammar.
async fn search(
    bucket: &Arc<Bucket>,
    folder: &str,
    own: &OwnKeys,
    layout: &mut Layout,
) -> Result<Vec<String>, Unlisted> {
    let mut search = Search {
        frontier: vec![folder.to_owned()],
        left: MOST_OUTSIDE,
        longest: folder.len() + LONGEST_OUTSIDE,
        ..Search::default()
    };
    let mut level = 0;
    while !search.frontier.is_empty() && (level < LEVELS_BEFORE_PLAIN || !search.found.is_empty()) {
        level += 1;
        search.list(bucket, folder, own).await?;
    }
    if !search.found.is_empty() {
        layout.passed_over = search.passed_over(bucket);
        layout.unlisted = search.unlisted;
    }
    Ok(search.found.into_iter().collect())
}

/// Finds every `AWSLogs` a little below folders that are none of accounts; the others of them are passed over.
async fn roots_among(
    bucket: &Arc<Bucket>,
    strangers: Vec<String>,
    own: &OwnKeys,
    layout: &mut Layout,
) -> Result<Vec<String>, Unlisted> {
    let are_logs = |folder: &&String| !own.holds(&bucket.uri(folder));
    let mut search = Search {
        frontier: strangers.iter().filter(are_logs).cloned().collect(),
        left: MOST_OUTSIDE,
        longest: usize::MAX,
        ..Search::default()
    };
    for _ in 0..LEVELS_BESIDE_ACCOUNTS {
        search.list(bucket, "", own).await?;
    }
    let is_passed_over = |folder: &&String| !search.is_on_the_way(folder);
    layout
        .passed_over
        .extend(strangers.iter().filter(is_passed_over).map(|folder| bucket.uri(folder)));
    if !search.found.is_empty() {
        layout.unlisted.extend(search.unlisted);
    }
    Ok(search.found.into_iter().collect())
}

/// What the search for `AWSLogs` has found.
#[derive(Default)]
struct Search {
    found: BTreeSet<String>,
    /// Folders that are still to be listed.
    frontier: Vec<String>,
    /// How many more of them there may be.
    left: usize,
    /// Longest path of a folder that is listed.
    longest: usize,
    /// Folders without logs, as far as is known.
    beside: BTreeSet<String>,
    unlisted: Vec<(String, String)>,
}

impl Search {
    /// Lists the folders that are still to be listed, of a search that began at `root`.
    async fn list(&mut self, bucket: &Arc<Bucket>, root: &str, own: &OwnKeys) -> Result<(), Unlisted> {
        let searched = std::mem::take(&mut self.frontier);
        self.left = self.left.saturating_sub(searched.len());
        let mut listed = stream::iter(searched)
            .map(|folder| children(bucket, folder))
            .buffered(LISTED_AT_A_TIME);
        while let Some(children) = listed.next().await {
            if let Some(children) = unless_hindered(children, &bucket.uri(root), &mut self.unlisted)? {
                self.enter(bucket, children, own);
            }
        }
        Ok(())
    }

    /// Sorts the children of one folder into those that were looked for, and those to list.
    fn enter(&mut self, bucket: &Bucket, children: Children, own: &OwnKeys) {
        let is_leaf = children.folders.is_empty();
        let mut is_cut = children.has_more;
        let are_logs = |child: &String| !own.holds(&bucket.uri(child));
        for child in children.folders.into_iter().filter(are_logs) {
            if level_of(&child) == Level::Accounts {
                self.found.insert(child);
            } else if child.len() > self.longest {
                self.beside.insert(child);
            } else if self.frontier.len() < self.left {
                self.frontier.push(child);
            } else {
                is_cut = true;
            }
        }
        if is_cut {
            self.unlisted.push((bucket.uri(&children.folder), TOO_MANY.to_owned()));
        }
        if children.has_logs {
            let beside = beside_folders(bucket, &children.folder);
            self.unlisted.push((beside, LOGS_BESIDE.to_owned()));
        } else if children.has_objects || is_leaf {
            self.beside.insert(children.folder);
        }
    }

    /// Folders beside all that were found, for people: not those that lie in others of them.
    fn passed_over(&self, bucket: &Bucket) -> Vec<String> {
        let is_outermost = |folder: &&String| {
            let ends = folder.match_indices('/').map(|(end, _)| end + 1);
            let mut above = std::iter::once(0).chain(ends).filter_map(|end| folder.get(..end));
            !above.any(|above| above != folder.as_str() && self.beside.contains(above) && !self.is_on_the_way(above))
        };
        let told = self.beside.iter().filter(is_outermost);
        let told = told.map(|folder| match self.is_on_the_way(folder) {
            true => beside_folders(bucket, folder),
            false => bucket.uri(folder),
        });
        told.collect()
    }

    /// Whether something that was found lies below a folder.
    fn is_on_the_way(&self, folder: &str) -> bool {
        let mut behind = self.found.range(folder.to_owned()..);
        behind.next().is_some_and(|root| root.starts_with(folder))
    }
}

async fn children(bucket: &Arc<Bucket>, folder: String) -> Result<Children, Unlisted> {
    let mut request = PageRequest {
        prefix: folder.clone(),
        is_flat: true,
        ..PageRequest::default()
    };
    let mut children = Children::of(folder);
    loop {
        let page = bucket.page(&request).await;
        let page = page.map_err(|fault| (bucket.uri(&children.folder), fault))?;
        children.folders.extend(page.folders);
        children.has_objects |= !page.objects.is_empty();
        children.has_logs |= page.objects.iter().any(|object| object.key.is_some());
        let is_large_and_foreign =
            children.folders.len() >= MOST_OUTSIDE && level_of(&children.folder) == Level::Outside;
        if page.next.is_none() || is_large_and_foreign {
            children.has_more = page.next.is_some();
            return Ok(children);
        }
        request.token = page.next;
    }
}
