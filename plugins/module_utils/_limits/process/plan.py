# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about limits of running processes: desired_limits and what the host shows -> decisions and steps.

Pure; private to ``tunefleet.linux``. Nothing is kept on file: a limit set by prlimit(2) ends with its process.
"""

import typing as t

from ..._core import bound as bounds
from ..._core import plan as plans
from ..._core import request as requests
from ..._core import status as statuses
from ..._core import steps as step_types
from ..._core import text as texts
from .. import conversion
from ..systemd import facts as systemd_facts
from ..systemd import plan as systemd_plan
from . import messages, proc

Steps = t.List[step_types.SetRlimit]


def _decide(
    desired: requests.LimitRequest, seen: systemd_facts.SystemdFacts, policy: requests.Policy, nr_open: t.Optional[int]
) -> t.Tuple[plans.LimitDecision, Steps]:
    pair_texts = tuple(None if bound is None else str(bound) for bound in (desired.soft, desired.hard))
    decision = plans.LimitDecision(
        desired.target, desired.item, statuses.OK, t.cast(t.Any, pair_texts), note=desired.note, kind=desired.kind
    )
    found = [process for process in seen.processes[desired.target] if desired.item in process.limits]
    if not found:
        reason = messages.NO_PROCESS(suggestion=texts.suggest(desired.target, seen.names))
        if desired.target.startswith("/"):
            reason = messages.NO_PROCESS_OF_PID_FILE()
        return decision._replace(status=statuses.UNKNOWN, reason=reason), []
    pairs = [
        (entry, systemd_plan.wanted_pair(desired, entry.limits[desired.item], entry.limits[desired.item]))
        for entry in found
    ]
    before = min(entry.limits[desired.item] for entry in found)
    after = min(pair for _one, pair in pairs)
    decision = decision._replace(
        before=conversion.limit(desired.item, before),
        after=conversion.limit(desired.item, after),
        effective=conversion.limit(desired.item, after),
    )
    for item, pair in pairs:
        objection = _rejection(desired, item.limits[desired.item], pair, seen, policy, nr_open)
        if objection:
            same = decision.before
            return decision._replace(status=objection[0], reason=objection[1], after=same, effective=same), []
    steps = [_step(desired, item, pair) for item, pair in pairs if pair != item.limits[desired.item]]
    if not steps:
        operators = [bound.operator for bound in (desired.soft, desired.hard) if bound is not None]
        return decision._replace(status=statuses.OK if bounds.VALUE in operators else statuses.KEPT), []
    ids = ", ".join(str(step.pid) for step in steps)
    reason = messages.UNTIL_THE_PROCESS_ENDS(pids=ids)
    return decision._replace(status=statuses.CHANGED, reason=reason), steps


def _step(desired: requests.LimitRequest, process: proc.Process, pair: conversion.Pair) -> step_types.SetRlimit:
    number = conversion.ITEMS[desired.item].number
    return step_types.SetRlimit(process.pid, process.started, desired.name, number, process.limits[desired.item], pair)


def _rejection(
    desired: requests.LimitRequest,
    have: conversion.Pair,
    pair: conversion.Pair,
    seen: systemd_facts.SystemdFacts,
    policy: requests.Policy,
    nr_open: t.Optional[int],
) -> t.Optional[t.Tuple[str, str]]:
    """Status and reason when the kernel would refuse a pair."""
    if pair[0] > pair[1]:
        soft, hard = conversion.limit(desired.item, pair)
        return statuses.REFUSED, messages.SOFT_ABOVE_PROCESS(soft=soft, hard=hard)
    if policy.guard != requests.REFUSE:
        return None
    found = systemd_plan.nofile_error(desired.item, [new for new, old in zip(pair, have) if new != old], nr_open)
    if desired.item == "nofile" and found:
        return statuses.REFUSED, found
    if pair[1] > have[1] and not seen.may_raise:
        return statuses.NOT_NAMESPACED, messages.PROCESS_CEILING(hard=conversion.limit(desired.item, have).hard)
    return None


def plan(
    desired_limits: t.Sequence[requests.LimitRequest],
    seen: systemd_facts.SystemdFacts,
    policy: requests.Policy,
    nr_open: t.Optional[int],
) -> plans.Plan:
    """Decisions and steps for limits of running processes.

    :param nr_open: what fs.nr_open will be once the rest of the request is carried out.
    """
    found = [_decide(desired, seen, policy, nr_open) for desired in desired_limits]
    decisions = [decision for decision, _steps in found]
    problems, warnings = systemd_plan.verdict(decisions, policy)
    return plans.Plan(
        limits=decisions,
        steps=[step for _decision, steps in found for step in steps],
        problems=problems,
        warnings=warnings,
    )
