# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shape in which modules report. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from . import bound as bounds
from . import limit as limit_types
from . import messages
from . import plan as plans
from . import status as statuses
from . import steps as step_types

Result = t.Dict[str, t.Any]


class RequestFailed(_errors.TuneError):
    """A request failed. ``result`` shows each entry as it is now, and what was restored.

    ``problems`` holds the message of each entry that was refused before anything was written; none when a step failed.
    """

    def __init__(self, message: str, result: Result, problems: t.Sequence[_messages.Message] = ()) -> None:
        self.result = result
        self.problems = list(problems)
        super().__init__(message)


def _halves(limit: t.Sequence[t.Any]) -> Result:
    return {"soft": limit[0], "hard": limit[1]}


def _boot(decision: plans.SettingDecision) -> Result:
    found = {
        "before": decision.boot_before.value,
        "winner_before": decision.boot_before.winner,
        "value": decision.boot.value,
        "winner": decision.boot.winner,
        "ours": decision.boot.ours,
    }
    return (
        dict(found, others=[dict(other._asdict()) for other in decision.boot_others]) if decision.boot_others else found
    )


def _with_overridden(found: Result, note: bounds.Note) -> Result:
    """An entry of the result with the desired_settings that it was preferred to, where there are any."""
    return dict(found, instead_of=[dict(loser) for loser in note.instead_of]) if note.instead_of else found


def setting(decision: plans.SettingDecision, path: t.Optional[str]) -> Result:
    """One entry of ``settings``. ``path`` is the file that holds our entries, None where none are kept."""
    found: Result = {
        "key": decision.key,
        "status": decision.status,
        "wanted": bounds.with_explanation(decision.wanted, decision.explanation),
        "reason": decision.reason or None,
        "live": {"before": decision.live[0], "after": decision.live[1]},
        "file": {"path": path, "before": decision.file[0], "after": decision.file[1]},
        "boot": _boot(decision),
        "shadowed": decision.shadowed,
        "why": decision.note.why,
        "source": list(decision.note.source),
        "arithmetic": decision.explanation or None,
    }
    return _with_overridden(found, decision.note)


def limit(decision: plans.LimitDecision) -> Result:
    """One entry of ``limits``."""
    found: Result = {
        "target": {decision.kind: decision.target},
        "item": decision.item,
        "status": decision.status,
        "wanted": _halves(decision.wanted),
        "reason": decision.reason or None,
        "before": _halves(decision.before),
        "after": _halves(decision.after),
        "effective": _halves(decision.effective),
        "shadowed_by": decision.shadowed_by,
        "notes": list(decision.notes),
        "why": decision.note.why,
        "source": list(decision.note.source),
    }
    return _with_overridden(found, decision.note)


def summary(statuses: t.Iterable[str]) -> t.Dict[str, int]:
    """How many entries ended in which status."""
    counts: t.Dict[str, int] = {}
    for status in statuses:
        counts[status] = counts.get(status, 0) + 1
    return counts


def diff(plan: plans.Plan) -> t.List[Result]:
    """What ``--diff`` shows: the live values as one page, and each file."""
    pages: t.Dict[str, Result] = {}
    for step in plan.steps:
        shown = step.diff()
        if shown is not None:
            headers = {"before_header": shown.header, "after_header": shown.header, "before": "", "after": ""}
            page = pages.setdefault(shown.header, headers)
            page.update(before=page["before"] + shown.before, after=page["after"] + shown.after)
    return list(pages.values())


def _cost(cost: plans.Cost) -> Result:
    return {
        "connections": cost.connections,
        "bytes": cost.needed,
        "memory": cost.memory,
        "percent": cost.percent,
        "refused": cost.refused,
        "text": cost.text,
    }


def from_plan(plan: plans.Plan, path: t.Optional[str]) -> Result:
    """The result of a plan that is carried out, or would be in check mode."""
    found: Result = {
        "changed": bool(plan.steps),
        "settings": [setting(entry, path) for entry in plan.settings],
        "limits": [limit(entry) for entry in plan.limits],
        "summary": summary(entry.status for entry in list(plan.settings) + list(plan.limits)),
        "needs": list(plan.needs),
        "rules": [
            {"rule": violation.rule, "refused": violation.refused, "text": violation.text}
            for violation in plan.findings
        ],
        "diff": diff(plan),
    }
    return dict(found, cost=_cost(plan.cost)) if plan.cost else found


def with_trial(result: Result, trial: str) -> Result:
    return dict(result, trial_id=trial) if trial else result


def _failed_reason(status: str, reason: str) -> str:
    return messages.NOT_CHANGED_RUN_FAILED() if status == statuses.CHANGED else reason


def failed_result(
    plan: plans.Plan, path: t.Optional[str], step: t.Optional[step_types.Step] = None, reason: str = ""
) -> Result:
    """The result of a plan that was not applied, or was undone: nothing has changed.

    :param step: the step that failed, if any. :param reason: why it failed.
    """
    settings, limits = [], []
    for entry in plan.settings:
        is_refused = step is not None and step.is_about_key(entry.key)
        settings.append(
            entry._replace(
                live=(entry.live[0], entry.live[0]),
                file=(entry.file[0], entry.file[0]),
                boot=entry.boot_before,
                boot_others=(),
                status=statuses.REFUSED if is_refused else entry.status,
                reason=reason if is_refused else _failed_reason(entry.status, entry.reason),
            )
        )
    for decision in plan.limits:
        is_refused = step is not None and step.is_about_limit(decision)
        limits.append(
            decision._replace(
                after=decision.before,
                effective=limit_types.Limit(),
                status=statuses.REFUSED if is_refused else decision.status,
                reason=reason if is_refused else _failed_reason(decision.status, decision.reason),
            )
        )
    result = from_plan(plan._replace(settings=settings, limits=limits, steps=[], needs=[]), path)
    result.update(undone=[], not_undone=[])
    return result


def mark_refused(plan: plans.Plan, refused: t.Mapping[str, str]) -> plans.Plan:
    """A plan that was applied, except for keys whose former value the kernel rejected.

    :param refused: the reasons, by key.
    """
    settings = [
        entry._replace(status=statuses.REFUSED, reason=refused[entry.key], live=(entry.live[0], entry.live[0]))
        if entry.key in refused
        else entry
        for entry in plan.settings
    ]
    return plan._replace(settings=settings)
