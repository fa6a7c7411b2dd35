//! Looking at the sources of a run before they are listed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use super::Fault;
use super::FaultKind;
use super::History;
use super::Listing;
use super::ObjectRef;
use super::SourceError;
use super::key_list;
use super::key_list::NamedKey;
use super::lister::Lister;
use super::lister::Part;
use super::lister::Request;
use super::local;
use super::named::each_once;
use super::named::look_at_folders;
use super::named::wanted;
use super::s3::Bucket;
use super::s3::BucketLister;
use super::s3::BucketPrefix;
use super::s3::Connection;
use super::s3::Inventory;
use super::s3::Layout;
use super::s3::Manifest;
use super::s3::ManifestPlace;
use super::s3::discover;
use super::s3::gone_below;
use super::s3::retried_below;
use super::s3::returned;
use super::unmet::Unmet;

/// What makes parts: buckets share one connection, which is made with the first of them.
struct Builder<'a> {
    request: &'a Request,
    history: &'a History,
    connection: Option<Connection>,
    lister: Lister,
}

impl Lister {
    /// Looks at every source; objects are listed later, except those of folders.
    ///
    /// # Errors
    ///
    /// A source is not there, or cannot be listed at all.
    pub async fn open(request: &Request, history: &History) -> Result<Self, SourceError> {
        let mut builder = Builder {
            request,
            history,
            connection: None,
            lister: Self {
                parts: VecDeque::new(),
                buckets: BTreeMap::new(),
                own_keys: request.own_keys.clone(),
                told: BTreeSet::new(),
                unmet: match request.tells_unmet {
                    true => Unmet::of(&request.selection),
                    false => Unmet::default(),
                },
                is_alone: request.sources.len() == 1,
            },
        };
        let (remote, local): (Vec<&String>, Vec<&String>) = request
            .sources
            .iter()
            .partition(|source| source.contains("://") && !source.starts_with("file://"));
        if !local.is_empty() {
            let local: Vec<String> = local.into_iter().cloned().collect();
            builder.lister.parts.push_back(Part::Done(local::list(&local)?));
        }
        let mut places = Vec::new();
        for source in remote {
            places.push(BucketPrefix::of_source(source)?);
        }
        if let Some(place) = places.iter().find(|place| !is_beside(request, places.len(), place)) {
            let list = request
                .keys
                .as_ref()
                .map(|(name, _)| name)
                .or(request.inventory.as_ref());
            return Err(beside(place, list.map_or("", String::as_str)));
        }
        // A list of keys takes the place of listing.
        if request.keys.is_some() || request.inventory.is_some() {
            let named = builder.add_keys(&places).await?;
            let listed = builder.add_inventory().await?;
            builder.add_retried(&named, listed.as_ref()).await;
        } else {
            builder.add_buckets(places).await?;
        }
        Ok(builder.lister)
    }
}

impl Builder<'_> {
    async fn bucket(&mut self, name: &str) -> Arc<Bucket> {
        if let Some(bucket) = self.lister.buckets.get(name) {
            return Arc::clone(bucket);
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::new(&self.request.s3).await,
        };
        let bucket = connection.bucket(name).await;
        self.connection = Some(connection);
        self.lister.buckets.insert(name.to_owned(), Arc::clone(&bucket));
        bucket
    }

    /// Adds all that can be listed, and tells the others, unless there are only these.
    async fn add_buckets(&mut self, places: Vec<BucketPrefix>) -> Result<(), SourceError> {
        let mut hindered = Vec::new();
        for place in places {
            match self.add_bucket(place).await {
                Err(SourceError::Bucket { uri, fault }) if !fault.stops_the_run() => hindered.push((uri, fault)),
                added => added?,
            }
        }
        if self.lister.parts.is_empty()
            && let Some((uri, fault)) = hindered.first().cloned()
        {
            return Err(SourceError::Bucket { uri, fault });
        }
        if !hindered.is_empty() {
            self.lister.parts.push_back(Part::Done(Listing::of_unlisted(hindered)));
        }
        Ok(())
    }

    async fn add_bucket(&mut self, place: BucketPrefix) -> Result<(), SourceError> {
        let bucket = self.bucket(&place.bucket).await;
        if place.is_object() {
            match bucket.head(&place.prefix).await {
                Ok(object) => {
                    self.lister.parts.push_back(Part::Done(Listing {
                        objects: vec![ObjectRef {
                            is_named: true,
                            ..object
                        }],
                        ..Listing::default()
                    }));
                    return Ok(());
                }
                Err(fault) if fault.kind == FaultKind::Vanished => {}
                Err(fault) => return Err(failed(&place, fault)),
            }
        }
        let place = place.into_folder();
        let layout = match self.request.takes_any_key {
            true => Layout::default(),
            false => discover(&bucket, &place.prefix, &self.request.selection, &self.request.own_keys)
                .await
                .map_err(|(uri, fault)| SourceError::Bucket { uri, fault })?,
        };
        self.lister.unmet.meet_folders(&layout.names);
        let history = (self.history, self.request.look_back_days);
        let lister = BucketLister::new(&bucket, &place.prefix, layout, &self.request.selection, history);
        let lister = lister.without(self.request.own_keys.clone());
        self.lister.parts.push_back(Part::Bucket(Box::new(lister)));
        Ok(())
    }

    /// The answer are the keys.
    async fn add_keys(&mut self, places: &[BucketPrefix]) -> Result<Vec<NamedKey>, SourceError> {
        let Some((name, text)) = &self.request.keys else {
            return Ok(Vec::new());
        };
        let only_bucket = places.first().map(|place| place.bucket.as_str());
        let list = key_list::read(text, only_bucket).map_err(|reason| SourceError::Keys {
            name: name.clone(),
            reason,
        })?;
        let named = list.keys.iter().chain(list.folders.iter().map(|(_, named)| named));
        let elsewhere = only_bucket.and_then(|only| named.clone().find(|named| named.bucket != only));
        if let (Some(_), Some(place)) = (elsewhere, places.first()) {
            return Err(beside(place, name));
        }
        let buckets: BTreeSet<&str> = named.map(|named| named.bucket.as_str()).collect();
        for bucket in buckets {
            self.bucket(bucket).await;
        }
        let (more, told) = look_at_folders(list.folders, &self.lister.buckets).await?;
        let keys = each_once(list.keys.into_iter().chain(more).collect());
        let unmet = &mut self.lister.unmet;
        let (wanted, others) = wanted(&keys, &self.request.selection, &self.request.share, unmet);
        let unread = list.unread.into_iter().chain(told);
        self.lister.parts.push_back(Part::Done(Listing {
            unlisted: unread
                .map(|(place, reason)| (format!("{place} of {name}"), reason))
                .collect(),
            ..others
        }));
        self.lister.parts.push_back(Part::Keys(wanted));
        Ok(keys)
    }

    /// The answer is the bucket whose objects are listed.
    async fn add_inventory(&mut self) -> Result<Option<Arc<Bucket>>, SourceError> {
        let Some(name) = &self.request.inventory else {
            return Ok(None);
        };
        let wrong = |reason: String| SourceError::Keys {
            name: name.clone(),
            reason,
        };
        let (text, place) = match BucketPrefix::parse(name) {
            Some(place) => {
                let bucket = self.bucket(&place.bucket).await;
                let object = bucket.head(&place.prefix).await.map_err(|fault| match fault.kind {
                    FaultKind::Vanished => wrong("there is no such object; check the key".to_owned()),
                    _ => failed(&place, fault),
                })?;
                let text = bucket.read(&object).await.map_err(|fault| failed(&place, fault))?;
                (text, ManifestPlace::Bucket(bucket))
            }
            None => {
                let path = Path::new(name);
                let text = std::fs::read(path).map_err(|cause| SourceError::Unreadable {
                    path: path.to_owned(),
                    cause,
                })?;
                let folder = path.parent().unwrap_or_else(|| Path::new(""));
                (text, ManifestPlace::Folder(folder.to_owned()))
            }
        };
        let manifest = Manifest::parse(&text).map_err(wrong)?;
        let source = self.bucket(&manifest.source_bucket).await;
        let inventory = Inventory::new(name, manifest, place, Arc::clone(&source));
        self.lister.parts.push_back(Part::Inventory(Box::new(inventory)));
        Ok(Some(source))
    }

    /// Adds what earlier runs could not read of the buckets of named keys and of an inventory, but for the keys themselves.
    async fn add_retried(&mut self, named: &[NamedKey], listed: Option<&Arc<Bucket>>) {
        let mut buckets: BTreeMap<&str, Arc<Bucket>> = BTreeMap::new();
        for name in named.iter().map(|named| named.bucket.as_str()) {
            if let Some(bucket) = self.lister.buckets.get(name).filter(|_| !buckets.contains_key(name)) {
                buckets.insert(name, Arc::clone(bucket));
            }
        }
        if let Some(bucket) = listed {
            buckets.insert(bucket.name(), Arc::clone(bucket));
        }
        let mut retried = Listing {
            is_retried: true,
            ..Listing::default()
        };
        for bucket in buckets.values() {
            retried.extend(retried_below(bucket, "", self.history).objects);
            retried.extend(returned(bucket, gone_below(bucket, "", self.history)).await);
        }
        if retried.objects.is_empty() {
            return;
        }
        let named: BTreeSet<String> = named.iter().map(NamedKey::uri).collect();
        retried.objects.retain(|object| !named.contains(&*object.uri));
        self.lister.told = retried.objects.iter().map(|object| object.uri.clone()).collect();
        self.lister.parts.push_back(Part::Done(retried));
    }
}

/// Whether a bucket can be a source beside what is listed elsewhere: one whole bucket, which keys in lines without one are of.
fn is_beside(request: &Request, count: usize, place: &BucketPrefix) -> bool {
    let is_whole = count == 1 && place.prefix.is_empty();
    request.inventory.is_none() && (request.keys.is_none() || is_whole)
}

fn beside(place: &BucketPrefix, list: &str) -> SourceError {
    SourceError::BesideList {
        uri: place.to_string(),
        list: list.to_owned(),
    }
}

fn failed(place: &BucketPrefix, fault: Fault) -> SourceError {
    SourceError::Bucket {
        uri: place.to_string(),
        fault,
    }
}
