# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do about limits of running processes: wishes and what the host shows -> decisions and steps.

Pure; private to ``tunefleet.linux``. Nothing is kept on file: a limit set by prlimit(2) ends with its process.
"""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _plan_units, _processes, _seen_units, _wish
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _guard, _rlimits

Steps = t.List[d.ProcessStep]


def _decide(
    wish: _wish.LimitWish, seen: _seen_units.Systemd, policy: _wish.Policy, nr_open: t.Optional[int]
) -> t.Tuple[d.LimitDecision, Steps]:
    texts = tuple(None if bound is None else str(bound) for bound in (wish.soft, wish.hard))
    decision = d.LimitDecision(wish.domain, wish.item, d.OK, t.cast(t.Any, texts), note=wish.note, kind=wish.kind)
    found = [one for one in seen.processes[wish.domain] if wish.item in one.limits]
    if not found:
        reason = "no process of that name runs" + _wish.near(wish.domain, seen.names)
        if wish.domain.startswith("/"):
            reason = "no process runs whose id is in that file"
        return decision._replace(status=d.UNKNOWN, reason=reason), []
    pairs = [(one, _plan_units.wanted_pair(wish, one.limits[wish.item], one.limits[wish.item])) for one in found]
    before = min(one.limits[wish.item] for one in found)
    after = min(pair for _one, pair in pairs)
    decision = decision._replace(
        before=_rlimits.limit(wish.item, before),
        after=_rlimits.limit(wish.item, after),
        effective=_rlimits.limit(wish.item, after),
    )
    for one, pair in pairs:
        objection = _objection(wish, one.limits[wish.item], pair, seen, policy, nr_open)
        if objection:
            same = decision.before
            return decision._replace(status=objection[0], reason=objection[1], after=same, effective=same), []
    steps = [_step(wish, one, pair) for one, pair in pairs if pair != one.limits[wish.item]]
    if not steps:
        operators = [bound.operator for bound in (wish.soft, wish.hard) if bound is not None]
        return decision._replace(status=d.OK if _wish.VALUE in operators else d.KEPT), []
    ids = ", ".join(str(step.pid) for step in steps)
    reason = "holds until the process ends (process {0})".format(ids)
    return decision._replace(status=d.CHANGED, reason=reason), steps


def _step(wish: _wish.LimitWish, one: _processes.Process, pair: _rlimits.Pair) -> d.ProcessStep:
    number = _rlimits.ITEMS[wish.item].number
    return d.ProcessStep(one.pid, one.started, wish.name, number, one.limits[wish.item], pair)


def _objection(
    wish: _wish.LimitWish,
    have: _rlimits.Pair,
    pair: _rlimits.Pair,
    seen: _seen_units.Systemd,
    policy: _wish.Policy,
    nr_open: t.Optional[int],
) -> t.Optional[t.Tuple[str, str]]:
    """Status and reason when the kernel would refuse a pair."""
    if pair[0] > pair[1]:
        reason = "soft {0} is above the hard limit {1} of the process; ask for hard too"
        return d.REFUSED, reason.format(*_rlimits.limit(wish.item, pair))
    if policy.guard != _guard.REFUSE:
        return None
    found = _plan_units.unreachable(wish.item, [new for new, old in zip(pair, have) if new != old], nr_open)
    if wish.item == "nofile" and found:
        return d.REFUSED, found
    if pair[1] > have[1] and not seen.may_raise:
        reason = "belongs to the host of this container: without CAP_SYS_RESOURCE no hard limit is raised, and the process has {0}"
        return d.NOT_NAMESPACED, reason.format(_rlimits.limit(wish.item, have).hard)
    return None


def plan(
    wishes: t.Sequence[_wish.LimitWish], seen: _seen_units.Systemd, policy: _wish.Policy, nr_open: t.Optional[int]
) -> d.Plan:
    """Decisions and steps for limits of running processes.

    :param nr_open: what fs.nr_open will be once the rest of the request is carried out.
    """
    found = [_decide(wish, seen, policy, nr_open) for wish in wishes]
    decisions = [decision for decision, _steps in found]
    problems, warnings = _plan_units.verdict(decisions, policy)
    return d.Plan(
        limits=decisions,
        steps=[step for _decision, steps in found for step in steps],
        problems=problems,
        warnings=warnings,
    )
