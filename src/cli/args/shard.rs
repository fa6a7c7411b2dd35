//! A share of the objects as typed.

use crate::ingest::Shard;

/// `0/8`, or `auto/8` where the batch system says which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardArg {
    /// As typed.
    Fixed(Shard),
    /// One of this many, by the index that AWS Batch or Kubernetes gives to the worker.
    Auto(u32),
}

impl ShardArg {
    /// The share; `index` is what the batch system says.
    ///
    /// # Errors
    /// When it says nothing, or no index below the number of shares.
    pub(in crate::cli) fn resolve(self, index: Option<&str>) -> Result<Shard, String> {
        let count = match self {
            Self::Fixed(shard) => return Ok(shard),
            Self::Auto(count) => count,
        };
        let Some(index) = index else {
            return Err("neither `AWS_BATCH_JOB_ARRAY_INDEX` nor `JOB_COMPLETION_INDEX` is set".to_owned());
        };
        let shard = index.parse().ok().and_then(|index| Shard::new(index, count));
        shard.ok_or_else(|| {
            format!(
                "the batch system's index is `{index}`, but shards are 0 to {}",
                count - 1
            )
        })
    }
}

pub(super) fn parse_shard(text: &str) -> Result<ShardArg, String> {
    let parts = text.split_once('/');
    let shard = parts.and_then(|(index, count)| {
        let count = count.parse().ok()?;
        match index {
            "auto" => Shard::new(0, count).map(|_| ShardArg::Auto(count)),
            index => Shard::new(index.parse().ok()?, count).map(ShardArg::Fixed),
        }
    });
    shard.ok_or_else(|| "a shard is written `0/8` to `7/8`, or `auto/8`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_is_typed_or_told_by_the_batch_system() {
        let third = Shard::new(2, 8).unwrap();
        assert_eq!(parse_shard("2/8").unwrap().resolve(None), Ok(third));
        assert_eq!(parse_shard("auto/8").unwrap().resolve(Some("2")), Ok(third));
        for wrong in ["8/8", "-1/8", "2", "2/0", "auto/0", "/8", "auto", ""] {
            assert!(parse_shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn missing_or_wrong_index_of_the_batch_system_is_refused() {
        let auto = parse_shard("auto/8").unwrap();
        assert!(auto.resolve(None).unwrap_err().contains("AWS_BATCH_JOB_ARRAY_INDEX"));
        for wrong in ["8", "x", ""] {
            assert!(auto.resolve(Some(wrong)).unwrap_err().contains("0 to 7"), "{wrong}");
        }
    }
}
