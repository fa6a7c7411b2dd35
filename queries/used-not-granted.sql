-- @id        used-not-granted
-- @title     Used and not granted
-- @question  Which actions did users and roles use that none of their policies grants?
-- @param     since timestamp?  First moment of the window, UTC, inclusive; the first event of the store, at most 90 days before `until`, when left out.
-- @param     until timestamp?  End of the window, UTC, exclusive; the last event of the store when left out.
-- @param     min_window_days int64?  Days that the window must have for something to be unused; 30 when left out.
-- @param     min_coverage float64?  Share of the hours of the window that the logs must cover for it, from 0 to 1; 0.95 when left out.
-- @column    principal_arn utf8  User or role.
-- @column    principal_id utf8  Its unique id; a role made again under the same name has another.
-- @column    account_id utf8  Account of the principal.
-- @column    action utf8  IAM action.
-- @column    access_level utf8  List, Read, Write, Tagging or Permissions management.
-- @column    verdict utf8  `used-not-granted`, or `unknown` where it is not known what was granted.
-- @column    reason utf8  Why it is not granted, or why that is unknown.
-- @column    uses int64  Calls that succeeded.
-- @column    last_used timestamp  Last of them.
-- @column    resource_count int64  Distinct resources of these calls, counted up to 50; 51 stands for more.
-- @column    denied int64  Calls that were denied.
-- @column    since timestamp  First moment of the window.
-- @column    until timestamp  End of the window.
-- @column    coverage float64  Share of the hours of the window that the logs of the account cover.
-- @column    snapshot_time timestamp  When the IAM snapshot was taken.
-- @severity  medium
-- @identity  principal_arn, principal_id, action
-- @finding   verdict = used-not-granted
-- @unknown   verdict = unknown
-- @control   soc2:CC6.1
-- @control   iso27001:A.8.2
-- @caveat    The policy of a bucket, key, queue or other resource may allow the call; or a policy of the principal did, which was changed before the snapshot was taken.
-- @caveat    What a trail records is inferred from what the logs hold: event selectors that name single buckets, tables or functions cannot be seen.
-- @caveat    The window, the coverage of the logs and the time of the snapshot stand in every row: outside of them nothing is proven.
select
    g.principal_arn,
    g.principal_id,
    g.account_id,
    g.action,
    g.access_level,
    g.verdict,
    g.reason,
    g.uses,
    g.last_used,
    g.resource_count,
    g.denied_attempts as denied,
    g.since,
    g.until,
    g.coverage,
    g.snapshot_time
from granted_and_used($since, $until, $min_window_days, $min_coverage) g
where g.policy is null
  and g.uses > 0
order by principal_arn, principal_id, action
