# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits of a request: facts, plan and checks. Loaded only for a request with limits or fs.nr_open; private to ``tunefleet.linux``.

Each domain (PAM, systemd, processes) is loaded only if the request names it, because the host compiles all that is loaded.
"""

import typing as t

from .._checks import cross_key
from .._core import bound as bounds
from .._core import limit as limit_types
from .._core import plan as plans
from .._core import request as requests
from .._host import machine

if t.TYPE_CHECKING:
    from .._host import host as hosts
    from .._limits.pam import facts as pam_facts
    from .._limits.systemd import facts as systemd_facts

_SYSTEMD = (limit_types.UNIT, limit_types.MANAGER)


class LimitsFacts(t.NamedTuple):
    """What the host shows about limits; None where the request does not need it.

    ``sessions`` is what limits the managers of users, where the request names those.
    """

    pam: t.Optional["pam_facts.PamFacts"] = None
    systemd: t.Optional["systemd_facts.SystemdFacts"] = None
    nr_open: t.Optional[int] = None
    sessions: t.Optional["pam_facts.PamFacts"] = None


def concerns(request: requests.Request) -> bool:
    """Whether a request sets limits, or fs.nr_open, above which no limit of open files may be."""
    return bool(request.limits) or any(desired.key == cross_key.NR_OPEN for desired in request.settings)


def gather(host: "hosts.Host", request: requests.Request) -> LimitsFacts:
    """What the host shows about the limits of a request."""
    systemd, sessions, pam = None, None, _gather_pam(host, request)
    others = [desired for desired in request.limits if desired.kind != limit_types.DOMAIN]
    if others:
        from .._limits.systemd import facts as systemd_facts

        systemd = systemd_facts.gather(host, others)
    if any((desired.kind, desired.target) == (limit_types.MANAGER, limit_types.USER) for desired in others):
        from .._limits.pam import facts as pam_facts

        sessions = pam or pam_facts.gather(host, None)
    nr_open = machine.integer(host.sysctl("fs/nr_open").text) if request.limits else None
    return LimitsFacts(pam, systemd, nr_open, sessions)


def _gather_pam(host: "hosts.Host", request: requests.Request) -> t.Optional["pam_facts.PamFacts"]:
    """For limits, and for fs.nr_open; a lower bound of that takes nothing from any unit."""
    desired_limits = _of_kinds(request, (limit_types.DOMAIN,))
    nr_open = [desired.operator for desired in request.settings if desired.key == cross_key.NR_OPEN]
    if not desired_limits and not nr_open:
        return None
    from .._limits.pam import facts as pam_facts

    path = request.policy.limits_file if desired_limits else None
    may_decrease = any(operator != bounds.AT_LEAST for operator in nr_open)
    return pam_facts.gather(host, path, desired_limits, services=bool(nr_open), units=may_decrease)


def plan(settings_plan: plans.Plan, request: requests.Request, facts: LimitsFacts) -> plans.Plan:
    """The plan of the settings together with that of the limits."""
    if not request.limits:
        return settings_plan
    nr_open = plans.nr_open_after(settings_plan, facts.nr_open)
    # Kernel parameters first: a limit may need the fs.nr_open that the same request sets. Units last: they need a restart, and a
    # request that is refused must not have cost one.
    domains = _plan_pam(request, facts, nr_open)
    parts = [
        settings_plan,
        _plan_processes(request, facts, nr_open),
        domains,
        _plan_systemd(request, facts, nr_open, domains),
    ]
    decisions = {
        (decision.kind, decision.target, decision.item): decision for part in parts for decision in part.limits
    }
    context = dict(settings_plan.context)
    if facts.pam is not None:
        file_max = None if facts.pam.file_max is None else str(facts.pam.file_max)
        context.setdefault(cross_key.FILE_MAX, plans.Context(file_max, plans.BootState(), True))
    return settings_plan._replace(
        limits=[decisions[desired.identity] for desired in request.limits],
        steps=[step for part in parts for step in part.steps],
        problems=[problem for part in parts for problem in part.problems],
        warnings=[warning for part in parts for warning in part.warnings],
        needs=[need for part in parts for need in part.needs],
        context=context,
    )


def nofile_rules(facts: LimitsFacts, planned: plans.Plan) -> t.Sequence[plans.NofileRule]:
    """The limits of open files that the host has."""
    if facts.pam is None:
        return ()
    from .._limits.pam import plan as pam_plan

    return pam_plan.nofile_rules(facts.pam, planned)


def check_sessions(
    host: "hosts.Host", request: requests.Request, facts: LimitsFacts, planned: plans.Plan
) -> plans.Plan:
    """The plan with what PAM answers about new sessions, and with slices that allow fewer tasks than a limit."""
    if facts.pam is None or not _of_kinds(request, (limit_types.DOMAIN,)):
        return planned
    from .._limits.pam import session_check
    from .._limits.systemd import slices

    return slices.annotate(host, session_check.check_sessions(host, request, facts.pam, planned))


def _of_kinds(request: requests.Request, kinds: t.Container[str]) -> t.List[requests.LimitRequest]:
    return [desired for desired in request.limits if desired.kind in kinds]


def _plan_pam(request: requests.Request, facts: LimitsFacts, nr_open: t.Optional[int]) -> plans.Plan:
    desired_limits = _of_kinds(request, (limit_types.DOMAIN,))
    if facts.pam is None or not desired_limits:
        return plans.Plan()
    from .._limits.pam import plan as pam_plan

    return pam_plan.plan(desired_limits, facts.pam, request.policy, nr_open)


def _plan_systemd(
    request: requests.Request, facts: LimitsFacts, nr_open: t.Optional[int], domains: plans.Plan
) -> plans.Plan:
    """:param domains: the plan of limits files, whose rules limit the managers of users."""
    desired_limits = _of_kinds(request, _SYSTEMD)
    if facts.systemd is None or not desired_limits:
        return plans.Plan()
    from .._limits.systemd import plan as systemd_plan

    sessions = None
    if facts.sessions is not None:
        from .._limits.pam import info as pam_info
        from .._limits.pam import plan as pam_plan

        files = pam_plan.files_after(facts.sessions, domains)
        sessions = pam_info.of_user_managers(facts.sessions, files, {desired.item for desired in desired_limits})
    return systemd_plan.plan(desired_limits, facts.systemd, request.policy, nr_open, sessions)


def _plan_processes(request: requests.Request, facts: LimitsFacts, nr_open: t.Optional[int]) -> plans.Plan:
    desired_limits = _of_kinds(request, (limit_types.PROCESS,))
    if facts.systemd is None or not desired_limits:
        return plans.Plan()
    from .._limits.process import plan as process_plan

    return process_plan.plan(desired_limits, facts.systemd, request.policy, nr_open)
