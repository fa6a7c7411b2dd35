//! `s3://bucket/prefix` as typed.

use std::fmt;

use crate::source::SourceError;

/// End of what stands before the name in the ARN of an access point.
const ACCESS_POINT: &str = ":accesspoint";

/// A bucket and the prefix of keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPrefix {
    /// Name of the bucket, or ARN of an access point with a colon before its name: names of buckets hold no slash.
    pub bucket: String,
    /// Empty, or a folder that ends in a slash, or a key.
    pub prefix: String,
}

impl BucketPrefix {
    /// Parses a text; `None` when it does not start with `s3://` and a bucket's name.
    ///
    /// Keys are taken as they are written: `%20` is those three characters. The ARN of an access point has a slash before its
    /// name (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html>); requests take a colon as well.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("s3://").or_else(|| text.strip_prefix("s3a://"))?;
        let (start, behind) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, prefix) = match is_access_point(start) {
            true => {
                let (name, prefix) = behind.split_once('/').unwrap_or((behind, ""));
                (format!("{start}:{name}"), prefix)
            }
            false => (start.to_owned(), behind),
        };
        let is_name = !bucket.is_empty()
            && bucket
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
        is_name.then(|| Self {
            bucket,
            prefix: prefix.to_owned(),
        })
    }

    /// Parses a source.
    ///
    /// # Errors
    ///
    /// It names no bucket, or by an ARN that no request can be sent to.
    pub fn of_source(text: &str) -> Result<Self, SourceError> {
        let place = Self::parse(text).ok_or_else(|| SourceError::Unsupported { text: text.to_owned() })?;
        match place.in_place_of_arn() {
            Some(instead) => Err(SourceError::WrongArn {
                text: text.to_owned(),
                instead,
            }),
            None => Ok(place),
        }
    }

    /// ARN of the access point that stands in the place of the bucket, as policies name it.
    pub fn access_point(&self) -> Option<String> {
        let (start, name) = self.bucket.rsplit_once(':')?;
        is_access_point(start).then(|| format!("{start}/{name}"))
    }

    /// What to write in the place of an ARN that no request can be sent to.
    fn in_place_of_arn(&self) -> Option<String> {
        let mut parts = self.bucket.strip_prefix("arn:")?.splitn(5, ':').skip(1);
        let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if service == "s3" && region.is_empty() && account.is_empty() {
            return Some(format!("write `s3://{resource}/{}`", self.prefix));
        }
        // Of several regions at once, and on Outposts.
        let is_unknown = service != "s3" || resource.ends_with(".mrap");
        is_unknown.then(|| "such access points are not supported: name the bucket behind it".to_owned())
    }

    /// Whether it looks like the name of one object, not of a folder.
    pub fn is_object(&self) -> bool {
        [".gz", ".json", ".csv"]
            .iter()
            .any(|ending| self.prefix.ends_with(ending))
    }

    /// The same as a folder.
    pub fn into_folder(mut self) -> Self {
        if !self.prefix.is_empty() && !self.prefix.ends_with('/') {
            self.prefix.push('/');
        }
        self
    }
}

/// Whether it is the ARN of an access point up to its name.
fn is_access_point(start: &str) -> bool {
    start.starts_with("arn:") && start.ends_with(ACCESS_POINT)
}

impl fmt::Display for BucketPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_point_is_the_same_with_a_slash_and_with_a_colon_before_its_name() {
        let arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint";
        for separator in ['/', ':'] {
            for (end, prefix) in [("", ""), ("/", ""), ("/AWSLogs", "AWSLogs"), ("/a/b:c/d/", "a/b:c/d/")] {
                let place = BucketPrefix::parse(&format!("s3://{arn}{separator}ap{end}")).unwrap();
                assert_eq!(place.bucket, format!("{arn}:ap"));
                assert_eq!(place.prefix, prefix);
                assert_eq!(place.access_point(), Some(format!("{arn}/ap")));
                assert_eq!(BucketPrefix::parse(&place.to_string()), Some(place));
            }
        }
        for other in [
            "s3://accesspoint/ap/x",
            "s3://x:accesspoint/ap/x",
            "s3://logs/arn:aws:s3:::x",
        ] {
            let place = BucketPrefix::parse(other).unwrap();
            assert_eq!((place.to_string().as_str(), place.access_point()), (other, None));
        }
    }

    #[test]
    fn arns_that_no_request_can_be_sent_to_are_refused_with_what_to_write() {
        for (source, wanted) in [
            ("s3://arn:aws:s3:::logs/AWSLogs/", "write `s3://logs/AWSLogs/`"),
            ("s3://arn:aws-cn:s3:::logs", "write `s3://logs/`"),
            ("s3://arn:aws:s3::111122223333:accesspoint/a.mrap/x", "not supported"),
            (
                "s3://arn:aws:s3-outposts:eu-west-1:111122223333:outpost/op-1/accesspoint/ap",
                "not supported",
            ),
            ("gs://x/y", "can be read"),
        ] {
            let error = BucketPrefix::of_source(source).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        let access_point = "s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/x";
        for source in ["s3://logs/arn:aws:s3:::x", access_point] {
            assert!(BucketPrefix::of_source(source).is_ok());
        }
    }

    #[test]
    fn bucket_and_prefix_are_told_apart_and_keys_stay_as_they_are() {
        let parsed = |text: &str| BucketPrefix::parse(text).map(|place| (place.bucket, place.prefix));
        let wanted = |bucket: &str, prefix: &str| Some((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parsed("s3://logs"), wanted("logs", ""));
        assert_eq!(parsed("s3://logs/"), wanted("logs", ""));
        assert_eq!(parsed("s3://logs/a%20b/../c"), wanted("logs", "a%20b/../c"));
        for other in ["s3://", "s3:///x", "/s3://x", "gs://x/y", "s3://b ucket/x"] {
            assert_eq!(parsed(other), None, "{other}");
        }
        let folder = |text: &str| BucketPrefix::parse(text).unwrap().into_folder().prefix;
        assert_eq!(
            [folder("s3://b"), folder("s3://b/x"), folder("s3://b/x/")],
            ["", "x/", "x/"]
        );
    }
}
