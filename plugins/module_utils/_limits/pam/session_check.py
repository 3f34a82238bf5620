# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asking PAM itself whether it still lets people in, before files are written and after. Private to ``tunefleet.linux``."""

import typing as t

from ... import _errors, _messages
from ..._core import limit as limit_types
from ..._core import plan as plans
from ..._core import request as requests
from ..._core import status as statuses
from ..._core import steps as step_types
from . import facts as pam_facts
from . import messages
from . import plan as pam_plan
from . import stack as pam_stack

if t.TYPE_CHECKING:
    from ..._host import host as hosts


_MOST_USERS = 20
_PEOPLE = range(1000, 60000)  # login.defs(5), UID_MIN and UID_MAX
_UNSET = "4294967295"  # of /proc/self/loginuid, where nobody logged in


def check_sessions(
    host: "hosts.Host", request: requests.Request, seen: t.Optional[pam_facts.PamFacts], plan: plans.Plan
) -> plans.Plan:
    """The plan, with what pam_limits says to the files that it would write, and a last step that asks again once they are there.

    Sessions that are refused already are nobody's fault here. Without root, or where PAM cannot be asked, the rules of the guard
    have to do.
    """
    guard = request.policy.guard
    if seen is None or seen.own is None or guard == requests.OFF or plan.problems:
        return plan
    written = step_types.Changes(plan.steps).files
    step = next((file for file in written if file.path == seen.own.path), None)
    if step is None or not seen.variant.installed or not host.is_root():
        return plan
    users, arguments = _users(host, request, seen), _arguments(seen)
    files = pam_plan.candidate(seen, step.after)
    data = b"".join(content if content.endswith(b"\n") else content + b"\n" for _path, content in files)
    try:
        now, then = host.sessions([(None, arguments), (data, arguments)], users)
    except _errors.HostProblem as problem:
        text = messages.CHECK_UNAVAILABLE(error=problem)
        return plan._replace(warnings=list(plan.warnings) + [text])
    if now:
        plan = plan._replace(warnings=list(plan.warnings) + [messages.ALREADY_REFUSED(users=_listed(now))])
    # The same request may raise fs.nr_open first: then only the second answer counts.
    pending = plans.nr_open_after(plan, seen.nr_open) != seen.nr_open
    refused = {} if pending else {user: text for user, text in then.items() if user not in now}
    if refused:
        return _refused(plan, refused, guard)
    if guard == requests.WARN:
        return plan
    return plan._replace(
        steps=_open_sessions(plan.steps, step_types.CheckSessions(tuple(users), arguments, tuple(sorted(now))))
    )


def _open_sessions(steps: t.Sequence[step_types.Step], question: step_types.CheckSessions) -> t.List[step_types.Step]:
    """The steps with a check of sessions after all files are written, and before anything is reloaded or restarted."""
    first = next((index for index, step in enumerate(steps) if step.is_reload), len(steps))
    return list(steps[:first]) + [question] + list(steps[first:])


def _refused(plan: plans.Plan, refused: t.Mapping[str, str], guard: str) -> plans.Plan:
    reason = messages.SESSION_REFUSED(users=_listed(refused))
    if guard == requests.WARN:
        return plan._replace(warnings=list(plan.warnings) + [_messages.about("Limits", reason)])
    limits = [
        limit._replace(status=statuses.REFUSED, reason=reason, after=limit.before) if _is_ours(limit) else limit
        for limit in plan.limits
    ]
    names = ", ".join(limit.name for limit in plan.limits if _is_ours(limit))
    return plan._replace(limits=limits, problems=list(plan.problems) + [_messages.about("Limit " + names, reason)])


def _listed(refused: t.Mapping[str, str]) -> str:
    return ", ".join("{0} ({1})".format(user, text) for user, text in sorted(refused.items()))


def _is_ours(decision: plans.LimitDecision) -> bool:
    return decision.status == statuses.CHANGED and decision.kind == limit_types.DOMAIN


def _arguments(seen: pam_facts.PamFacts) -> t.Tuple[str, ...]:
    """How stacks call pam_limits, as far as it bears on the question."""
    return (
        ("set_all",)
        if any("set_all" in stack.arguments for stack in seen.stacks if stack.service in pam_stack.LOGINS)
        else ()
    )


def _users(host: "hosts.Host", request: requests.Request, seen: pam_facts.PamFacts) -> t.List[str]:
    """Root, the users who are logged in here, those whom the limits name, and one of many for a group."""
    uid = host.read_text("/proc/self/loginuid") or _UNSET
    login = host.user_of(int(uid)) if uid.isdigit() and uid != _UNSET else None
    found = ["root"] + ([login] if login else []) + sorted(seen.users)
    if any(desired.kind == limit_types.DOMAIN and desired.target not in seen.users for desired in request.limits):
        found += _sample_user(host.read_text("/etc/passwd") or "")
    return list(dict.fromkeys(found))[:_MOST_USERS]


def _sample_user(passwd: str) -> t.List[str]:
    """An ordinary user of passwd(5): one who logs in, or else nobody."""
    rows = [line.split(":") for line in passwd.splitlines()]
    ids = {row[0]: int(row[2]) for row in rows if len(row) == 7 and row[2].isdigit()}
    people = [name for name, uid in ids.items() if uid in _PEOPLE]
    return people[:1] or [name for name in ids if name == "nobody"]
