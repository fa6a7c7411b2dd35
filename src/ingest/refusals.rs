//! Folders of a bucket that nobody lets this run read.
//!
//! Whoever may read nothing shall not ask for all objects of a bucket. But neither do many that nobody may read, as those of one
//! account whose key was withdrawn, keep a run from those behind them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::source::Fault;
use crate::source::FaultKind;
use crate::source::ObjectRef;

/// Objects that may be refused one after another, with none read in between. From then on folders are passed over of which the last
/// object that was asked for was refused.
const MOST_REFUSED: u32 = 10_000;
/// Requests under way then: whether a folder is refused shows with the first answer, and each that is under way is one too many.
const UNDER_WAY_WHEN_REFUSED: usize = 16;
/// Folders that are named one by one.
const MOST_NAMED: usize = 10;

/// What a run has been refused so far.
#[derive(Debug)]
pub(super) struct Refusals {
    most: u32,
    in_a_row: u32,
    /// Folders of which the last object was refused.
    refused: BTreeSet<Box<str>>,
    /// Folders of which no further object is asked for in this run.
    passed_over: BTreeMap<Box<str>, PassedOver>,
    /// Buckets of which an object was read.
    readable: BTreeSet<Box<str>>,
    /// Buckets, and what the last of their objects was refused with.
    reasons: BTreeMap<Box<str>, String>,
    /// Bucket of the last object that was refused.
    last: Option<Box<str>>,
}

#[derive(Debug)]
struct PassedOver {
    objects: u64,
    reason: String,
}

impl Default for Refusals {
    fn default() -> Self {
        Self::after(MOST_REFUSED)
    }
}

impl Refusals {
    fn after(most: u32) -> Self {
        Self {
            most,
            in_a_row: 0,
            refused: BTreeSet::new(),
            passed_over: BTreeMap::new(),
            readable: BTreeSet::new(),
            reasons: BTreeMap::new(),
            last: None,
        }
    }

    /// Takes in what became of an object that was asked for.
    pub(super) fn note(&mut self, object: &ObjectRef, fault: Option<&Fault>) {
        let Some(fault) = fault else {
            self.in_a_row = 0;
            if !self.refused.is_empty() {
                self.refused.remove(folder_of(object));
            }
            if !self.readable.contains(bucket_of(object)) {
                self.readable.insert(bucket_of(object).into());
            }
            return;
        };
        if matches!(fault.kind, FaultKind::Denied | FaultKind::Refused) {
            self.in_a_row += 1;
            if !self.refused.contains(folder_of(object)) {
                self.refused.insert(folder_of(object).into());
            }
            let bucket = bucket_of(object);
            if self.in_a_row >= self.most || !self.reasons.contains_key(bucket) {
                self.reasons.insert(bucket.into(), fault.to_string());
                self.last = Some(bucket.into());
            }
        }
    }

    /// Requests that may be under way, if there is room for `most`.
    pub(super) fn room(&self, most: usize) -> usize {
        match self.in_a_row >= self.most {
            true => most.min(UNDER_WAY_WHEN_REFUSED),
            false => most,
        }
    }

    /// Whether an object is not to be asked for; it is counted, then.
    pub(super) fn passes_over(&mut self, object: &ObjectRef) -> bool {
        if self.in_a_row < self.most && self.passed_over.is_empty() {
            return false;
        }
        let folder = folder_of(object);
        if let Some(passed_over) = self.passed_over.get_mut(folder) {
            passed_over.objects += 1;
            return true;
        }
        let is_passed_over = self.in_a_row >= self.most && self.refused.contains(folder);
        if is_passed_over {
            let reason = self.reasons.get(bucket_of(object)).cloned().unwrap_or_default();
            self.passed_over
                .insert(folder.into(), PassedOver { objects: 1, reason });
        }
        is_passed_over
    }

    /// Whether an object lies in a folder of which others were left, so that it proves nothing of those before it.
    pub(super) fn has_passed_over(&self, object: &ObjectRef) -> bool {
        !self.passed_over.is_empty() && self.passed_over.contains_key(folder_of(object))
    }

    /// Whether the last object of a folder was refused.
    pub(super) fn is_refused(&self, folder: &str) -> bool {
        self.refused.contains(folder)
    }

    /// A bucket that is not worth listing any further where folders are refused, and why: too many of its objects were, and none
    /// was read.
    pub(super) fn hopeless_bucket(&self) -> Option<(&str, String)> {
        let bucket = self.last.as_ref()?;
        let reason = self.reasons.get(bucket)?;
        let is_hopeless = self.in_a_row >= self.most && !self.readable.contains(bucket);
        let most = self.most;
        is_hopeless.then(|| {
            let reason = format!("not listed to its end, as {most} objects were refused and none was read: {reason}");
            (&**bucket, reason)
        })
    }

    /// The folders that were passed over, and why.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        let named = self.passed_over.iter().take(MOST_NAMED).map(|(folder, passed_over)| {
            let PassedOver { objects, reason } = passed_over;
            let most = self.most;
            let reason = format!(
                "{objects} of its objects were not asked for, as {most} had been refused one after another: {reason}"
            );
            (folder.to_string(), reason)
        });
        let mut told: Vec<_> = named.collect();
        if let Some((folder, _)) = self.passed_over.iter().nth(MOST_NAMED) {
            let more = self.passed_over.len() - MOST_NAMED;
            told.push((
                folder.to_string(),
                format!("the same goes for {more} folders from this one on"),
            ));
        }
        told
    }
}

/// The folder of the account, kind and region, or of the object alone, with its slash. What lies deeper below a region than in its
/// days is listed with it: what is left of it is a gap in what the objects of the region prove.
fn folder_of(object: &ObjectRef) -> &str {
    let parent = || object.uri.get(..=object.uri.rfind('/')?);
    object.enclosing_region().or_else(parent).unwrap_or_default()
}

fn bucket_of(object: &ObjectRef) -> &str {
    let name = object.uri.strip_prefix("s3://").unwrap_or(&object.uri);
    name.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    /// Objects by their paths, which lie in folders as those of a bucket do.
    fn objects<const N: usize>(paths: [&str; N]) -> [ObjectRef; N] {
        let folder = tempfile::tempdir().unwrap();
        paths.map(|path| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "x").unwrap();
            let listing = source::list(&[path.display().to_string()]).unwrap();
            listing.objects.into_iter().next().unwrap()
        })
    }

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "denied")
    }

    #[test]
    fn folders_of_refused_objects_are_passed_over_once_enough_were_refused_in_a_row() {
        let [a1, a2, b1, b2, c1, c2] = objects(["a/1", "a/2", "b/1", "b/2", "c/1", "c/2"]);
        let denied = fault(FaultKind::Denied);
        let mut refusals = Refusals::after(3);
        let asked = |refusals: &mut Refusals, object: &ObjectRef, fault: Option<&Fault>| {
            assert!(!refusals.passes_over(object), "{}", object.uri);
            refusals.note(object, fault);
        };
        asked(&mut refusals, &a1, Some(&denied));
        asked(&mut refusals, &a2, Some(&denied));
        // One that is read in between begins the count anew.
        asked(&mut refusals, &b1, None);
        asked(&mut refusals, &b1, Some(&denied));
        asked(&mut refusals, &b2, None);
        asked(&mut refusals, &a1, Some(&denied));
        asked(&mut refusals, &a2, Some(&denied));
        asked(&mut refusals, &c1, Some(&denied));
        assert!(refusals.passes_over(&a1) && refusals.passes_over(&c2) && refusals.passes_over(&a2));
        // Of another folder the last object was read.
        asked(&mut refusals, &b1, None);
        // For the rest of the run, whatever is read elsewhere.
        assert!(refusals.passes_over(&c1));
        assert!(refusals.has_passed_over(&a1) && !refusals.has_passed_over(&b1));
        let told = refusals.told();
        assert_eq!(told.len(), 2);
        assert!(
            told[0].0.ends_with("/a/") && told[0].1.starts_with("2 of its objects"),
            "{told:?}"
        );
        assert!(
            told[1].0.ends_with("/c/") && told[1].1.starts_with("2 of its objects"),
            "{told:?}"
        );
    }

    #[test]
    fn all_below_a_region_is_one_folder() {
        let region = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/";
        let [deeper, day] = ["01/backup/1", "02/1"].map(|below| format!("{region}{below}"));
        let [deeper, day] = objects([&deeper, &day]);
        let mut refusals = Refusals::after(1);
        refusals.note(&deeper, Some(&fault(FaultKind::Denied)));
        assert!(refusals.passes_over(&deeper));
        assert!(refusals.has_passed_over(&day));
    }

    #[test]
    fn few_requests_are_under_way_while_objects_are_refused() {
        let [first] = objects(["a/1"]);
        let mut refusals = Refusals::after(1);
        assert_eq!(refusals.room(512), 512);
        refusals.note(&first, Some(&fault(FaultKind::Denied)));
        assert_eq!((refusals.room(512), refusals.room(4)), (UNDER_WAY_WHEN_REFUSED, 4));
        refusals.note(&first, None);
        assert_eq!(refusals.room(512), 512);
    }

    #[test]
    fn faults_of_single_objects_are_no_refusals() {
        let [first, second] = objects(["a/1", "a/2"]);
        let mut refusals = Refusals::after(1);
        for kind in [FaultKind::Archived, FaultKind::Vanished, FaultKind::Incomplete] {
            refusals.note(&first, Some(&fault(kind)));
        }
        assert!(!refusals.passes_over(&second));
        assert_eq!(refusals.hopeless_bucket(), None);
        assert_eq!(refusals.told(), []);
    }

    #[test]
    fn bucket_is_hopeless_until_an_object_of_it_is_read() {
        let [first, second] = objects(["a/1", "b/2"]);
        let denied = fault(FaultKind::Denied);
        let mut refusals = Refusals::after(1);
        refusals.note(&first, Some(&denied));
        let (bucket, reason) = refusals.hopeless_bucket().unwrap();
        assert_eq!(bucket, bucket_of(&first));
        assert!(reason.contains("none was read"), "{reason}");
        refusals.note(&second, None);
        refusals.note(&first, Some(&denied));
        assert_eq!(refusals.hopeless_bucket(), None);
    }
}
