-- fails: there is no column `tp_ingest_timestamp`
-- listed: tp_ingest_timestamp
select tp_ingest_timestamp from aws_cloudtrail_log;
