//! Large objects of a store, written in parts: they appear with the last request, whole.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::CompletedMultipartUpload;
use aws_sdk_s3::types::CompletedPart;
use bytes::Bytes;

use super::fault::Failure;
use super::fault::Fault;
use super::fault::FaultKind;
use super::fault::Verb;
use super::store_bucket::StoreBucket;

impl StoreBucket {
    /// Begins an upload and returns its id.
    ///
    /// # Errors
    ///
    /// The service does not take it.
    pub async fn begin_upload(&self, key: &str) -> Result<String, Fault> {
        let begun = self.call(Verb::Put, || async {
            let request = self.bucket.client.create_multipart_upload();
            let sent = request.bucket(self.bucket.name()).key(key).send().await;
            sent.map_err(|error| Failure::from_sdk(Verb::Put, &error))
        });
        let without_id = || Fault::new(FaultKind::Refused, "the service begins an upload without naming it");
        begun.await?.upload_id.ok_or_else(without_id)
    }

    /// Writes a part, counted from 1, and returns its etag.
    ///
    /// # Errors
    ///
    /// The service does not take it.
    pub async fn upload_part(&self, (key, id): (&str, &str), number: i32, bytes: Bytes) -> Result<String, Fault> {
        let written = self.call(Verb::Put, || async {
            let request = self.bucket.client.upload_part().bucket(self.bucket.name()).key(key);
            let sent = request
                .upload_id(id)
                .part_number(number)
                .body(ByteStream::from(bytes.clone()))
                .send()
                .await;
            sent.map_err(|error| Failure::from_sdk(Verb::Put, &error))
        });
        Ok(written.await?.e_tag.unwrap_or_default())
    }

    /// Makes the object of its parts, given with their numbers and etags in order.
    ///
    /// # Errors
    ///
    /// The service does not make it.
    pub async fn complete_upload(&self, (key, id): (&str, &str), parts: &[(i32, String)]) -> Result<(), Fault> {
        let parts = parts.iter().map(|(number, etag)| {
            let part = CompletedPart::builder().part_number(*number).e_tag(etag);
            part.build()
        });
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let completed = self.call(Verb::Put, || async {
            let request = self.bucket.client.complete_multipart_upload();
            let sent = request
                .bucket(self.bucket.name())
                .key(key)
                .upload_id(id)
                .multipart_upload(parts.clone())
                .send()
                .await;
            sent.map_err(|error| Failure::from_sdk(Verb::Put, &error))
        });
        match completed.await {
            Ok(_) => Ok(()),
            // The upload is gone because an earlier attempt, whose answer got lost, has ended it.
            Err(fault) if fault.kind == FaultKind::Vanished => match self.head(key).await {
                Ok(_) => Ok(()),
                Err(_) => Err(fault),
            },
            Err(fault) => Err(fault),
        }
    }

    /// Gives up an upload, so that its parts cost nothing.
    ///
    /// # Errors
    ///
    /// The service does not allow it or does not answer.
    pub async fn abort_upload(&self, (key, id): (&str, &str)) -> Result<(), Fault> {
        let aborted = self.call(Verb::Delete, || async {
            let request = self.bucket.client.abort_multipart_upload();
            let sent = request.bucket(self.bucket.name()).key(key).upload_id(id).send().await;
            sent.map_err(|error| Failure::from_sdk(Verb::Delete, &error))
        });
        aborted.await?;
        Ok(())
    }
}
