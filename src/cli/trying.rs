//! On whom policies are tried.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::basis::is_arn_named;
use super::basis::unknown_account;
use super::engine::Engine;
use super::error::CliError;
use crate::analysis;
use crate::policy::Actor;
use crate::policy::Estate;
use crate::policy::Member;
use crate::policy::PrincipalKey;
use crate::policy::Trial;
use crate::policy::Window;
use crate::policy::evaluation::Layer;
use crate::policy::evaluation::NamedPolicy;

/// Whom the user named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// ARNs, names or patterns; all if there are none.
    pub(super) principals: &'a [String],
    /// Accounts; all if there are none.
    pub(super) accounts: &'a [String],
    /// Root or unit.
    pub(super) ou: Option<&'a str>,
}

/// Those who made calls in a window, and those of the snapshots: of some, the logs may know the unique id alone.
pub(super) async fn callers(
    engine: &Engine,
    window: Window,
    estate: &Estate<'_>,
) -> Result<BTreeSet<PrincipalKey>, CliError> {
    let mut callers = analysis::callers(engine.session(), window).await?;
    callers.extend(estate.callers().map(|member| PrincipalKey {
        arn: member.principal.arn.clone(),
        unique_id: member.principal.unique_id.clone(),
    }));
    Ok(callers)
}

/// The principals of the logs that the user wants and that the layer may bind.
pub(super) fn chosen<'c>(
    wanted: Wanted<'_>,
    callers: &'c BTreeSet<PrincipalKey>,
    estate: &Estate<'_>,
    layer: Layer,
) -> Result<Vec<&'c PrincipalKey>, CliError> {
    for pattern in wanted.principals {
        let is_in_logs = callers.iter().any(|caller| is_arn_named(&caller.arn, pattern));
        let mut members = estate.callers();
        if !is_in_logs && !members.any(|member| is_arn_named(&member.principal.arn, pattern)) {
            return Err(CliError::Usage {
                message: format!("no user or role of the snapshots and logs matches `{pattern}`"),
                hint: Some("`trimtrail diff` lists all".to_owned()),
            });
        }
    }
    let accounts = callers.iter().filter_map(PrincipalKey::account_id);
    check_accounts(wanted.accounts, &accounts.collect(), estate)?;
    let below = accounts_below(wanted.ou, estate)?;
    let is_control = matches!(layer, Layer::ServiceControl(_));
    // Control policies do not bind the management account.
    let exempt = estate.management_account().filter(|_| is_control);
    let is_wanted = |caller: &&PrincipalKey| {
        let account = caller.account_id().unwrap_or_default();
        let (principals, accounts) = (wanted.principals, wanted.accounts);
        (principals.is_empty() || principals.iter().any(|pattern| is_arn_named(&caller.arn, pattern)))
            && (accounts.is_empty() || accounts.iter().any(|wanted| wanted == account))
            && below.as_ref().is_none_or(|below| below.contains(account))
            && exempt != Some(account)
    };
    Ok(callers.iter().filter(is_wanted).collect())
}

/// Refuses accounts that neither the snapshots nor the logs have: what is tried on nobody would deny nothing.
pub(super) fn check_accounts(wanted: &[String], logged: &BTreeSet<&str>, estate: &Estate<'_>) -> Result<(), CliError> {
    let own = estate.own_accounts();
    let is_known = |account: &&String| own.contains(account.as_str()) || logged.contains(account.as_str());
    match wanted.iter().find(|account| !is_known(account)) {
        Some(account) => Err(unknown_account(account)),
        None => Ok(()),
    }
}

/// The accounts below a root or unit; `None` without one.
pub(super) fn accounts_below<'a>(ou: Option<&str>, estate: &Estate<'a>) -> Result<Option<BTreeSet<&'a str>>, CliError> {
    let Some(id) = ou else { return Ok(None) };
    match estate.accounts_below(id) {
        Some(accounts) => Ok(Some(accounts)),
        None => Err(CliError::Usage {
            message: format!("no snapshot of an organization has the unit `{id}`"),
            hint: Some("import one with `trimtrail iam import`, or name accounts with `--account`".to_owned()),
        }),
    }
}

/// The policies tried on these principals, by the ARN in the logs, and how many of them no snapshot has.
pub(super) fn actors<'a>(
    chosen: &[&PrincipalKey],
    estate: &Estate<'a>,
    layer: Layer,
    proposed: &[NamedPolicy<'a>],
) -> (BTreeMap<String, Actor<'a>>, usize) {
    let members: Vec<Member<'_>> = estate.callers().collect();
    let by_arn: BTreeMap<&str, &Member<'_>> = members.iter().map(|it| (it.principal.arn.as_str(), it)).collect();
    let ids = members
        .iter()
        .filter_map(|it| Some((it.principal.unique_id.as_deref()?, it)));
    let by_id: BTreeMap<&str, &Member<'_>> = ids.collect();
    let mut without_snapshot = 0;
    let mut actors = BTreeMap::new();
    for caller in chosen {
        let renamed = || by_id.get(caller.unique_id.as_deref()?).copied();
        let member = by_arn.get(caller.arn.as_str()).copied().or_else(renamed);
        let trial = Trial::in_place_of(layer, member, proposed);
        without_snapshot += usize::from(member.is_none());
        let actor = member.map(|member| Actor::of_member(member, trial.clone()));
        actors.insert(caller.arn.clone(), actor.unwrap_or_else(|| Actor::unknown(trial)));
    }
    (actors, without_snapshot)
}
